import { type ChangeKind, formProblem, takeFieldSuggestion } from "../../state/change.ts";
import type { Area } from "../../state/place.ts";
import { asksAboutDataStores, nameToType } from "../../state/reviews.ts";
import { emptyEntry } from "../../state/text-entry.ts";
import { goBack, goToReview, placeOf } from "../../state/ui.ts";
import type { Action, ActionContext } from "./action.ts";
import { noRunOf, rowOf, serviceOf } from "./subject.ts";

const aboutService: readonly Area[] = ["services", "service", "releases"];

/** Why a service cannot be changed from here. */
function noApplication(context: ActionContext): string | undefined {
  const missing = rowOf(context) === undefined ? `there is no service ${serviceOf(context)}` : undefined;
  return noRunOf(context, "edit") ?? missing;
}

function open(kind: ChangeKind, step?: 1 | -1): (context: ActionContext) => void {
  return (context) => {
    const service = serviceOf(context);
    if (service === undefined) return;
    const stepped = step === undefined ? {} : { step };
    context.session.setUi((ui) => goToReview(ui, { screen: "change", service, kind, ...stepped }));
  };
}

/** Why the last page cannot be carried out yet. */
function notReady({ session }: ActionContext): string | undefined {
  const plan = session.stores.plan.getState();
  if (plan.status === "refused") return plan.problem;
  if (plan.status !== "ready") return "the plan is still being made";
  const name = nameToType(session.stores);
  if (name === undefined || session.ui().confirmation.text === name) return undefined;
  return `type ${name} first`;
}

/** Why the form cannot be gone on with. */
function notFilledIn({ session }: ActionContext): string | undefined {
  const { change } = session.ui();
  const { error } = session.stores.subject.getState();
  if (change === undefined) return error ?? "the service is still being read";
  return formProblem(change)?.text;
}

/** Whether the last page of a change is shown. */
function isReview({ session }: ActionContext): boolean {
  return session.ui().change?.review === true;
}

function toReview({ session }: ActionContext): void {
  session.setUi((ui) => ({
    ...ui,
    ...(ui.change === undefined ? {} : { change: { ...ui.change, review: true } }),
    confirmation: emptyEntry,
    notice: undefined,
  }));
  session.previewPlan();
}

function leave({ session }: ActionContext): void {
  session.setUi(goBack);
}

/** Scale, deploy, set and delete: what changes a service that exists. */
export const changeActions: readonly Action[] = [
  {
    id: "service.scale",
    keys: ["+"],
    title: "Scale the service up, or to any number",
    category: "Service",
    on: aboutService,
    hint: {
      word: ({ session }) => (placeOf(session.ui()).screen === "service" ? "scale" : undefined),
      rank: 6,
    },
    disabledReason: noApplication,
    run: open("scale", 1),
  },
  {
    id: "service.scale-down",
    keys: ["-"],
    title: "Scale the service down",
    category: "Service",
    on: aboutService,
    disabledReason: noApplication,
    run: open("scale", -1),
  },
  {
    id: "service.deploy",
    keys: ["i"],
    title: "Deploy an image, by its digest",
    category: "Service",
    on: aboutService,
    disabledReason: noApplication,
    run: open("deploy"),
  },
  {
    id: "service.set",
    keys: ["e"],
    title: "Set resources, alerts, database and cache",
    category: "Service",
    on: aboutService,
    disabledReason: noApplication,
    run: open("set"),
  },
  {
    id: "service.delete",
    keys: ["ctrl-d"],
    title: "Delete the service",
    category: "Service",
    on: aboutService,
    dangerous: true,
    disabledReason: (context) => noRunOf(context, "delete"),
    run: (context) => {
      const service = serviceOf(context);
      if (service === undefined) return;
      context.session.setUi((ui) => goToReview(ui, { screen: "delete", service }));
      context.session.previewPlan();
    },
  },
  {
    id: "change.next",
    keys: ["enter"],
    title: "See what it changes; on the last page: do it",
    category: "Service",
    on: ["change"],
    whileTyping: true,
    hint: {
      word: (context) => (isReview(context) ? (context.session.ui().change?.kind ?? "") : "see what changes"),
      rank: 1,
    },
    disabledReason: (context) => (isReview(context) ? notReady(context) : notFilledIn(context)),
    run: (context) => (isReview(context) ? context.session.carryOut() : toReview(context)),
  },
  {
    id: "change.take",
    keys: ["tab"],
    title: "Take the suggestion, or turn what becomes of data stores",
    category: "Service",
    on: ["change", "delete"],
    whileTyping: true,
    hint: { word: ({ session }) => (asksAboutDataStores(session.ui()) ? "data stores" : undefined), rank: 2 },
    disabledReason: ({ session }) => {
      const ui = session.ui();
      if (asksAboutDataStores(ui) || ui.change?.kind === "scale") return undefined;
      return "there is nothing to take";
    },
    run: ({ session }) => {
      const ui = session.ui();
      if (ui.change !== undefined && !ui.change.review) {
        const change = takeFieldSuggestion(ui.change);
        return session.setUi((now) => ({ ...now, change }));
      }
      const dataStores = ui.dataStores === "delete" ? "keep" : "delete";
      session.setUi((now) => ({ ...now, dataStores, confirmation: emptyEntry, notice: undefined }));
      session.previewPlan();
    },
  },
  {
    id: "change.back",
    keys: ["shift-tab"],
    title: "Back to the form; nothing typed is lost",
    category: "Service",
    on: ["change"],
    whileTyping: true,
    hint: { word: (context) => (isReview(context) ? "back" : undefined), rank: 3 },
    disabledReason: (context) => (isReview(context) ? undefined : "this is the form"),
    run: ({ session }) =>
      session.setUi((ui) => ({
        ...ui,
        ...(ui.change === undefined ? {} : { change: { ...ui.change, review: false } }),
        notice: undefined,
      })),
  },
  {
    id: "change.leave",
    keys: ["esc"],
    title: "Leave; nothing is changed",
    category: "Service",
    on: ["change", "delete", "cleanup"],
    whileTyping: true,
    hint: { word: "leave", rank: 4 },
    run: leave,
  },
  {
    id: "delete.confirm",
    keys: ["enter"],
    title: "Delete it now",
    category: "Service",
    on: ["delete"],
    whileTyping: true,
    dangerous: true,
    hint: { word: "delete", rank: 1 },
    disabledReason: notReady,
    run: ({ session }) => session.carryOut(),
  },
];
