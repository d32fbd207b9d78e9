import { atRest } from "../../provisioning/engine/decide.ts";
import type { RunName, RunState } from "../../provisioning/runs/run.ts";
import { tellInOneLine } from "../problem.ts";
import type { Stores } from "../stores.ts";
import { type Throttle, throttle } from "../throttle.ts";
import { type Feed, repeat, storeIntervalMs, type UseCases } from "./feed.ts";

/** Puts a run's states into the store, at most twenty a second and always the last one. */
export function runWriter(
  stores: Stores,
  name: RunName,
): { readonly write: (state: RunState) => void; readonly flush: () => void } {
  let newest: RunState | undefined;
  const publish: Throttle = throttle(storeIntervalMs, () => {
    const state = newest;
    if (state === undefined) return;
    stores.openRuns.setState(({ states, errors }) => {
      const { [name]: _, ...otherErrors } = errors;
      return { states: { ...states, [name]: state }, errors: otherErrors };
    });
  });
  return {
    write: (state) => {
      newest = state;
      publish();
    },
    flush: () => publish.flush(),
  };
}

/** Milliseconds before a watch that ended is begun again. */
const againMs = 1_000;

/** Milliseconds between two looks at whether a run's holder lives. */
const holderMs = 5_000;

/** How long a run that was asked for may take until somebody executes it, in milliseconds. */
const takenWithinMs = 10_000;

/** One run as the cluster's record shows it, live: whoever executes it, and whether that one lives. */
export function feedRun(name: RunName): Feed {
  return async (stores, useCases, signal) => {
    await Promise.all([
      feedStates(name)(stores, useCases, signal),
      feedHolder(name)(stores, useCases, signal),
    ]);
  };
}

/** Whether who executes one of our runs lives, as long as it is at work. */
function feedHolder(name: RunName): Feed {
  return (stores, useCases, signal) =>
    repeat(useCases.clock, signal, async () => {
      const state = stores.openRuns.getState().states[name];
      if (state === undefined || atRest(state)) {
        tellHolder(stores, name, undefined);
        return againMs;
      }
      await lookForHolder(stores, useCases, name, signal);
      return holderMs;
    });
}

/** Tells in the store whether who executes a run lives. This may take as long as a lease lasts. */
export async function lookForHolder(
  stores: Stores,
  { cluster, clock, provisioner }: UseCases,
  name: RunName,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { livingHolder } = await import("../../provisioning/engine/heartbeat.ts");
    const living = (await livingHolder(cluster, clock, name)) !== undefined;
    // Who has brought the run to rest meanwhile is not missed; nor is who has just asked for it not yet there.
    const missed = living ? undefined : await provisioner.get(name);
    const young = clock.now().getTime() - Date.parse(missed?.requestedAt ?? "") < takenWithinMs;
    const gone = missed !== undefined && !atRest(missed) && !(missed.phase === "Pending" && young);
    if (!signal.aborted) tellHolder(stores, name, living ? "living" : gone ? "dead" : undefined);
  } catch {
    // Who cannot be asked about is neither: the run itself tells what is wrong with the connection.
    if (!signal.aborted) tellHolder(stores, name, undefined);
  }
}

/** Puts what is known of a run's holder into the store; undefined where nothing is. */
export function tellHolder(stores: Stores, name: RunName, holder: "living" | "dead" | undefined): void {
  if (stores.openRuns.getState().holders[name] === holder) return;
  stores.openRuns.setState(({ holders: { [name]: _, ...others } }) => ({
    holders: holder === undefined ? others : { ...others, [name]: holder },
  }));
}

function feedStates(name: RunName): Feed {
  return (stores, { provisioner, clock }, signal) => {
    const { write, flush } = runWriter(stores, name);
    return repeat(clock, signal, async () => {
      try {
        for await (const state of provisioner.watch(name, signal)) write(state);
        flush();
      } catch (error) {
        if (signal.aborted) return againMs;
        flush();
        stores.openRuns.setState(({ errors }) => ({ errors: { ...errors, [name]: tellInOneLine(error) } }));
      }
      return againMs;
    });
  };
}
