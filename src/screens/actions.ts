import type { RunName, RunPhase } from "../provisioning/run.ts";
import { runName } from "../provisioning/run-record.ts";
import type { LastRun } from "../services/service.ts";
import { listStart, type Move, moveIn } from "../state/list.ts";
import { keyUnderCursor, listAt } from "../state/lists.ts";
import { listOf, type ScreenName, type ServiceTab, serviceTabs } from "../state/place.ts";
import type { Session } from "../state/session.ts";
import { emptyEntry } from "../state/text-entry.ts";
import { go, goBack, placeOf, replacePlace, serviceSorts } from "../state/ui.ts";
import { back, isTouched, newWizard, next, preview, problemOf, takeSuggestion } from "../state/wizard.ts";

/** What an action needs of the terminal itself. */
export interface TerminalControl {
  /** Gives the terminal back to the shell until the program is continued (ctrl-z). */
  suspend(): void;
  /** Draws everything again, for a screen that another program wrote over. */
  redraw(): void;
}

/** What an action works on. */
export interface ActionContext {
  readonly session: Session;
  readonly terminal: TerminalControl;
}

/** Where an action's keys mean it; `everywhere` gives way to a screen's own. */
type Where = readonly ScreenName[] | "everywhere";

/**
 * One thing a key does. The dispatcher, the line of keys, the help and the command palette are all made from the
 * table of these, so that none of them can tell what the others don't know.
 */
export interface Action {
  readonly id: string;
  /** As `Key.id` writes them; the first is the one that is shown. */
  readonly keys: readonly string[];
  /** What it does, as help and palette say it. */
  readonly title: string;
  readonly category: "Go" | "Move" | "Service" | "Run" | "Wizard" | "App";
  readonly on: Where;
  /**
   * Short word in the line of keys, the lowest rank first; left out: only help and palette have it. A function where
   * the word depends on what is shown, or the key is worth a hint only then.
   */
  readonly hint?: {
    readonly word: string | ((context: ActionContext) => string | undefined);
    readonly rank: number;
  };
  /** Whether its keys work while text is being typed on the screen. */
  readonly whileTyping?: boolean;
  /** Not offered in the palette: moving about. */
  readonly unlisted?: boolean;
  /** It ends or deletes something: help marks it. */
  readonly dangerous?: boolean;
  /** Why it cannot be done now, in a sentence; undefined where it can. */
  disabledReason?(context: ActionContext): string | undefined;
  run(context: ActionContext): void;
}

/** The service a key is about: the one shown, or the one under the cursor. */
function serviceOf({ session }: ActionContext): string | undefined {
  const place = placeOf(session.ui());
  if (place.screen === "service") return place.service;
  return place.screen === "services" ? keyUnderCursor(session) : undefined;
}

/** The run a key is about, as far as it is known. */
function runOf(
  context: ActionContext,
):
  | { readonly name: RunName; readonly phase: RunPhase; readonly service: string; readonly title: string }
  | undefined {
  const { session } = context;
  const place = placeOf(session.ui());
  const { states } = session.stores.openRuns.getState();
  if (place.screen === "run" || place.screen === "log" || place.screen === "rollback") {
    const state = states[place.run];
    return state === undefined ? undefined : { ...state, title: place.title };
  }
  if (place.screen === "runs" || (place.screen === "service" && place.tab === "runs")) {
    const name = keyUnderCursor(session);
    const run = session.stores.runs.getState().runs.find((each) => each.name === name);
    return run === undefined ? undefined : { ...run, title: `${run.operation} ${run.service}` };
  }
  const service = session.stores.fleet.getState().services.find(({ name }) => name === serviceOf(context));
  if (service?.lastRun === undefined) return undefined;
  return { ...lastRun(service.lastRun), service: service.name };
}

function lastRun({ name, phase, operation }: LastRun) {
  return { name: runName(name), phase, title: `${operation} ` };
}

const noService = (context: ActionContext) =>
  serviceOf(context) === undefined ? "no service is marked" : undefined;

function noRollback(context: ActionContext): string | undefined {
  const run = runOf(context);
  if (run === undefined) return noService(context) ?? "no run of it is known";
  switch (run.phase) {
    case "RolledBack":
      return "this run is rolled back already";
    case "RollingBack":
      return "it is being rolled back";
    case "Running":
      return context.session.stores.openRuns.getState().own.includes(run.name)
        ? "the run is still going: ctrl-c stops it first"
        : "the run is still going, in another terminal";
    default:
      return undefined;
  }
}

function noRetry(context: ActionContext): string | undefined {
  const run = runOf(context);
  if (run === undefined) return noService(context) ?? "no run of it is known";
  return run.phase === "Held" || run.phase === "Interrupted" || run.phase === "RollbackFailed"
    ? undefined
    : "only a held or interrupted run can go on";
}

function move(kind: Move): (context: ActionContext) => void {
  return ({ session }) => {
    const place = placeOf(session.ui());
    const list = listAt(session, place);
    const { choice } = session.ui();
    if (place.screen === "run" && isHeld(session, place.run)) {
      const step = kind === "up" ? -1 : kind === "down" ? 1 : 0;
      return session.setUi((ui) => ({ ...ui, choice: Math.max(0, Math.min(2, choice + step)) }));
    }
    if (list === undefined) return;
    const key = listOf(place);
    session.setUi((ui) => ({
      ...ui,
      lists: { ...ui.lists, [key]: moveIn(ui.lists[key] ?? listStart, list.keys, list.viewport, kind) },
      notice: undefined,
    }));
  };
}

/** Whether a run waits for a person to choose. */
function isHeld(session: Session, run: RunName): boolean {
  return session.stores.openRuns.getState().states[run]?.phase === "Held";
}

function openRun(context: ActionContext): void {
  const run = runOf(context);
  if (run === undefined) return;
  const { session } = context;
  const title = run.title.endsWith(" ") ? run.title + run.service : run.title;
  session.setUi((ui) => go(ui, { screen: "run", run: run.name, title }));
}

function openService(tab: ServiceTab): (context: ActionContext) => void {
  return (context) => {
    const service = serviceOf(context);
    if (service === undefined) return;
    context.session.setUi((ui) =>
      placeOf(ui).screen === "service"
        ? replacePlace(ui, { screen: "service", service, tab })
        : go(ui, { screen: "service", service, tab }),
    );
  };
}

function turnTab(step: number): (context: ActionContext) => void {
  return ({ session }) => {
    const place = placeOf(session.ui());
    if (place.screen !== "service") return;
    const index = (serviceTabs.indexOf(place.tab) + step + serviceTabs.length) % serviceTabs.length;
    const tab = serviceTabs[index] ?? "overview";
    session.setUi((ui) => replacePlace(ui, { ...place, tab }));
  };
}

function openRollback(context: ActionContext): void {
  const run = runOf(context);
  if (run === undefined) return;
  const title = run.title.endsWith(" ") ? run.title + run.service : run.title;
  context.session.setUi((ui) => ({
    ...go(ui, { screen: "rollback", run: run.name, title, service: run.service }),
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

function enterRun(context: ActionContext): void {
  const { session, terminal } = context;
  const place = placeOf(session.ui());
  if (place.screen !== "run") return;
  const state = session.stores.openRuns.getState().states[place.run];
  if (state?.phase === "Held") {
    const chosen = heldChoices[session.ui().choice];
    const action = actions.find(({ id }) => id === chosen);
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

/** The run of this process that the screen shows. */
function ownRun({ session }: ActionContext): RunName | undefined {
  const place = placeOf(session.ui());
  const shown = place.screen === "run" || place.screen === "log" ? place.run : undefined;
  return session.stores.openRuns.getState().own.find((each) => each === shown);
}

function toggleEffects({ session }: ActionContext): void {
  session.setUi((ui) => ({ ...ui, runPane: ui.runPane === "log" ? "effects" : "log" }));
}

/** The choices of a held run, in the order they stand on the screen. */
export const heldChoices = ["run.retry", "run.rollback", "back"] as const;

const lists: readonly ScreenName[] = ["services", "runs", "run", "log", "service", "contexts"];
const aboutService: readonly ScreenName[] = ["services", "service"];
const aboutRun: readonly ScreenName[] = ["services", "service", "runs", "run"];

const moves: readonly (readonly [id: Move, keys: readonly string[], title: string])[] = [
  ["up", ["k", "up"], "Up"],
  ["down", ["j", "down"], "Down"],
  ["first", ["g", "home"], "To the first"],
  ["last", ["G", "end"], "To the last"],
  ["page-up", ["page-up", "ctrl-b"], "A page up"],
  ["page-down", ["page-down", "ctrl-f"], "A page down"],
];

/** Every action there is. */
export const actions: readonly Action[] = [
  {
    id: "service.new",
    keys: ["n"],
    title: "New service",
    category: "Service",
    on: ["services", "service", "runs"],
    hint: { word: "new", rank: 1 },
    run: ({ session }) => session.setUi((ui) => go(ui, { screen: "wizard" })),
  },
  {
    id: "service.open",
    keys: ["enter"],
    title: "Open the service",
    category: "Service",
    on: ["services"],
    hint: { word: "open", rank: 2 },
    disabledReason: noService,
    run: openService("overview"),
  },
  {
    id: "services.filter",
    keys: ["/"],
    title: "Filter the services",
    category: "Service",
    on: ["services"],
    hint: { word: "filter", rank: 4 },
    run: ({ session }) => session.setUi((ui) => ({ ...ui, filter: { ...ui.filter, editing: true } })),
  },
  {
    id: "services.sort",
    keys: ["s"],
    title: "Sort by need, name, age or last run",
    category: "Service",
    on: ["services"],
    run: ({ session }) => {
      const { sort } = session.ui();
      const following = serviceSorts[(serviceSorts.indexOf(sort) + 1) % serviceSorts.length] ?? "need";
      const words = {
        need: "what needs a person first",
        name: "name",
        age: "youngest first",
        run: "latest run first",
      };
      session.setUi((ui) => ({
        ...ui,
        sort: following,
        lists: { ...ui.lists, services: listStart },
        notice: { text: `sorted by ${words[following]}`, tone: "info" },
      }));
    },
  },
  ...(
    [
      ["service.describe", "d", "Describe the service", "overview"],
      ["service.logs", "l", "Logs of the service", "logs"],
      ["service.yaml", "y", "YAML of the service", "yaml"],
    ] as const
  ).map(
    ([id, key, title, tab]): Action => ({
      id,
      keys: [key],
      title,
      category: "Service",
      on: aboutService,
      disabledReason: noService,
      run: openService(tab),
      ...(tab === "logs" ? { hint: { word: "logs", rank: 5 } } : {}),
    }),
  ),
  {
    id: "service.next-tab",
    keys: ["tab", "right"],
    title: "Next tab",
    category: "Move",
    on: ["service"],
    unlisted: true,
    hint: { word: "next tab", rank: 1 },
    run: turnTab(1),
  },
  {
    id: "service.previous-tab",
    keys: ["shift-tab", "left"],
    title: "Previous tab",
    category: "Move",
    on: ["service"],
    unlisted: true,
    run: turnTab(-1),
  },
  ...serviceTabs.map(
    (tab, index): Action => ({
      id: `service.tab-${tab}`,
      keys: [String(index + 1)],
      title: `Tab ${tab}`,
      category: "Move",
      on: ["service"],
      unlisted: true,
      run: openService(tab),
    }),
  ),
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
  {
    id: "run.retry",
    keys: ["r"],
    title: "Retry: go on from the failed step",
    category: "Run",
    on: aboutRun,
    hint: { word: "retry", rank: 6 },
    disabledReason: noRetry,
    run: retry,
  },
  {
    id: "run.rollback",
    keys: ["b", "p"],
    title: "Roll back: see what goes and what stays, then choose",
    category: "Run",
    on: aboutRun,
    dangerous: true,
    hint: { word: "roll back", rank: 3 },
    disabledReason: noRollback,
    run: openRollback,
  },
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
  {
    id: "wizard.next",
    keys: ["enter"],
    title: "Next question; on the last page: create",
    category: "Wizard",
    on: ["wizard"],
    whileTyping: true,
    hint: {
      word: ({ session }) => (session.ui().wizard.question === "review" ? "create" : "next"),
      rank: 1,
    },
    disabledReason: ({ session }) => {
      const { wizard } = session.ui();
      if (wizard.question !== "review") {
        return problemOf(wizard, wizard.question, session.facts())?.text;
      }
      const { status, problem } = session.stores.plan.getState();
      if (status === "ready") return undefined;
      return status === "refused" ? problem : "the plan is still being made";
    },
    run: ({ session }) => {
      if (session.ui().wizard.question === "review") return session.create();
      session.setUi((ui) => ({ ...ui, wizard: next(ui.wizard, session.facts()), notice: undefined }));
      if (session.ui().wizard.question === "review") session.previewPlan();
    },
  },
  {
    id: "wizard.back",
    keys: ["shift-tab"],
    title: "Back to the question before; nothing typed is lost",
    category: "Wizard",
    on: ["wizard"],
    whileTyping: true,
    hint: { word: "back", rank: 2 },
    run: ({ session }) =>
      session.setUi((ui) => ({ ...ui, wizard: back(ui.wizard, session.facts()), notice: undefined })),
  },
  {
    id: "wizard.take",
    keys: ["tab"],
    title: "Take the suggestion",
    category: "Wizard",
    on: ["wizard"],
    whileTyping: true,
    disabledReason: ({ session }) => {
      const { wizard } = session.ui();
      return problemOf(wizard, wizard.question, session.facts())?.suggestion === undefined
        ? "there is nothing to take: enter goes on"
        : undefined;
    },
    run: ({ session }) =>
      session.setUi((ui) => ({
        ...ui,
        wizard: takeSuggestion(ui.wizard, session.facts()),
        notice: undefined,
      })),
  },
  {
    id: "wizard.preview",
    keys: ["ctrl-p"],
    title: "Straight to plan and effects",
    category: "Wizard",
    on: ["wizard"],
    whileTyping: true,
    hint: {
      word: ({ session }) => (session.ui().wizard.question === "review" ? undefined : "preview"),
      rank: 3,
    },
    run: ({ session }) => {
      session.setUi((ui) => ({ ...ui, wizard: preview(ui.wizard, session.facts()), notice: undefined }));
      if (session.ui().wizard.question === "review") session.previewPlan();
    },
  },
  {
    id: "wizard.clear",
    keys: ["ctrl-x"],
    title: "Start over with an empty form",
    category: "Wizard",
    on: ["wizard"],
    whileTyping: true,
    run: ({ session }) => session.setUi((ui) => ({ ...ui, wizard: newWizard, notice: undefined })),
  },
  {
    id: "wizard.leave",
    keys: ["esc"],
    title: "Leave; what was typed is kept as a draft",
    category: "Wizard",
    on: ["wizard"],
    whileTyping: true,
    hint: { word: "leave", rank: 4 },
    run: ({ session }) =>
      session.setUi((ui) => ({
        ...goBack(ui),
        notice: isTouched(ui.wizard)
          ? { text: "kept as a draft: n goes on with it", tone: "info" }
          : undefined,
      })),
  },
  {
    id: "context.use",
    keys: ["enter"],
    title: "Use the context",
    category: "App",
    on: ["contexts"],
    hint: { word: "use", rank: 1 },
    disabledReason: ({ session }) =>
      keyUnderCursor(session) === undefined ? "there is no context" : undefined,
    run: ({ session }) => {
      const name = keyUnderCursor(session);
      if (name !== undefined) session.changeContext(name);
    },
  },
  ...moves.map(
    ([kind, keys, title]): Action => ({
      id: `move.${kind}`,
      keys,
      title,
      category: "Move",
      on: lists,
      unlisted: true,
      run: move(kind),
    }),
  ),
  {
    id: "go.services",
    keys: ["H"],
    title: "Services",
    category: "Go",
    on: "everywhere",
    run: ({ session }) =>
      session.setUi((ui) => ({
        ...ui,
        stack: [{ screen: "services" }],
        notice: undefined,
        overlay: undefined,
      })),
  },
  {
    id: "go.runs",
    keys: ["R"],
    title: "Runs",
    category: "Go",
    on: "everywhere",
    hint: {
      word: ({ session }) => (placeOf(session.ui()).screen === "services" ? "runs" : undefined),
      rank: 8,
    },
    run: ({ session }) =>
      session.setUi((ui) => (placeOf(ui).screen === "runs" ? ui : go(ui, { screen: "runs" }))),
  },
  {
    id: "go.contexts",
    keys: ["C"],
    title: "Contexts",
    category: "Go",
    on: "everywhere",
    run: ({ session }) =>
      session.setUi((ui) => (placeOf(ui).screen === "contexts" ? ui : go(ui, { screen: "contexts" }))),
  },
  {
    id: "reload",
    keys: ["ctrl-r"],
    title: "Ask the cluster again",
    category: "App",
    on: "everywhere",
    run: ({ session }) => {
      session.reload();
      session.notify({ text: "asked again", tone: "info" });
    },
  },
  {
    id: "palette",
    keys: [":"],
    title: "Command palette",
    category: "App",
    on: "everywhere",
    unlisted: true,
    hint: { word: "command", rank: 9 },
    run: ({ session }) =>
      session.setUi((ui) => ({
        ...ui,
        overlay: { kind: "palette", entry: emptyEntry, cursor: 0 },
        notice: undefined,
      })),
  },
  {
    id: "help",
    keys: ["?"],
    title: "Help: every key",
    category: "App",
    on: "everywhere",
    hint: { word: "help", rank: 10 },
    run: ({ session }) =>
      session.setUi((ui) => ({ ...ui, overlay: { kind: "help", top: 0 }, notice: undefined })),
  },
  {
    id: "back",
    keys: ["esc", "q"],
    title: "Back; at home q leaves",
    category: "App",
    on: "everywhere",
    whileTyping: true,
    unlisted: true,
    hint: { word: ({ session }) => (session.ui().stack.length > 1 ? "back" : undefined), rank: 7 },
    run: (context) => {
      const { session } = context;
      const ui = session.ui();
      if (ui.stack.length > 1) return session.setUi(goBack);
      if (ui.filter.entry.text !== "") {
        return session.setUi((now) => ({ ...now, filter: { entry: emptyEntry, editing: false } }));
      }
      session.notify({ text: "q or ctrl-c twice leaves", tone: "info" });
    },
  },
  {
    id: "leave",
    keys: ["q"],
    title: "Leave the app",
    category: "App",
    on: ["services"],
    hint: { word: "leave", rank: 11 },
    run: ({ session }) => askBeforeLeaving(session),
  },
  {
    id: "stop",
    keys: ["ctrl-c"],
    title: "Stop a run of this terminal; twice: leave",
    category: "App",
    on: "everywhere",
    whileTyping: true,
    unlisted: true,
    dangerous: true,
    hint: { word: (context) => (ownRun(context) === undefined ? undefined : "stop"), rank: 2 },
    run: (context) => {
      const { session } = context;
      const ui = session.ui();
      const run = ownRun(context);
      if (run !== undefined) {
        return session.setUi((now) => ({ ...now, overlay: { kind: "stop-run", run, leaving: false } }));
      }
      const armed = ui.leaveArmedAt;
      if (armed !== undefined && session.now() - armed < 2_000) return askBeforeLeaving(session);
      session.setUi((now) => ({
        ...now,
        leaveArmedAt: session.now(),
        notice: { text: "ctrl-c again leaves", tone: "info" },
      }));
    },
  },
  {
    id: "suspend",
    keys: ["ctrl-z"],
    title: "Suspend; fg comes back",
    category: "App",
    on: "everywhere",
    whileTyping: true,
    run: ({ terminal }) => terminal.suspend(),
  },
  {
    id: "redraw",
    keys: ["ctrl-l"],
    title: "Draw the screen again",
    category: "App",
    on: "everywhere",
    whileTyping: true,
    run: ({ terminal }) => terminal.redraw(),
  },
];

/** Leaves, unless a run of this process is still going: then it asks what becomes of it. */
export function askBeforeLeaving(session: Session): void {
  const [run] = session.stores.openRuns.getState().own;
  if (run === undefined) void session.leave(0);
  else session.setUi((ui) => ({ ...ui, overlay: { kind: "stop-run", run, leaving: true } }));
}

/** The action a key means on a screen: the screen's own comes before one of everywhere. */
export function actionFor(key: string, screen: ScreenName): Action | undefined {
  const meant = actions.filter(({ keys }) => keys.includes(key));
  return (
    meant.find(({ on }) => on !== "everywhere" && on.includes(screen)) ??
    meant.find(({ on }) => on === "everywhere")
  );
}

/** The actions that can be meant on a screen. */
export function actionsOn(screen: ScreenName): readonly Action[] {
  return actions.filter(({ on }) => on === "everywhere" || on.includes(screen));
}
