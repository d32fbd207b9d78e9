import { atRest } from "../../provisioning/engine/decide.ts";
import type { RunPhase, StepState } from "../../provisioning/runs/run.ts";
import { type Verb, verbs, verbsOf, verbTitles } from "../../provisioning/verbs/verbs.ts";
import type { Area } from "../../state/place.ts";
import { emptyEntry } from "../../state/text-entry.ts";
import { go, placeOf } from "../../state/ui.ts";
import type { Action, ActionContext } from "./action.ts";
import { isOwn, type KnownRun, noRunOf, openRun, runOf } from "./subject.ts";

/** Where a key may be about a run: the run itself, a list's, or the newest one of a service. */
export const aboutRun: readonly Area[] = ["services", "service", "runs", "run"];

/** The key of each verb, wherever a run is in reach. */
export const verbKeys: Readonly<Record<Verb, string>> = {
  resume: "u",
  retry: "r",
  rollback: "b",
  cancel: "x",
};

const phaseWords: Readonly<Record<RunPhase, string>> = {
  Pending: "is requested",
  Running: "is at work",
  RollingBack: "is being rolled back",
  Interrupted: "was stopped",
  Held: "is held",
  RollbackFailed: "could not be rolled back",
  Succeeded: "succeeded",
  RolledBack: "is rolled back",
  Refused: "was refused",
};

/** The step that waits for its next try by itself; undefined where none does. */
export function waitingStep(run: Pick<KnownRun, "phase" | "steps">): StepState | undefined {
  return atRest(run) ? undefined : run.steps.find(({ phase }) => phase === "Retrying");
}

/** What can be done with a run, in words: `r retry, b roll back`. */
function whatCanBeDone(run: KnownRun): string {
  const can = verbsOf(run).map((verb) => `${verbKeys[verb]} ${verbTitles[verb]}`);
  return can.length === 0 ? "there is nothing left to do" : can.join(", ");
}

/** Why a verb cannot be said to the run that a key is about; undefined where it can. */
export function noVerb(verb: Verb): (context: ActionContext) => string | undefined {
  return (context) => {
    const run = runOf(context);
    if (run === undefined) return noRunOf(context, "edit") ?? "no run of it is known";
    if (verb === "retry" && waitingStep(run) !== undefined) return undefined;
    if (!verbsOf(run).includes(verb)) return `${run.title} ${phaseWords[run.phase]}: ${whatCanBeDone(run)}`;
    const here = isOwn(context, run.name) && !atRest(run);
    if (!here || verb === "cancel") return undefined;
    return `this terminal executes it: ${verbKeys.cancel} cancels it first`;
  };
}

/** Says a verb to the run, its screen in view. */
function inView(say: (context: ActionContext, run: KnownRun) => void): (context: ActionContext) => void {
  return (context) => {
    const run = runOf(context);
    if (run === undefined) return;
    if (placeOf(context.session.ui()).screen !== "run") openRun(context);
    say(context, run);
  };
}

const titles: Readonly<Record<Verb, string>> = {
  resume: "Resume a run that stopped, or whose holder is dead",
  retry: "Retry: the failed step again; while it waits: now",
  rollback: "Roll back, after a look at what goes and stays",
  cancel: "Cancel: bring the run to rest",
};

const says: Readonly<Record<Verb, (context: ActionContext) => void>> = {
  resume: inView(({ session }, run) => session.resume(run)),
  retry: inView(({ session }, run) => {
    if (waitingStep(run) !== undefined) session.retryNow(run);
    else session.retry(run);
  }),
  rollback: ({ session, terminal }) => {
    const run = runOf({ session, terminal });
    if (run === undefined) return;
    session.setUi((ui) => ({
      ...go(ui, { screen: "rollback", run: run.name, title: run.title, service: run.service }),
      confirmation: emptyEntry,
      dataStores: "keep-used",
    }));
  },
  cancel: inView(({ session }, { name, title }) =>
    session.setUi((ui) => ({ ...ui, overlay: { kind: "stop-run", run: name, title, leaving: false } })),
  ),
};

/** Where a verb stands in the line of keys. */
const ranks: Readonly<Record<Verb, number>> = { resume: 3, retry: 3, rollback: 3, cancel: 5 };

/** The word of a verb in the line of keys now; undefined where it is no use there. */
function hintOf(verb: Verb, context: ActionContext): string | undefined {
  const run = runOf(context);
  if (run === undefined) return undefined;
  if (verb === "retry" && waitingStep(run) !== undefined) return "retry now";
  const dead = !atRest(run) && context.session.stores.openRuns.getState().holders[run.name] === "dead";
  // A run that somebody works on is left to go on, or cancelled where it is shown.
  const shown = placeOf(context.session.ui()).screen === "run";
  if (!atRest(run) && !dead && !(shown && verb === "cancel")) return undefined;
  return dead && verb === "resume" ? "take over" : verbTitles[verb];
}

/** Resume, retry, roll back and cancel: everywhere the same keys and words, from `verbsOf`. */
export const verbActions: readonly Action[] = verbs.map(
  (verb): Action => ({
    id: `run.${verb}`,
    keys: verb === "rollback" ? [verbKeys[verb], "p"] : [verbKeys[verb]],
    title: titles[verb],
    category: "Run",
    on: aboutRun,
    ...(verb === "rollback" || verb === "cancel" ? { dangerous: true } : {}),
    hint: { word: (context) => hintOf(verb, context), rank: ranks[verb] },
    disabledReason: noVerb(verb),
    run: says[verb],
  }),
);
