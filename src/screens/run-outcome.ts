import { specDiff } from "../application/spec-diff.ts";
import { isInstallation, operationWords } from "../provisioning/plan.ts";
import { effectLabel } from "../provisioning/runs/effect.ts";
import type { RunState } from "../provisioning/runs/run.ts";
import { serviceText } from "../provisioning/runs/service-of-run.ts";
import { verbsOf } from "../provisioning/verbs/verbs.ts";
import { verbKeys } from "./actions/verb-actions.ts";
import { whatExists } from "./effects.ts";
import { fieldChangeText } from "./field-changes.ts";
import { type Line, line, span, wrap } from "./line.ts";
import type { RunView } from "./run.tsx";
import { duration, stopwatch } from "./time.ts";

/** What stands above the steps: what the run changes, what it came to, and what one can do. */
export function outcomeLines(view: RunView): readonly Line[] {
  const told = toldLines(view);
  const choices = choiceLines(view);
  return [...told, ...(told.length > 0 && choices.length > 0 ? [[]] : []), ...choices];
}

function toldLines(view: RunView): readonly Line[] {
  const { state, glyphs } = view;
  switch (state.phase) {
    case "Held":
      return held(view);
    case "Succeeded":
      return succeeded(view);
    case "Interrupted":
      return [
        line(`   ${glyphs.warning} Stopped between two writes: nothing is half-made.`, "warn"),
        ...existsLines(view),
      ];
    case "RolledBack":
      return [
        [span(`   ${glyphs.ok} Rolled back. `, "good"), span(kept(view))],
        ...labelled("Cause", state.failure?.error.message ?? "", view),
        line("   esc goes back.", "dim"),
      ];
    case "RollbackFailed":
      return rollbackFailed(view);
    case "RollingBack":
      return [
        line("   Rolling back, the last step first.", "accent"),
        ...(view.own ? [] : holderLines(view)),
      ];
    case "Refused":
      return [
        line(`   ${view.glyphs.failed} Refused: nothing was written.`, "bad"),
        [],
        ...labelled("Cause", state.refusal?.message ?? "", view),
        ...labelled("Mend", state.refusal?.mend ?? "", view),
      ];
    case "Pending":
      return pendingLines(view);
    case "Running":
      return [...holderLines(view), ...changeLine(view)];
  }
}

/** A request that nobody has taken: soon somebody will, unless no operator lives. */
function pendingLines(view: RunView): readonly Line[] {
  const { own, holder, simulated, glyphs, commandLine } = view;
  if (own || holder !== "dead" || simulated)
    return [line("   Recorded; nobody executes it yet.", "dim"), ...holderLines(view)];
  return [
    line(`   ${glyphs.warning} Recorded, and no operator has begun with it.`, "warn"),
    line(`     ${commandLine(["doctor"])} says why; ${verbKeys.cancel} takes it back.`, "dim"),
  ];
}

/** What a change alters, in one line. */
function changeLine({ state, columns, glyphs }: RunView): readonly Line[] {
  const changes = changesOf(state);
  return changes.length === 0 ? [] : [line(`     ${fieldChangeText(changes, columns - 8, glyphs)}`)];
}

/** What a run alters of a service that exists, field by field. */
export function changesOf({ change }: RunState) {
  const { before, after } = change ?? {};
  return before === undefined || after === undefined ? [] : specDiff(before, after);
}

/** Who executes a run elsewhere, and whether that one lives. */
function holderLines({ state, own, holder, simulated, glyphs }: RunView): readonly Line[] {
  const who = state.holder;
  // As many lines as when it is done: nothing moves then.
  if (own) {
    const alone = simulated ? "" : ", since no operator runs: keep it open; guardrails let you pass";
    return [
      line(
        `   This terminal executes it${alone}${simulated ? ": " : "; "}${verbKeys.cancel} cancels.`,
        "dim",
      ),
    ];
  }
  if (who === "") return [];
  if (holder === "dead") {
    return [line(`   ${glyphs.warning} ${who} executed it and is gone: nobody works on it.`, "warn")];
  }
  return [line(`   ${who} executes it${holder === "living" ? ", and lives" : ""}.`, "dim")];
}

/** What a person can choose; the last line says what anyone types elsewhere. */
function choiceLines({ choices, choice, glyphs, state, commandLine }: RunView): readonly Line[] {
  if (choices.length === 0) return [];
  const verb = choices[0]?.key === verbKeys.resume ? "resume" : "retry";
  return [
    ...choices.map(
      ({ key, word, what }, index): Line => [
        span(index === choice ? ` ${glyphs.bar} ` : "   ", "accent"),
        span(`${key}  `, "accent"),
        span(word.padEnd(11), index === choice ? "strong" : "plain"),
        span(what, "dim"),
      ],
    ),
    line(`                 ${commandLine(["run", verb, state.name])}`, "accent"),
  ];
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
  const { state, glyphs } = view;
  const step = state.steps.find(({ id }) => id === state.failure?.step);
  const title = step?.title ?? "A step";
  const attempts = step === undefined || step.attempt < 2 ? "" : ` after ${step.attempt} attempts`;
  const time = duration(step?.startedAt, step?.finishedAt, view.now);
  return [
    line(`   ${glyphs.failed} ${title} failed${attempts}${time === "" ? "" : `, ${time}`}.`, "bad"),
    [],
    ...causeLines(view),
    ...existsLines(view),
  ];
}

/** What there is outside by this run; of a service that was there before, what it has changed. */
function existsLines(view: RunView): readonly Line[] {
  const { state } = view;
  return labelled(changesOf(state).length === 0 ? "Exists" : "Changed", whatExists(state), view);
}

function causeLines(view: RunView): readonly Line[] {
  const { failure } = view.state;
  return [
    ...labelled("Cause", failure?.error.message ?? "", view),
    ...labelled("Mend", failure?.error.mend ?? "", view),
  ];
}

function succeeded(view: RunView): readonly Line[] {
  const { state, glyphs } = view;
  const { operation } = state;
  const service = serviceText(state);
  const time = stopwatch(state.startedAt, state.finishedAt, view.now);
  if (operation === "delete" || operation === "cleanup" || isInstallation(operation)) {
    const left = keptText(view);
    return [line(`   ${glyphs.ok} ${service} is ${operationWords[operation].done}. ${left}`, "good")];
  }
  const word = operation === "create" ? "up" : operationWords[operation].done;
  const warnings = state.steps.flatMap((step) => step.warnings);
  return [
    [
      span(`   ${glyphs.ok} ${service} is ${word}, in ${time}. `, "good"),
      span(
        verbsOf(state).includes("rollback")
          ? `enter opens it, ${verbKeys.rollback} rolls back.`
          : "enter opens it.",
        "dim",
      ),
    ],
    ...changeLine(view),
    ...warnings.slice(0, 3).map((each) => line(`   ${glyphs.warning} ${each}`, "warn")),
  ];
}

/** What a rollback left standing on purpose, and what it wrote back. */
function kept(view: RunView): string {
  const effects = view.state.steps.flatMap((step) => step.effects);
  const restored = effects.filter((effect) => effect.state === "restored").length;
  const back =
    restored === 0 ? "" : `${restored} ${restored === 1 ? "object is" : "objects are"} as before. `;
  const left = keptText(view);
  return left === "" && back === "" ? "Nothing of this run is left." : (back + left).trim();
}

/** What a run left standing on purpose; empty where there is nothing. */
function keptText({ state }: RunView): string {
  const left = state.steps.flatMap((step) => step.effects).filter((effect) => effect.state === "kept");
  if (left.length === 0) return "";
  const names = left.slice(0, 4).map(({ effect }) => effectLabel(effect));
  return `Kept: ${names.join(", ")}${left.length > 4 ? ` and ${left.length - 4} more` : ""}.`;
}

function rollbackFailed(view: RunView): readonly Line[] {
  const { state, glyphs } = view;
  const failed = state.steps.find(({ phase }) => phase === "CompensationFailed");
  const orphans = state.orphans.slice(0, 3).map((effect) => line(`     ${effectLabel(effect)}`));
  const more = state.orphans.length - orphans.length;
  return [
    line(`   ${glyphs.failed} The roll back could not undo everything. These effects remain:`, "bad"),
    ...orphans,
    ...(more > 0 ? [line(`     and ${more} more`, "dim")] : []),
    ...labelled("Cause", failed?.error?.message ?? "", view),
    ...labelled("Mend", failed?.error?.mend ?? "", view),
  ];
}
