import { createStore, type StoreApi } from "zustand/vanilla";
import type { Plan } from "../provisioning/plan.ts";
import type { RollbackPreview, RunName, RunState } from "../provisioning/run.ts";
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
  /** What a keypress has started and not yet shown: `Creating the run`. */
  readonly busy: string | undefined;
}

/** The plan on the wizard's last page. */
export interface PlanPreview {
  readonly status: "none" | "loading" | "ready" | "refused";
  readonly plan: Plan | undefined;
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

/** One row of a service's tab. */
export interface DetailRow {
  readonly key: string;
  readonly cells: readonly string[];
  readonly tone: "plain" | "good" | "warn" | "bad" | "dim";
}

/** What a service's tab shows. */
export interface Detail {
  /** `service/tab` that the rest is of. */
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
  readonly detail: StoreApi<Detail>;
  readonly contexts: StoreApi<Contexts>;
  readonly ticking: StoreApi<Ticking>;
}

export const noPlan: PlanPreview = {
  status: "none",
  plan: undefined,
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
    })),
    runs: createStore<Runs>()(() => ({ status: "loading", runs: [], error: undefined })),
    openRuns: createStore<OpenRuns>()(() => ({ states: {}, errors: {}, own: [], busy: undefined })),
    plan: createStore<PlanPreview>()(() => noPlan),
    rollback: createStore<RollbackPage>()(() => ({
      status: "loading",
      preview: undefined,
      problem: undefined,
    })),
    detail: createStore<Detail>()(() => ({ of: "", status: "loading", rows: [], error: undefined })),
    contexts: createStore<Contexts>()(() => ({ status: "loading", names: [], error: undefined })),
    ticking: createStore<Ticking>()(() => ({ now: start.now, frame: 0 })),
  };
}
