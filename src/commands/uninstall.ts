import { type Command, Option } from "commander";
import { z } from "zod";
import type { Bind } from "./action.ts";
import { exitCodes } from "./exit-code.ts";
import { CommandFailure, usageFailure } from "./failure.ts";
import { follow } from "./follow.ts";
import { installerOf } from "./installer-of.ts";
import { timeout, yes } from "./options.ts";
import { writeInstallation } from "./output/installation.ts";
import { runView } from "./run-view-of.ts";
import type { Session } from "./session.ts";
import { ask } from "./terminal.ts";

const optionsSchema = z.object({
  output: z.enum(["text", "json", "yaml"]),
  dryRun: z.boolean().default(false),
  yes: z.boolean().default(false),
  timeout: z.number().optional(),
});

/** `platform uninstall`. */
export function addUninstall(program: Command, bind: Bind, version: string): void {
  bind(
    program
      .command("uninstall")
      .description("remove operator, guardrails and rights; services, their data and all records stay")
      .addOption(new Option("--dry-run", "show what would be removed, remove nothing"))
      .addOption(yes())
      .addOption(timeout())
      .addOption(
        new Option("-o, --output <format>", "how to print; a run is followed as text or JSON lines")
          .choices(["text", "json", "yaml"])
          .default("text"),
      )
      .addHelpText(
        "after",
        `
It is a run, and can be rolled back. It is refused while another run is being executed.

Examples:
  platform uninstall --dry-run
  platform --context staging uninstall`,
      ),
    async (session, _args, raw) => {
      const options = optionsSchema.parse(raw);
      const installer = await installerOf(session, version);
      const plan = await installer.planUninstall();
      const cluster = await session.connect();
      const { out, err } = session.terminal;
      const shown = { context: cluster.context, dryRun: true, plan };
      if (options.dryRun) {
        await writeInstallation(out, options.output, shown);
        if (options.output === "text") err.write(`${kept}\nNothing was removed: this is a dry run.\n`);
        return exitCodes.done;
      }
      if (plan.changes.length === 0) {
        out.write(`There is no operator, guardrail or right of the platform on ${cluster.context}.\n`);
        return exitCodes.done;
      }
      if (options.output === "yaml") {
        throw usageFailure("a run is followed as text or as JSON lines", {
          next: ["-o yaml prints what --dry-run would remove"],
        });
      }
      if (options.output === "text") {
        await writeInstallation(err, "text", shown);
        err.write(`${kept}\n`);
      }
      if (!options.yes) await confirmContext(session, cluster.context);
      const view = runView(session, cluster.context, options.output);
      return follow(session, () => installer.uninstall(plan), view, {
        asked: "completion",
        ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
      });
    },
  );
}

const kept = `
Kept: every service with its namespace and data, Applications, Runs, the standards and the resource types. From then on
nothing reconciles them, no guardrail holds, and teams have no rights. Who wants all of it gone deletes the services
first (platform service delete NAME), and then:
  kubectl delete crd -l app.kubernetes.io/part-of=platform
  kubectl delete namespace platform-system`;

/** @throws CommandFailure (2) without a terminal, where only `--yes` can say so, and (130) where another answer came */
async function confirmContext(session: Session, context: string): Promise<void> {
  if (!session.terminal.interactive) {
    throw usageFailure(`to uninstall the platform from ${context} without a terminal, say --yes`, {
      next: ["--dry-run shows what would be removed and kept"],
    });
  }
  const stop = new AbortController();
  const unlisten = session.terminal.onStop(() => stop.abort());
  const question = `\n  Type ${context} to uninstall the platform from it: `;
  const answer = await ask(session.terminal, question, stop.signal).finally(unlisten);
  if (answer === context) return;
  throw new CommandFailure(
    answer === undefined ? exitCodes.interrupted : exitCodes.usage,
    answer === undefined ? "left" : `${JSON.stringify(answer)} is not ${context}`,
    { state: "Nothing was removed." },
  );
}
