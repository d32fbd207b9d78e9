import type { DataStoreChoice } from "../provisioning/provisioner.ts";
import type { RunName } from "../provisioning/runs/run.ts";
import type { ChangeForm } from "./change.ts";
import type { ListPosition } from "./list.ts";
import type { Place, ScreenName } from "./place.ts";
import { emptyEntry, type TextEntry } from "./text-entry.ts";
import { newWizard, type WizardState } from "./wizard.ts";

export const serviceSorts = ["need", "name", "age", "run"] as const;
/** `need`: what needs a person first. */
export type ServiceSort = (typeof serviceSorts)[number];

/** What lies over the screen and takes the keys first. */
export type Overlay =
  | { readonly kind: "help"; readonly top: number }
  | { readonly kind: "palette"; readonly entry: TextEntry; readonly cursor: number }
  /** A run is going, here or elsewhere: go on, cancel, roll back. */
  | { readonly kind: "stop-run"; readonly run: RunName; readonly title: string; readonly leaving: boolean }
  /** Another run is in the way of what was asked for: watch it, wait for it, or take it over. */
  | {
      readonly kind: "other-run";
      readonly run: RunName;
      /** What was asked for: `scale checkout`. */
      readonly wanted: string;
      /** Whether it begins by itself once the other run has come to rest. */
      readonly waiting: boolean;
    };

/** The line above the key hints: what the last key did, or why it did nothing. */
export interface Notice {
  readonly text: string;
  readonly tone: "info" | "warn" | "error";
}

/** What a list is filtered by, and whether it is being typed. */
export interface Filter {
  readonly entry: TextEntry;
  readonly editing: boolean;
}

export const noFilter: Filter = { entry: emptyEntry, editing: false };

/** Everything about the screens that is not the cluster's: where one is, what is typed, what is marked. */
export interface Ui {
  readonly columns: number;
  readonly rows: number;
  /** Never empty; the last one is shown. */
  readonly stack: readonly [Place, ...Place[]];
  readonly overlay: Overlay | undefined;
  readonly notice: Notice | undefined;
  readonly lists: Readonly<Record<string, ListPosition>>;
  /** By screen; left out where nothing was ever typed. */
  readonly filters: Readonly<Partial<Record<ScreenName, Filter>>>;
  readonly sort: ServiceSort;
  readonly wizard: WizardState;
  /** The change being filled in. */
  readonly change: ChangeForm | undefined;
  /** The release of a service that its others are compared with; left out: the one that runs. */
  readonly markedRelease: { readonly service: string; readonly number: number } | undefined;
  /** The service's name, typed to confirm what destroys something. */
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
  filters: {},
  sort: "need",
  wizard: newWizard,
  change: undefined,
  markedRelease: undefined,
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

/** What the list of a screen is filtered by. */
export function filterOf({ filters }: Pick<Ui, "filters">, screen: ScreenName): Filter {
  return filters[screen] ?? noFilter;
}

/** The ui with a screen's list filtered. */
export function withFilter(ui: Ui, screen: ScreenName, filter: Filter): Ui {
  return { ...ui, filters: { ...ui.filters, [screen]: filter } };
}

/** The ui at a further place. */
export function go(ui: Ui, place: Place): Ui {
  return { ...ui, stack: [...ui.stack, place], notice: undefined, overlay: undefined, choice: 0 };
}

/** The ui at the form of a change, or at a deletion, with nothing filled in or confirmed yet. */
export function goToReview(ui: Ui, place: Place): Ui {
  return { ...go(ui, place), change: undefined, confirmation: emptyEntry, dataStores: "keep" };
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
