import type { RunName, RunState } from "../../provisioning/run.ts";
import { tellInOneLine } from "../problem.ts";
import type { Stores } from "../stores.ts";
import { type Throttle, throttle } from "../throttle.ts";
import { type Feed, repeat, storeIntervalMs } from "./feed.ts";

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

/** One run as the cluster's record shows it, live: whoever executes it. */
export function feedRun(name: RunName): Feed {
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
