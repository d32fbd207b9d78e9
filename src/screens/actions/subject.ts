import type { RunName, RunPhase } from "../../provisioning/run.ts";
import { runName } from "../../provisioning/run-record.ts";
import type { LastRun } from "../../services/service.ts";
import { keyUnderCursor } from "../../state/lists.ts";
import type { Session } from "../../state/session.ts";
import { go, placeOf } from "../../state/ui.ts";
import type { ActionContext } from "./action.ts";

/** The service a key is about: the one shown, or the one under the cursor. */
export function serviceOf({ session }: ActionContext): string | undefined {
  const place = placeOf(session.ui());
  if (place.screen === "service") return place.service;
  return place.screen === "services" ? keyUnderCursor(session) : undefined;
}

/** The run a key is about, as far as it is known. */
export function runOf(
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
  const marked = serviceOf(context);
  const service = session.stores.fleet.getState().services.find(({ name }) => name === marked);
  if (service?.lastRun === undefined) return undefined;
  return newestRun(service.name, service.lastRun);
}

/** Why nothing can be done with a service: none is marked. */
export const noService = (context: ActionContext) =>
  serviceOf(context) === undefined ? "no service is marked" : undefined;

/** Why the run cannot be rolled back now. */
export function noRollback(context: ActionContext): string | undefined {
  const run = runOf(context);
  if (run === undefined) return noService(context) ?? "no run of it is known";
  switch (run.phase) {
    case "RolledBack":
      return "this run is rolled back already";
    case "RollingBack":
    case "Running":
      return isOwn(context, run.name) ? "the run is still going: ctrl-c stops it first" : undefined;
    default:
      return undefined;
  }
}

/** Why the run cannot go on now. */
export function noRetry(context: ActionContext): string | undefined {
  const run = runOf(context);
  if (run === undefined) return noService(context) ?? "no run of it is known";
  switch (run.phase) {
    case "Held":
    case "Interrupted":
      return undefined;
    case "Running":
    case "Pending":
      return isOwn(context, run.name) ? "the run is still going" : undefined;
    default:
      return "only a held or interrupted run can go on";
  }
}

/**
 * Whether this process executes the run. One that another process has left behind looks as if it was going; whether
 * its executor lives is asked of the cluster when a person wants to take it over.
 */
function isOwn({ session }: ActionContext, run: RunName): boolean {
  return session.stores.openRuns.getState().own.includes(run);
}

/** Goes to the run a key is about. */
export function openRun(context: ActionContext): void {
  const run = runOf(context);
  if (run === undefined) return;
  const { session } = context;
  session.setUi((ui) => go(ui, { screen: "run", run: run.name, title: run.title }));
}

/** Whether a run waits for a person to choose. */
export function isHeld(session: Session, run: RunName): boolean {
  return session.stores.openRuns.getState().states[run]?.phase === "Held";
}

/** The run of this process that the screen shows. */
export function ownRun({ session }: ActionContext): RunName | undefined {
  const place = placeOf(session.ui());
  const shown = place.screen === "run" || place.screen === "log" ? place.run : undefined;
  return session.stores.openRuns.getState().own.find((each) => each === shown);
}

function newestRun(service: string, { name, phase, operation }: LastRun) {
  return { name: runName(name), phase, service, title: `${operation} ${service}` };
}
