import type { DataStoreChoice } from "../provisioning/provisioner.ts";
import type { RunName } from "../provisioning/run.ts";
import type { ListPosition } from "./list.ts";
import type { Place } from "./place.ts";
import { emptyEntry, type TextEntry } from "./text-entry.ts";
import { newWizard, type WizardState } from "./wizard.ts";

export const serviceSorts = ["need", "name", "age", "run"] as const;
/** `need`: what needs a person first. */
export type ServiceSort = (typeof serviceSorts)[number];

/** What lies over the screen and takes the keys first. */
export type Overlay =
  | { readonly kind: "help"; readonly top: number }
  | { readonly kind: "palette"; readonly entry: TextEntry; readonly cursor: number }
  /** A run of this process is going: go on, roll back, or leave it resumable. */
  | { readonly kind: "stop-run"; readonly run: RunName; readonly leaving: boolean };

/** The line above the key hints: what the last key did, or why it did nothing. */
export interface Notice {
  readonly text: string;
  readonly tone: "info" | "warn" | "error";
}

/** Everything about the screens that is not the cluster's: where one is, what is typed, what is marked. */
export interface Ui {
  readonly columns: number;
  readonly rows: number;
  /** Never empty; the last one is shown. */
  readonly stack: readonly [Place, ...Place[]];
  readonly overlay: Overlay | undefined;
  readonly notice: Notice | undefined;
  readonly lists: Readonly<Record<string, ListPosition>>;
  readonly filter: { readonly entry: TextEntry; readonly editing: boolean };
  readonly sort: ServiceSort;
  readonly wizard: WizardState;
  /** The service's name, typed to confirm a rollback that destroys data. */
  readonly confirmation: TextEntry;
  readonly dataStores: DataStoreChoice;
  /** What the lower half of the run screen shows. */
  readonly runPane: "log" | "effects";
  /** Which of a held run's choices is marked. */
  readonly choice: number;
  /** Milliseconds since the epoch of a first ctrl-c that waits for its second. */
  readonly leaveArmedAt: number | undefined;
}

export const firstUi: Ui = {
  columns: 80,
  rows: 24,
  stack: [{ screen: "services" }],
  overlay: undefined,
  notice: undefined,
  lists: {},
  filter: { entry: emptyEntry, editing: false },
  sort: "need",
  wizard: newWizard,
  confirmation: emptyEntry,
  dataStores: "keep-used",
  runPane: "log",
  choice: 0,
  leaveArmedAt: undefined,
};

/** The place that is shown. */
export function placeOf(ui: Pick<Ui, "stack">): Place {
  return ui.stack.at(-1) ?? ui.stack[0];
}

/** The ui at a further place. */
export function go(ui: Ui, place: Place): Ui {
  return { ...ui, stack: [...ui.stack, place], notice: undefined, overlay: undefined, choice: 0 };
}

/** The ui with the shown place replaced: a tab, or the run that a wizard became. */
export function replacePlace(ui: Ui, place: Place): Ui {
  const below = ui.stack.slice(0, -1);
  const [first, ...rest] = below;
  return {
    ...ui,
    stack: first === undefined ? [place] : [first, ...rest, place],
    notice: undefined,
    choice: 0,
  };
}

/** The ui one place back; at home it stays. */
export function goBack(ui: Ui): Ui {
  const [first, ...rest] = ui.stack;
  return { ...ui, stack: [first, ...rest.slice(0, -1)], notice: undefined, choice: 0 };
}
