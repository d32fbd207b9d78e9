import { type Operation, operationWords } from "../../provisioning/plan.ts";
import type { RunName, RunPhase, RunState, StepState } from "../../provisioning/runs/run.ts";
import { runName } from "../../provisioning/runs/run-record.ts";
import { type AboutService, aboutService, serviceText } from "../../provisioning/runs/service-of-run.ts";
import { notByRun } from "../../services/by-kubectl.ts";
import type { Service } from "../../services/service.ts";
import { keyUnderCursor } from "../../state/lists.ts";
import { areaOf } from "../../state/place.ts";
import { serviceAt } from "../../state/service-list.ts";
import type { RunSubject } from "../../state/session.ts";
import { go, placeOf } from "../../state/ui.ts";
import type { ActionContext } from "./action.ts";

/** Key of the service that a key of the keyboard is about: the one shown, or the one under the cursor. */
export function serviceOf({ session }: ActionContext): string | undefined {
  const place = placeOf(session.ui());
  if (place.screen === "service") return place.service;
  return place.screen === "services" ? keyUnderCursor(session) : undefined;
}

/** What the dashboard knows of the service that a key is about. */
export function rowOf(context: ActionContext): Service | undefined {
  return serviceAt(context.session.stores.fleet.getState().services, serviceOf(context));
}

/** A run as far as it is known here. */
export interface KnownRun extends RunSubject, AboutService {
  readonly operation: Operation;
  readonly phase: RunPhase;
  /** Its steps; none where only its name and phase are known. */
  readonly steps: readonly StepState[];
  readonly failure?: RunState["failure"];
  readonly holder?: string;
}

function known(run: RunState): KnownRun {
  return { ...run, title: titleOf(run) };
}

/** What a run does, as its screen is headed: `scale checkout`. */
export function titleOf(run: AboutService & { readonly operation: Operation }): string {
  return `${operationWords[run.operation].name} ${serviceText(run)}`;
}

/** The run a key is about: the one shown, the one under the cursor, or the newest one of the service. */
export function runOf(context: ActionContext): KnownRun | undefined {
  const { session } = context;
  const place = placeOf(session.ui());
  const { states } = session.stores.openRuns.getState();
  if (place.screen === "run" || place.screen === "log" || place.screen === "rollback") {
    const state = states[place.run];
    return state === undefined ? undefined : { ...known(state), title: place.title };
  }
  if (place.screen === "runs" || (place.screen === "service" && place.tab === "runs")) {
    const name = keyUnderCursor(session);
    const run = session.stores.runs.getState().runs.find((each) => each.name === name);
    return run === undefined ? undefined : known(run);
  }
  if (areaOf(place) === "releases") return runOfRelease(context);
  const service = rowOf(context);
  if (service?.lastRun === undefined) return undefined;
  const { name, phase, operation } = service.lastRun;
  const about = aboutService(service);
  return {
    name: runName(name),
    operation,
    phase,
    ...about,
    title: titleOf({ operation, ...about }),
    steps: [],
  };
}

function runOfRelease(context: ActionContext): KnownRun | undefined {
  const { of, releases } = context.session.stores.releases.getState();
  const number = keyUnderCursor(context.session);
  const release = releases.find((each) => String(each.number) === number);
  if (release === undefined) return undefined;
  const { run, operation } = release;
  return {
    name: run,
    operation,
    phase: "Succeeded",
    service: of,
    title: titleOf({ operation, service: of }),
    steps: [],
  };
}

/** Why nothing can be done with a service: none is marked. */
export const noService = (context: ActionContext) =>
  serviceOf(context) === undefined ? "no service is marked" : undefined;

/** Why no run changes or deletes the service that a key is about, and what to type instead. */
export function noRunOf(context: ActionContext, verb: "edit" | "delete"): string | undefined {
  const row = rowOf(context);
  return noService(context) ?? (row === undefined ? undefined : notByRun(row, verb));
}

/**
 * Whether this process executes the run. One that another process has left behind looks as if it was going; whether
 * its executor lives is asked of the cluster.
 */
export function isOwn({ session }: ActionContext, run: RunName): boolean {
  return session.stores.openRuns.getState().own.includes(run);
}

/** Goes to the run a key is about. */
export function openRun(context: ActionContext): void {
  const run = runOf(context);
  if (run === undefined) return;
  context.session.setUi((ui) => go(ui, { screen: "run", run: run.name, title: run.title }));
}

/** The run of this process that the screen shows. */
export function ownRun({ session }: ActionContext): RunName | undefined {
  const place = placeOf(session.ui());
  const shown = place.screen === "run" || place.screen === "log" ? place.run : undefined;
  return session.stores.openRuns.getState().own.find((each) => each === shown);
}
