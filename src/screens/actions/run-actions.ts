import type { ScreenName } from "../../state/place.ts";
import { emptyEntry } from "../../state/text-entry.ts";
import { go, placeOf } from "../../state/ui.ts";
import type { Action, ActionContext } from "./action.ts";
import { back } from "./app-actions.ts";
import { noRetry, noRollback, openRun, runOf } from "./subject.ts";

function openRollback(context: ActionContext): void {
  const run = runOf(context);
  if (run === undefined) return;
  context.session.setUi((ui) => ({
    ...go(ui, { screen: "rollback", run: run.name, title: run.title, service: run.service }),
    confirmation: emptyEntry,
    dataStores: "keep-used",
  }));
}

function retry(context: ActionContext): void {
  const run = runOf(context);
  if (run === undefined) return;
  const { screen } = placeOf(context.session.ui());
  if (screen !== "run") openRun(context);
  context.session.retry(run.name);
}

/** Whether the rollback on the screen still misses what a person has to type or wait for. */
function notConfirmed({ session }: ActionContext): string | undefined {
  const page = session.stores.rollback.getState();
  const place = placeOf(session.ui());
  if (page.status === "loading") return "the preview is still being made";
  if (page.preview === undefined || place.screen !== "rollback") return page.problem ?? "there is no preview";
  if (!page.preview.destroysData || session.ui().confirmation.text === place.service) return undefined;
  return `this destroys data: type ${place.service} first`;
}

const aboutRun: readonly ScreenName[] = ["services", "service", "runs", "run"];

/** Whether nobody works on the run: one that seems to go can be taken over, but that is no hint's business. */
function rests(context: ActionContext): boolean {
  const phase = runOf(context)?.phase;
  return phase !== "Running" && phase !== "RollingBack" && phase !== "Pending";
}

const retryRun: Action = {
  id: "run.retry",
  keys: ["r"],
  title: "Retry: go on from the failed step",
  category: "Run",
  on: aboutRun,
  hint: { word: (context) => (rests(context) ? "retry" : undefined), rank: 6 },
  disabledReason: noRetry,
  run: retry,
};

const rollBackRun: Action = {
  id: "run.rollback",
  keys: ["b", "p"],
  title: "Roll back: see what goes and what stays, then choose",
  category: "Run",
  on: aboutRun,
  dangerous: true,
  hint: { word: (context) => (rests(context) ? "roll back" : undefined), rank: 3 },
  disabledReason: noRollback,
  run: openRollback,
};

function enterRun(context: ActionContext): void {
  const { session, terminal } = context;
  const place = placeOf(session.ui());
  if (place.screen !== "run") return;
  const state = session.stores.openRuns.getState().states[place.run];
  if (state?.phase === "Held") {
    const action = [retryRun, rollBackRun, back][session.ui().choice];
    const reason = action?.disabledReason?.(context);
    if (reason !== undefined) session.notify({ text: reason, tone: "warn" });
    else action?.run({ session, terminal });
    return;
  }
  if (state?.phase === "Succeeded" && state.operation === "create") {
    session.setUi((ui) => go(ui, { screen: "service", service: state.service, tab: "overview" }));
    return;
  }
  toggleEffects(context);
}

/** What enter does on the run screen now. */
function enterWord({ session }: ActionContext): string {
  const place = placeOf(session.ui());
  const state = place.screen === "run" ? session.stores.openRuns.getState().states[place.run] : undefined;
  if (state?.phase === "Held") return "choose";
  if (state?.phase === "Succeeded" && state.operation === "create") return "open the service";
  return session.ui().runPane === "log" ? "effects" : "log";
}

function toggleEffects({ session }: ActionContext): void {
  session.setUi((ui) => ({ ...ui, runPane: ui.runPane === "log" ? "effects" : "log" }));
}

/** What one does with runs. */
export const runActions: readonly Action[] = [
  {
    id: "run.open",
    keys: ["enter"],
    title: "Open the run",
    category: "Run",
    on: ["runs", "service"],
    hint: { word: "open", rank: 2 },
    disabledReason: (context) => {
      const place = placeOf(context.session.ui());
      if (place.screen === "service" && place.tab !== "runs" && place.tab !== "overview") {
        return "nothing to open here";
      }
      return runOf(context) === undefined ? "no run is marked" : undefined;
    },
    run: openRun,
  },
  {
    id: "run.enter",
    keys: ["enter"],
    title: "Effects of the marked step, or the marked choice",
    category: "Run",
    on: ["run"],
    unlisted: true,
    hint: { word: enterWord, rank: 1 },
    run: enterRun,
  },
  retryRun,
  rollBackRun,
  {
    id: "run.effects",
    keys: ["e"],
    title: "Effects or log below the steps",
    category: "Run",
    on: ["run"],
    hint: { word: (context) => (enterWord(context) === "choose" ? "effects" : undefined), rank: 4 },
    run: toggleEffects,
  },
  {
    id: "run.log",
    keys: ["l"],
    title: "The whole log of the run",
    category: "Run",
    on: ["run"],
    hint: { word: "full log", rank: 5 },
    run: ({ session }) => {
      const place = placeOf(session.ui());
      if (place.screen === "run") session.setUi((ui) => go(ui, { ...place, screen: "log" }));
    },
  },
  {
    id: "run.service",
    keys: ["o"],
    title: "Open the run's service",
    category: "Run",
    on: ["run", "runs"],
    run: (context) => {
      const run = runOf(context);
      if (run === undefined) return;
      context.session.setUi((ui) => go(ui, { screen: "service", service: run.service, tab: "overview" }));
    },
  },
  {
    id: "rollback.confirm",
    keys: ["enter"],
    title: "Roll back now",
    category: "Run",
    on: ["rollback"],
    whileTyping: true,
    dangerous: true,
    hint: { word: "roll back", rank: 1 },
    disabledReason: notConfirmed,
    run: ({ session }) => {
      const place = placeOf(session.ui());
      if (place.screen === "rollback") session.rollback(place.run, place.title);
    },
  },
  {
    id: "rollback.data",
    keys: ["tab"],
    title: "Keep used, keep all or delete all data stores",
    category: "Run",
    on: ["rollback"],
    whileTyping: true,
    hint: { word: "data stores", rank: 2 },
    run: ({ session }) => {
      const following = { "keep-used": "keep", keep: "delete", delete: "keep-used" } as const;
      session.setUi((ui) => ({ ...ui, dataStores: following[ui.dataStores], confirmation: emptyEntry }));
    },
  },
];
