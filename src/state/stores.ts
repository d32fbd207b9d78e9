import { createStore, type StoreApi } from "zustand/vanilla";
import type { ApplicationSpec } from "../application/application.ts";
import type { ServiceChange } from "../application/change.ts";
import type { FieldChange } from "../application/spec-diff.ts";
import type { StoreOffers, StoreTerms } from "../provisioning/data-stores/terms.ts";
import type { Release } from "../provisioning/operations/releases.ts";
import type { CleanupPlan, Orphan } from "../provisioning/orphans/orphan.ts";
import type { Plan } from "../provisioning/plan.ts";
import type { RollbackPreview, RunName, RunState } from "../provisioning/runs/run.ts";
import type { Service } from "../services/service.ts";
import { firstUi, type Ui } from "./ui.ts";

/** Data from the cluster on its way to a screen. An error does not take away what was loaded before. */
export type Loading = "loading" | "ready";

/** The dashboard's rows. */
export interface Fleet {
  readonly status: Loading;
  readonly services: readonly Service[];
  readonly error: string | undefined;
}

/** Whether what is on the screen follows the cluster. */
export interface Connection {
  readonly context: string;
  readonly simulated: boolean;
  readonly state: "connecting" | "live" | "stale" | "failed";
  readonly error: string | undefined;
  /** Names of the standards' teams; empty until connected. */
  readonly teams: readonly string[];
  /** The data stores that the standards choose for new services; undefined until they are known. */
  readonly offers: StoreOffers | undefined;
}

export interface Runs {
  readonly status: Loading;
  readonly runs: readonly RunState[];
  readonly error: string | undefined;
}

/** Runs that are open on a screen or executed here, by name. */
export interface OpenRuns {
  readonly states: Readonly<Record<string, RunState>>;
  readonly errors: Readonly<Record<string, string>>;
  /** Runs that this process executes now. */
  readonly own: readonly RunName[];
  /** Runs that were asked for here and that the operator executes, or has executed. */
  readonly asked: readonly RunName[];
  /** Whether who executes a run elsewhere lives, by the run's name; left out while that is not known. */
  readonly holders: Readonly<Record<string, "living" | "dead">>;
  /** What a keypress has started and not yet shown: `Creating the run`. */
  readonly busy: string | undefined;
}

/** The plan on the last page of the wizard, of a change or of a deletion. */
export interface PlanPreview {
  readonly status: "none" | "loading" | "ready" | "refused";
  readonly plan: Plan | undefined;
  /** What it changes of the Application, field by field. */
  readonly diff: readonly FieldChange[];
  /** Data stores that it destroys and that are protected against deletion. */
  readonly protectedStores: readonly string[];
  /** Data stores that it makes. */
  readonly stores: readonly StoreTerms[];
  /** Objects that the plan writes. */
  readonly objects: number;
  readonly problem: string | undefined;
  readonly mend: string | undefined;
}

export interface RollbackPage {
  readonly status: "loading" | "ready" | "refused";
  readonly preview: RollbackPreview | undefined;
  readonly problem: string | undefined;
}

/** The service that a change is being filled in for. */
export interface Subject {
  /** Its name. */
  readonly of: string;
  readonly spec: ApplicationSpec | undefined;
  /** Parses what was filled in; undefined until it is loaded. */
  readonly parse: ((draft: unknown) => ServiceChange | string) | undefined;
  readonly error: string | undefined;
}

/** The releases of a service, newest first. */
export interface Releases {
  /** The service's key. */
  readonly of: string;
  readonly status: Loading;
  readonly releases: readonly Release[];
  readonly error: string | undefined;
}

/** What no living run or service accounts for. */
export interface OrphansPage {
  readonly status: Loading;
  readonly found: readonly Orphan[];
  /** What could not be looked at. */
  readonly unseen: readonly string[];
  readonly error: string | undefined;
}

/** What the deletion of an orphan would do. */
export interface CleanupPage {
  readonly status: "loading" | "ready" | "refused";
  readonly plan: CleanupPlan | undefined;
  readonly problem: string | undefined;
}

/** One row of a service's tab. */
export interface DetailRow {
  readonly key: string;
  readonly cells: readonly string[];
  readonly tone: "plain" | "good" | "warn" | "bad" | "dim";
}

/** What a service's tab shows. */
export interface Detail {
  /** `key/tab` of the service that the rest is of. */
  readonly of: string;
  readonly status: Loading;
  readonly rows: readonly DetailRow[];
  readonly error: string | undefined;
}

export interface Contexts {
  readonly status: Loading;
  readonly names: readonly string[];
  readonly error: string | undefined;
}

/** Time as the screens show it, and the spinner's frame; both change only while something visible needs them. */
export interface Ticking {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly frame: number;
}

/** All stores. Screens subscribe to them, feeds and the session write them. */
export interface Stores {
  readonly ui: StoreApi<Ui>;
  readonly fleet: StoreApi<Fleet>;
  readonly connection: StoreApi<Connection>;
  readonly runs: StoreApi<Runs>;
  readonly openRuns: StoreApi<OpenRuns>;
  readonly plan: StoreApi<PlanPreview>;
  readonly rollback: StoreApi<RollbackPage>;
  readonly subject: StoreApi<Subject>;
  readonly releases: StoreApi<Releases>;
  readonly orphans: StoreApi<OrphansPage>;
  readonly cleanup: StoreApi<CleanupPage>;
  readonly detail: StoreApi<Detail>;
  readonly contexts: StoreApi<Contexts>;
  readonly ticking: StoreApi<Ticking>;
}

export const noPlan: PlanPreview = {
  status: "none",
  plan: undefined,
  diff: [],
  protectedStores: [],
  stores: [],
  objects: 0,
  problem: undefined,
  mend: undefined,
};

/** Stores as they are before anything has answered. */
export function createStores(start: {
  readonly context: string;
  readonly simulated: boolean;
  readonly now: number;
}): Stores {
  return {
    ui: createStore<Ui>()(() => firstUi),
    fleet: createStore<Fleet>()(() => ({ status: "loading", services: [], error: undefined })),
    connection: createStore<Connection>()(() => ({
      context: start.context,
      simulated: start.simulated,
      state: "connecting",
      error: undefined,
      teams: [],
      offers: undefined,
    })),
    runs: createStore<Runs>()(() => ({ status: "loading", runs: [], error: undefined })),
    openRuns: createStore<OpenRuns>()(() => ({
      states: {},
      errors: {},
      own: [],
      asked: [],
      holders: {},
      busy: undefined,
    })),
    plan: createStore<PlanPreview>()(() => noPlan),
    rollback: createStore<RollbackPage>()(() => ({
      status: "loading",
      preview: undefined,
      problem: undefined,
    })),
    subject: createStore<Subject>()(() => ({
      of: "",
      spec: undefined,
      parse: undefined,
      error: undefined,
    })),
    releases: createStore<Releases>()(() => ({ of: "", status: "loading", releases: [], error: undefined })),
    orphans: createStore<OrphansPage>()(() => ({
      status: "loading",
      found: [],
      unseen: [],
      error: undefined,
    })),
    cleanup: createStore<CleanupPage>()(() => ({ status: "loading", plan: undefined, problem: undefined })),
    detail: createStore<Detail>()(() => ({ of: "", status: "loading", rows: [], error: undefined })),
    contexts: createStore<Contexts>()(() => ({ status: "loading", names: [], error: undefined })),
    ticking: createStore<Ticking>()(() => ({ now: start.now, frame: 0 })),
  };
}
