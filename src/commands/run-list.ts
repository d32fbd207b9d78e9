import { type Command, Option } from "commander";
import { z } from "zod";
import { effectLabel } from "../provisioning/effect.ts";
import type { RunState } from "../provisioning/run.ts";
import type { Bind } from "./action.ts";
import { exitCodeOf, exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import { runNameFrom, serviceNameFrom } from "./names.ts";
import { documentOutput, listOutput, runOutput } from "./options.ts";
import { age, duration } from "./output/age.ts";
import { documentFormats, listFormats, runFormats, writeDocument } from "./output/format.ts";
import { runResult } from "./output/run-result.ts";
import { type Column, table } from "./output/table.ts";
import { runView } from "./run-view-of.ts";

/** `platform run list|show|watch`. */
export function addRunList(run: Command, bind: Bind): void {
  bind(
    run
      .command("list")
      .alias("ls")
      .description("list runs, newest first")
      .addOption(new Option("--service <name>", "runs of this service only"))
      .addOption(listOutput()),
    async (session, _args, raw) => {
      const options = z.object({ output: z.enum(listFormats), service: z.string().optional() }).parse(raw);
      const service = options.service === undefined ? undefined : serviceNameFrom(options.service);
      const { provisioner } = await session.platform();
      const runs = await provisioner.list(service === undefined ? {} : { service });
      const { out, err } = session.terminal;
      if (options.output === "json" || options.output === "yaml") {
        await writeDocument(out, options.output, "runs", { items: runs });
      } else if (options.output === "name") {
        for (const { name } of runs) out.write(`run/${name}\n`);
      } else if (runs.length === 0) {
        err.write(`no runs on ${session.clusterName} yet\n`);
      } else {
        out.write(table(columns(new Date()), runs, { wide: options.output === "wide" }));
      }
      return exitCodes.done;
    },
  );
  bind(
    run
      .command("show")
      .description("show one run: its steps, what it made, what failed and what one can do")
      .argument("<run>", "the run's name")
      .addOption(documentOutput()),
    async (session, args, raw) => {
      const { output } = z.object({ output: z.enum(documentFormats) }).parse(raw);
      const name = runNameFrom(args[0]);
      const { provisioner } = await session.platform();
      const state = await provisioner.get(name);
      if (output !== "text") await writeDocument(session.terminal.out, output, "run", { run: state });
      else session.terminal.out.write(`${runText(state, session).join("\n")}\n`);
      return exitCodes.done;
    },
  );
  bind(
    run
      .command("watch")
      .description("follow a run, here or in another terminal, until it comes to rest")
      .argument("<run>", "the run's name")
      .addOption(runOutput()),
    async (session, args, raw) => {
      const { output } = z.object({ output: z.enum(runFormats) }).parse(raw);
      const name = runNameFrom(args[0]);
      const { provisioner, cluster } = await session.platform();
      const view = runView(session, cluster.context, output);
      const stop = new AbortController();
      const unlisten = session.terminal.onStop(() => stop.abort());
      session.terminal.out.closed.addEventListener("abort", () => stop.abort());
      try {
        for await (const state of provisioner.watch(name, stop.signal)) {
          view.update(state);
          if (state.phase === "Pending" || state.phase === "Running" || state.phase === "RollingBack")
            continue;
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
    },
  );
}

function columns(now: Date): readonly Column<RunState>[] {
  return [
    { title: "RUN", value: ({ name }) => name },
    { title: "OPERATION", value: ({ operation }) => operation },
    { title: "SERVICE", value: ({ service }) => service },
    { title: "PHASE", value: ({ phase }) => phase },
    {
      title: "STEPS",
      align: "right",
      value: ({ steps }) =>
        `${steps.filter(({ phase }) => phase === "Succeeded" || phase === "Compensated").length}/${steps.length}`,
    },
    {
      title: "TOOK",
      align: "right",
      value: ({ startedAt, finishedAt }) => duration(startedAt, finishedAt) || "–",
    },
    { title: "AGE", align: "right", value: ({ requestedAt }) => age(requestedAt, now) },
    { title: "BY", wide: true, value: ({ requestedBy }) => requestedBy },
    { title: "TEAM", wide: true, value: ({ team }) => team },
    { title: "HOLDER", wide: true, value: ({ holder }) => holder || "–" },
    { title: "FAILURE", wide: true, value: ({ failure }) => failure?.error.message ?? "" },
  ];
}

const signs: Readonly<Record<RunState["steps"][number]["phase"], string>> = {
  Waiting: "·",
  Running: "…",
  Retrying: "▲",
  Succeeded: "✔",
  Skipped: "·",
  Failed: "✖",
  Compensating: "↩",
  Compensated: "↩",
  CompensationFailed: "✖",
};

function runText(
  state: RunState,
  around: { command(...words: readonly string[]): string },
): readonly string[] {
  const lines = [
    `${state.name}: ${state.phase}`,
    `  ${state.operation} ${state.service}, team ${state.team}, asked for by ${state.requestedBy} at ${state.requestedAt}`,
    "",
  ];
  for (const step of state.steps) {
    const attempts = step.attempt > 1 ? `${step.attempt} attempts` : "";
    const parts = [
      step.title,
      duration(step.startedAt, step.finishedAt),
      attempts,
      step.error?.message ?? step.summary,
    ];
    lines.push(`  ${signs[step.phase]} ${parts.filter((part) => part !== "").join("  ")}`);
    for (const warning of step.warnings) lines.push(`    ▲ ${warning}`);
    for (const { effect, state: now, reason } of step.effects) {
      lines.push(`      ${effectLabel(effect)}  ${now}${reason === undefined ? "" : `: ${reason}`}`);
    }
  }
  const { result, notes } = runResult(state, around);
  return [...lines, "", `  ${result}`, ...notes];
}
