import { isInstallation } from "../../provisioning/plan.ts";
import type { RunState } from "../../provisioning/runs/run.ts";
import { serviceText } from "../../provisioning/runs/service-of-run.ts";
import { nameToType, touchesData } from "../../state/reviews.ts";
import type { Session } from "../../state/session.ts";
import { emptyEntry } from "../../state/text-entry.ts";
import { filterOf, go, placeOf, withFilter } from "../../state/ui.ts";
import type { Action, ActionContext } from "./action.ts";
import { choicesOf, skip } from "./choices.ts";
import { openRun, runOf } from "./subject.ts";

/** Whether the rollback on the screen still misses what a person has to type or wait for. */
function notConfirmed({ session }: ActionContext): string | undefined {
  const page = session.stores.rollback.getState();
  const place = placeOf(session.ui());
  if (page.status === "loading") return "the preview is still being made";
  if (page.preview === undefined || place.screen !== "rollback") return page.problem ?? "there is no preview";
  const name = nameToType(session.stores);
  if (name === undefined || session.ui().confirmation.text === name) return undefined;
  return `this destroys data: type ${name} first`;
}

/** Whether it is to be chosen what becomes of data stores; as long as that is not known, keys may choose ahead. */
function asksAboutData({ stores }: Session): boolean {
  const { preview, status } = stores.rollback.getState();
  return preview === undefined ? status === "loading" : touchesData(preview);
}

/** Whether a run is done that has left a service to open. */
function leavesService(state: RunState | undefined): state is RunState {
  if (state?.phase !== "Succeeded" || isInstallation(state.operation)) return false;
  return state.operation !== "delete" && state.operation !== "cleanup";
}

function enterRun(context: ActionContext): void {
  const { session, terminal } = context;
  const place = placeOf(session.ui());
  if (place.screen !== "run") return;
  const choices = choicesOf(context);
  if (choices.length > 0) {
    const action = choices[session.ui().choice]?.action;
    const reason = action?.disabledReason?.(context);
    if (reason !== undefined) session.notify({ text: reason, tone: "warn" });
    else action?.run({ session, terminal });
    return;
  }
  const state = session.stores.openRuns.getState().states[place.run];
  if (leavesService(state)) {
    session.setUi((ui) => go(ui, { screen: "service", service: serviceText(state), tab: "overview" }));
    return;
  }
  toggleEffects(context);
}

/** What enter does on the run screen now. */
function enterWord(context: ActionContext): string {
  const { session } = context;
  if (choicesOf(context).length > 0) return "choose";
  const place = placeOf(session.ui());
  const state = place.screen === "run" ? session.stores.openRuns.getState().states[place.run] : undefined;
  if (leavesService(state)) return "open the service";
  return session.ui().runPane === "log" ? "effects" : "log";
}

function toggleEffects({ session }: ActionContext): void {
  session.setUi((ui) => ({ ...ui, runPane: ui.runPane === "log" ? "effects" : "log" }));
}

/** What one does with runs beside resume, retry, roll back and cancel. */
export const runActions: readonly Action[] = [
  {
    id: "run.open",
    keys: ["enter"],
    title: "Open the run",
    category: "Run",
    on: ["runs", "service"],
    hint: { word: "open", rank: 1 },
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
  skip,
  {
    id: "run.effects",
    keys: ["e"],
    title: "Effects or log below the steps",
    category: "Run",
    on: ["run"],
    hint: { word: (context) => (enterWord(context) === "choose" ? "effects" : undefined), rank: 6 },
    run: toggleEffects,
  },
  {
    id: "run.log",
    keys: ["l"],
    title: "The whole log of the run",
    category: "Run",
    on: ["run"],
    hint: { word: "full log", rank: 7 },
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
      const service = serviceText(run);
      context.session.setUi((ui) => go(ui, { screen: "service", service, tab: "overview" }));
    },
  },
  {
    id: "runs.filter",
    keys: ["/"],
    title: "Filter the runs: name, phase, who, unfinished",
    category: "Run",
    on: ["runs"],
    hint: { word: "filter", rank: 6 },
    run: ({ session }) =>
      session.setUi((ui) => withFilter(ui, "runs", { ...filterOf(ui, "runs"), editing: true })),
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
      if (place.screen !== "rollback") return;
      session.rollback({ name: place.run, service: place.service, title: place.title });
    },
  },
  {
    id: "rollback.data",
    keys: ["tab"],
    title: "Keep used, keep all or delete all data stores",
    category: "Run",
    on: ["rollback"],
    whileTyping: true,
    hint: {
      word: ({ session }) => (asksAboutData(session) ? "data stores" : undefined),
      rank: 2,
    },
    disabledReason: ({ session }) => (asksAboutData(session) ? undefined : "it touches no data store"),
    run: ({ session }) => {
      const following = { "keep-used": "keep", keep: "delete", delete: "keep-used" } as const;
      session.setUi((ui) => ({ ...ui, dataStores: following[ui.dataStores], confirmation: emptyEntry }));
    },
  },
];
