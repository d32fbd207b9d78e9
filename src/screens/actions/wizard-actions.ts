import { goBack } from "../../state/ui.ts";
import { back, isTouched, newWizard, next, preview, problemOf, takeSuggestion } from "../../state/wizard.ts";
import type { Action } from "./action.ts";

/** What one does in the wizard beside typing. */
export const wizardActions: readonly Action[] = [
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
];
