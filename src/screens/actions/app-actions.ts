import type { RunName } from "../../provisioning/runs/run.ts";
import { keyUnderCursor } from "../../state/lists.ts";
import type { Session } from "../../state/session.ts";
import { emptyEntry } from "../../state/text-entry.ts";
import { filterOf, go, goBack, noFilter, placeOf, withFilter } from "../../state/ui.ts";
import type { Action } from "./action.ts";
import { ownRun, titleOf } from "./subject.ts";

/** Leaves, unless a run of this process is still going: then it asks what becomes of it. */
export function askBeforeLeaving(session: Session): void {
  const [run] = session.stores.openRuns.getState().own;
  if (run === undefined) void session.leave(0);
  else askToStop(session, run, true);
}

function askToStop(session: Session, run: RunName, leaving: boolean): void {
  const state = session.stores.openRuns.getState().states[run];
  const title = state === undefined ? "the run" : titleOf(state);
  session.setUi((ui) => ({ ...ui, overlay: { kind: "stop-run", run, title, leaving } }));
}

/** Back to where one came from. */
export const back: Action = {
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
    const { screen } = placeOf(ui);
    if (screen === "runs" && filterOf(ui, "runs").entry.text !== "") {
      return session.setUi((now) => withFilter(now, "runs", noFilter));
    }
    if (ui.stack.length > 1) return session.setUi(goBack);
    if (filterOf(ui, "services").entry.text !== "") {
      return session.setUi((now) => withFilter(now, "services", noFilter));
    }
    session.notify({ text: "q or ctrl-c twice leaves", tone: "info" });
  },
};

/** What works everywhere, and what one does with contexts. */
export const appActions: readonly Action[] = [
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
  back,
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
    run: (context) => {
      const { session } = context;
      const ui = session.ui();
      const run = ownRun(context);
      if (run !== undefined) {
        return askToStop(session, run, false);
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
