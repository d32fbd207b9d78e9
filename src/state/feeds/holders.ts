import { atRest } from "../../provisioning/engine/decide.ts";
import type { RunName } from "../../provisioning/runs/run.ts";
import { runName } from "../../provisioning/runs/run-record.ts";
import { type Feed, poll } from "./feed.ts";
import { lookForHolder } from "./run.ts";

/** Runs whose holders are looked for at once: a look asks twice every half second, for as long as a lease lasts. */
const mostLookedFor = 10;

/** Milliseconds between two looks at the rows of services. */
const rowsMs = 5_000;

/** Who is looked for in which order: what is on the screen first, and of that who was not looked for the longest. */
export interface Turns {
  /** Those whose turn it is, of runs that seem to be at work. */
  next(runs: readonly RunName[], onScreen: ReadonlySet<string>): readonly RunName[];
}

/** Turns that begin with nobody looked for. */
export function takeTurns(most: number = mostLookedFor): Turns {
  const looked = new Map<RunName, number>();
  let looks = 0;
  return {
    next(runs, onScreen) {
      const rank = (run: RunName) => (onScreen.has(run) ? 0 : 1);
      const since = (run: RunName) => looked.get(run) ?? 0;
      const turn = runs
        .toSorted((one, other) => rank(one) - rank(other) || since(one) - since(other))
        .slice(0, most);
      looks += 1;
      for (const run of turn) looked.set(run, looks);
      return turn;
    },
  };
}

/**
 * Whether who executes the runs of the services on the screen lives: only of those whose rows say nothing new, since
 * news come from somebody who lives.
 */
export function feedHolders(onScreen: () => ReadonlySet<string>): Feed {
  return async (stores, useCases, signal) => {
    const turns = takeTurns();
    let before: ReadonlyMap<string, string> = new Map();
    await poll(useCases.clock, rowsMs, signal, async () => {
      const { own, holders } = stores.openRuns.getState();
      const shown = onScreen();
      const now = new Map<RunName, string>();
      for (const { lastRun, reason } of stores.fleet.getState().services) {
        if (lastRun === undefined || !shown.has(lastRun.name) || atRest(lastRun)) continue;
        now.set(runName(lastRun.name), `${lastRun.phase} ${reason}`);
      }
      const silent = [...now].flatMap(([run, said]) =>
        !own.includes(run) && (before.get(run) === said || holders[run] === "dead") ? [run] : [],
      );
      before = now;
      await Promise.all(turns.next(silent, shown).map((run) => lookForHolder(stores, useCases, run, signal)));
    });
  };
}
