import { keyUnderCursor } from "../../state/lists.ts";
import { nameToType } from "../../state/reviews.ts";
import { emptyEntry } from "../../state/text-entry.ts";
import { go, placeOf } from "../../state/ui.ts";
import type { Action, ActionContext } from "./action.ts";

/** The orphan under the cursor. */
function marked({ session }: ActionContext) {
  const name = keyUnderCursor(session);
  return session.stores.orphans.getState().found.find((orphan) => orphan.name === name);
}

const noOrphan = (context: ActionContext) =>
  marked(context) === undefined ? "no orphan is marked" : undefined;

/** What one does with orphans: adopt them, or delete them after a look at what goes. */
export const orphanActions: readonly Action[] = [
  {
    id: "go.orphans",
    keys: ["O"],
    title: "Orphans: what no run or service accounts for",
    category: "Go",
    on: "everywhere",
    run: ({ session }) =>
      session.setUi((ui) => (placeOf(ui).screen === "orphans" ? ui : go(ui, { screen: "orphans" }))),
  },
  {
    id: "orphan.adopt",
    keys: ["a"],
    title: "Adopt: its service accounts for it from now on",
    category: "Service",
    on: ["orphans"],
    hint: { word: "adopt", rank: 1 },
    disabledReason: noOrphan,
    run: (context) => {
      const orphan = marked(context);
      if (orphan !== undefined) context.session.adopt(orphan.name);
    },
  },
  {
    id: "orphan.delete",
    keys: ["ctrl-d"],
    title: "Delete, after a look at what goes with it",
    category: "Service",
    on: ["orphans"],
    dangerous: true,
    hint: { word: "delete", rank: 2 },
    disabledReason: noOrphan,
    run: (context) => {
      const orphan = marked(context);
      if (orphan === undefined) return;
      const { name, service } = orphan;
      context.session.setUi((ui) => ({
        ...go(ui, { screen: "cleanup", orphan: name, service }),
        confirmation: emptyEntry,
      }));
    },
  },
  {
    id: "cleanup.confirm",
    keys: ["enter"],
    title: "Delete it now",
    category: "Service",
    on: ["cleanup"],
    whileTyping: true,
    dangerous: true,
    hint: { word: "delete", rank: 1 },
    disabledReason: ({ session }) => {
      const { status, problem } = session.stores.cleanup.getState();
      if (status !== "ready") return problem ?? "the preview is still being made";
      const name = nameToType(session.stores);
      if (name === undefined || session.ui().confirmation.text === name) return undefined;
      return `this destroys data: type ${name} first`;
    },
    run: ({ session }) => session.carryOut(),
  },
];
