import { type Command, Option } from "commander";
import { z } from "zod";
import { atRest } from "../provisioning/engine/decide.ts";
import { effectLabel } from "../provisioning/runs/effect.ts";
import type { RunState } from "../provisioning/runs/run.ts";
import { serviceOfRun, serviceText } from "../provisioning/runs/service-of-run.ts";
import { verbsOf, verbTitles } from "../provisioning/verbs/verbs.ts";
import type { Bind } from "./action.ts";
import { exitCodes } from "./exit-code.ts";
import { runNameFrom } from "./names.ts";
import { ofRun } from "./nearest-name.ts";
import { documentOutput, listOutput } from "./options.ts";
import { age, duration, nextTry } from "./output/age.ts";
import { documentFormats, listFormats, writeDocument } from "./output/format.ts";
import { runResult } from "./output/run-result.ts";
import { type Column, table } from "./output/table.ts";
import { type TypedService, typedService } from "./service-ref.ts";

/** `platform run list|show`. */
export function addRunList(run: Command, bind: Bind): void {
  bind(
    run
      .command("list")
      .alias("ls")
      .description("list runs, newest first")
      .addOption(new Option("--service <name>", "runs of services of this name only, or of NAMESPACE/NAME"))
      .addOption(listOutput()),
    async (session, _args, raw) => {
      const options = z.object({ output: z.enum(listFormats), service: z.string().optional() }).parse(raw);
      const service = options.service === undefined ? undefined : typedService(options.service);
      const { provisioner } = await session.platform();
      const listed = await provisioner.list(service === undefined ? {} : { service: service.name });
      const runs = listed.filter((run) => isAbout(run, service));
      const { out, err } = session.terminal;
      if (options.output === "json" || options.output === "yaml") {
        await writeDocument(out, options.output, "runs", { items: runs });
      } else if (options.output === "name") {
        for (const { name } of runs) out.write(`run/${name}\n`);
      } else if (runs.length === 0) {
        err.write(`no runs on ${session.clusterName} yet\n`);
      } else {
        out.write(table(columns(new Date(), newest(runs)), runs, { wide: options.output === "wide" }));
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
      const state = await ofRun(session, name, () => provisioner.get(name));
      const { out } = session.terminal;
      if (output !== "text") {
        await writeDocument(out, output, "run", { run: state, verbs: verbsOf(state) });
      } else {
        out.write(`${runText(state, session, new Date()).join("\n")}\n`);
      }
      return exitCodes.done;
    },
  );
}

/** Whether a run is about what was typed: a name alone means all services that have it. */
function isAbout(run: RunState, service: TypedService | undefined): boolean {
  return service?.namespace === undefined || serviceOfRun(run).namespace === service.namespace;
}

/** The newest run of each service. */
function newest(runs: readonly RunState[]): ReadonlySet<RunState> {
  return new Set(new Map([...runs].reverse().map((run) => [serviceText(run), run])).values());
}

function columns(now: Date, newest: ReadonlySet<RunState>): readonly Column<RunState>[] {
  return [
    { title: "RUN", value: ({ name }) => name },
    { title: "OPERATION", value: ({ operation }) => operation },
    { title: "SERVICE", value: serviceText },
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
    { title: "NOW", value: (run) => whatNow(run, now, newest.has(run)) },
    { title: "BY", wide: true, value: ({ requestedBy }) => requestedBy },
    { title: "TEAM", wide: true, value: ({ team }) => team },
    { title: "HOLDER", wide: true, value: ({ holder }) => holder || "–" },
    { title: "FAILURE", wide: true, value: ({ failure }) => failure?.error.message ?? "" },
  ];
}

/** When its next try is due, or what a person can do; what came after a run that is complete stands in the way of its rollback. */
function whatNow(run: RunState, now: Date, isNewest: boolean): string {
  const waiting = run.steps.find(({ phase }) => phase === "Retrying");
  if (waiting !== undefined) return `tries again ${nextTry(waiting, now)}`;
  if (run.phase === "Succeeded" && !isNewest) return "";
  const shown = atRest(run) ? verbsOf(run) : verbsOf(run).filter((verb) => verb === "cancel");
  return shown.map((verb) => verbTitles[verb]).join(", ");
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
  around: { readonly command: (...words: readonly string[]) => string },
  now: Date,
): readonly string[] {
  const lines = [
    `${state.name}: ${state.phase}`,
    `  ${state.operation} ${serviceText(state)}, team ${state.team}, asked for by ${state.requestedBy} at ${state.requestedAt}`,
    ...(state.change?.commit === undefined ? [] : [`  commit ${state.change.commit}`]),
    "",
  ];
  for (const step of state.steps) {
    const parts = [
      step.title,
      duration(step.startedAt, step.finishedAt),
      step.attempt > 1 ? `${step.attempt} attempts` : "",
      step.phase === "Retrying" ? `tries again ${nextTry(step, now)}` : "",
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
