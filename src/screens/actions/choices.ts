import { atRest } from "../../provisioning/engine/decide.ts";
import {
  skippableStep,
  type Verb,
  verbMeaning,
  verbsOf,
  verbTitles,
} from "../../provisioning/verbs/verbs.ts";
import { placeOf } from "../../state/ui.ts";
import type { Action, ActionContext } from "./action.ts";
import { back } from "./app-actions.ts";
import { isOwn, type KnownRun, runOf } from "./subject.ts";
import { verbActions, verbKeys } from "./verb-actions.ts";

/** One thing a person can choose where a run waits for them. */
export interface Choice {
  readonly key: string;
  readonly word: string;
  /** What it comes to. */
  readonly what: string;
  readonly action: Action;
}

/** Goes on without the step that failed, where the service can do without it. */
export const skip: Action = {
  id: "run.skip",
  keys: ["s"],
  title: "Skip: go on without the failed step, where it may be left out",
  category: "Run",
  on: ["run"],
  disabledReason: (context) => {
    const run = runOf(context);
    if (run?.phase !== "Held") return "only a step that failed can be skipped";
    return skippableStep(run) === undefined ? "the service needs what this step makes" : undefined;
  },
  run: (context) => {
    const run = runOf(context);
    const step = run === undefined ? undefined : skippableStep(run);
    if (run !== undefined && step !== undefined) context.session.retry(run, [step.id]);
  },
};

/**
 * What a person can choose on the run screen now: nothing while somebody is at work on the run, and nothing that
 * needs a list once it is done.
 */
export function choicesOf(context: ActionContext): readonly Choice[] {
  if (placeOf(context.session.ui()).screen !== "run") return [];
  const run = runOf(context);
  if (run === undefined || run.phase === "Succeeded" || run.phase === "RolledBack") return [];
  const dead = context.session.stores.openRuns.getState().holders[run.name] === "dead";
  if (!atRest(run) && (!dead || isOwn(context, run.name))) return [];
  const skipped = skippableStep(run);
  return verbActions
    .flatMap((action): Choice[] => {
      const verb = verbsOf(run).find((each) => action.id === `run.${each}`);
      if (verb === undefined) return [];
      const choice = {
        key: verbKeys[verb],
        word: capital(verbTitles[verb]),
        what: whatOf(verb, run),
        action,
      };
      if (verb !== "retry" || skipped === undefined) return [choice];
      const what = `goes on without ${skipped.title}`;
      return [choice, { key: "s", word: "Skip", what, action: skip }];
    })
    .concat({ key: "q", word: "Leave", what: "as it is; anyone can go on with", action: back });
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function whatOf(verb: Verb, run: KnownRun): string {
  const failed = run.steps.find(({ id }) => id === run.failure?.step);
  if (verb === "retry" && run.phase === "Held" && failed !== undefined) return `from ${failed.title} on`;
  if (verb === "resume" && !atRest(run)) return `takes it over: ${run.holder || "who executed it"} is gone`;
  const meaning = verbMeaning(verb, run);
  return verb === "rollback" ? `${meaning}, after a look at what goes and stays` : meaning;
}
