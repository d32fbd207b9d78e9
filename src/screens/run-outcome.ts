import { effectLabel } from "../provisioning/effect.ts";
import { whatExists } from "./effects.ts";
import { type Line, line, span, wrap } from "./line.ts";
import type { RunView } from "./run.tsx";
import { duration, stopwatch } from "./time.ts";

/** What stands above the steps once a run has come to rest: what it came to, and what one can do. */
export function outcomeLines(view: RunView): readonly Line[] {
  switch (view.state.phase) {
    case "Held":
      return held(view);
    case "Succeeded":
      return succeeded(view);
    case "Interrupted":
      return [
        line(`   ${view.glyphs.warning} Stopped between two writes: nothing is half-made.`, "warn"),
        ...labelled("Exists", whatExists(view.state), view),
        line("   r goes on, b rolls back. Elsewhere:", "plain"),
        line(`   ${view.commandLine(["run", "retry", view.state.name])}`, "accent"),
      ];
    case "RolledBack":
      return [
        [span(`   ${view.glyphs.ok} Rolled back. `, "good"), span(kept(view))],
        line("   esc goes back; n makes a service.", "dim"),
      ];
    case "RollbackFailed":
      return rollbackFailed(view);
    case "RollingBack":
      return [line("   Rolling back, the last step first.", "accent")];
    case "Pending":
      return [line("   Recorded; nobody executes it yet.", "dim")];
    case "Running":
      return [];
  }
}

/** Lines with a label before the first of them. */
function labelled(
  label: string,
  text: string,
  view: RunView,
  tone: "plain" | "bad" = "plain",
): readonly Line[] {
  if (text === "") return [];
  return wrap(text, view.columns - 14, 3).map((each, index) => [
    span(`   ${(index === 0 ? label : "").padEnd(9)}`, "dim"),
    span(each, tone),
  ]);
}

function held(view: RunView): readonly Line[] {
  const { state, glyphs, choice } = view;
  const step = state.steps.find(({ id }) => id === state.failure?.step);
  const title = step?.title ?? "A step";
  const attempts = step === undefined || step.attempt < 2 ? "" : ` after ${step.attempt} attempts`;
  const time = duration(step?.startedAt, step?.finishedAt, view.now);
  const choices = [
    ["r", "Retry", `from ${title} on`],
    ["b", "Roll back", `see first what goes and what stays`],
    ["q", "Leave", "as it is; anyone can go on with"],
  ] as const;
  return [
    line(`   ${glyphs.failed} ${title} failed${attempts}${time === "" ? "" : `, ${time}`}.`, "bad"),
    [],
    ...labelled("Cause", state.failure?.error.message ?? "", view),
    ...labelled("Mend", state.failure?.error.mend ?? "", view),
    ...labelled("Exists", whatExists(state), view),
    [],
    ...choices.map(
      ([key, word, what], index): Line => [
        span(index === choice ? ` ${glyphs.bar} ` : "   ", "accent"),
        span(`${key}  `, "accent"),
        span(word.padEnd(11), index === choice ? "strong" : "plain"),
        span(what, "dim"),
      ],
    ),
    line(`                 ${view.commandLine(["run", "retry", state.name])}`, "accent"),
  ];
}

function succeeded(view: RunView): readonly Line[] {
  const { state, glyphs } = view;
  const time = stopwatch(state.startedAt, state.finishedAt, view.now);
  if (state.operation === "delete")
    return [line(`   ${glyphs.ok} ${state.service} is deleted. ${kept(view)}`, "good")];
  const warnings = state.steps.flatMap((step) => step.warnings);
  return [
    [span(`   ${glyphs.ok} ${state.service} is up, in ${time}. `, "good"), span("enter opens it.", "dim")],
    ...warnings.slice(0, 3).map((each) => line(`   ${glyphs.warning} ${each}`, "warn")),
  ];
}

/** What a rollback left standing on purpose. */
function kept({ state }: RunView): string {
  const left = state.steps.flatMap(({ effects }) => effects).filter((effect) => effect.state === "kept");
  if (left.length === 0) return "Nothing of this run is left.";
  const names = left.slice(0, 4).map(({ effect }) => effectLabel(effect));
  return `Kept: ${names.join(", ")}${left.length > 4 ? ` and ${left.length - 4} more` : ""}.`;
}

function rollbackFailed(view: RunView): readonly Line[] {
  const { state, glyphs } = view;
  const failed = state.steps.find(({ phase }) => phase === "CompensationFailed");
  const orphans = state.orphans.slice(0, 5).map((effect) => line(`     ${effectLabel(effect)}`));
  const more = state.orphans.length - orphans.length;
  return [
    line(`   ${glyphs.failed} The roll back could not undo everything. These effects remain:`, "bad"),
    ...orphans,
    ...(more > 0 ? [line(`     and ${more} more`, "dim")] : []),
    ...labelled("Cause", failed?.error?.message ?? "", view),
    ...labelled("Mend", failed?.error?.mend ?? "", view),
    [span("   b", "accent"), span(" tries the roll back again.", "dim")],
  ];
}
