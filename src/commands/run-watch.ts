import type { Command } from "commander";
import { z } from "zod";
import { atRest } from "../provisioning/engine/decide.ts";
import type { RunName } from "../provisioning/runs/run.ts";
import type { Bind } from "./action.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import { runNameFrom } from "./names.ts";
import { ofRun } from "./nearest-name.ts";
import { runOutput } from "./options.ts";
import { type RunFormat, runFormats } from "./output/format.ts";
import { runView } from "./run-view-of.ts";
import type { Session } from "./session.ts";

/** `platform run watch|logs`. */
export function addRunWatch(run: Command, bind: Bind): void {
  bind(
    run
      .command("watch")
      .description("follow a run, here or in another terminal, until it comes to rest")
      .argument("<run>", "the run's name")
      .addOption(runOutput()),
    async (session, args, raw) => {
      const { output } = z.object({ output: z.enum(runFormats) }).parse(raw);
      const name = runNameFrom(args[0]);
      const { provisioner } = await session.platform();
      await ofRun(session, name, () => provisioner.get(name));
      return watchToRest(session, name, output);
    },
  );
  bind(
    run
      .command("logs")
      .description("print what a run's steps have logged, oldest first")
      .argument("<run>", "the run's name"),
    async (session, args) => {
      const name = runNameFrom(args[0]);
      const { provisioner } = await session.platform();
      const { steps } = await ofRun(session, name, () => provisioner.get(name));
      const titles = new Map(steps.map(({ id, title }) => [id, title]));
      const { out, err } = session.terminal;
      let told = false;
      for await (const { at, step, line } of provisioner.logs(name)) {
        out.write(`${at}  ${titles.get(step) ?? step}: ${line}\n`);
        told = true;
      }
      if (!told) err.write(`run ${name} has logged nothing\n`);
      return exitCodes.done;
    },
  );
}

/**
 * Shows a run that another process executes until it comes to rest.
 * @throws CommandFailure (2) where it is deleted meanwhile
 */
export async function watchToRest(session: Session, name: RunName, output: RunFormat): Promise<ExitCode> {
  const { provisioner, cluster } = await session.platform();
  const view = runView(session, cluster.context, output);
  const stop = new AbortController();
  const unlisten = session.terminal.onStop(() => stop.abort());
  session.terminal.out.closed.addEventListener("abort", () => stop.abort());
  try {
    for await (const state of provisioner.watch(name, stop.signal)) {
      view.update(state);
      if (!atRest(state)) continue;
      const code = exitCodeOf(state.phase, "completion");
      view.finished(state, code);
      return code;
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    unlisten();
  }
  if (stop.signal.aborted) return exitCodes.interrupted;
  throw usageFailure(`the run ${name} was deleted while it was watched`);
}
