import { atRest } from "../../provisioning/engine/decide.ts";
import { tellInOneLine } from "../problem.ts";
import { type Feed, poll } from "./feed.ts";
import { takeTurns } from "./holders.ts";
import { lookForHolder, tellHolder } from "./run.ts";

/**
 * All runs, newest first, asked for again every two seconds, or more seldom where that is much, while the screen shows
 * them; and whether who executes those at work lives.
 * @param onScreen - names of the runs whose rows are on the screen
 */
export function feedRuns(onScreen: () => ReadonlySet<string>): Feed {
  return async (stores, useCases, signal) => {
    const { provisioner, clock } = useCases;
    const states = poll(clock, 2_000, signal, async () => {
      try {
        const runs = await provisioner.list();
        if (!signal.aborted) stores.runs.setState({ status: "ready", runs, error: undefined });
      } catch (error) {
        if (!signal.aborted) stores.runs.setState({ error: tellInOneLine(error) });
      }
    });
    const turns = takeTurns();
    // A run that nobody works on any more must not be shown as going for ever.
    const holders = poll(clock, 3_000, signal, async () => {
      const { own, holders: known } = stores.openRuns.getState();
      const { runs } = stores.runs.getState();
      for (const run of runs)
        if (atRest(run) && known[run.name] !== undefined) tellHolder(stores, run.name, undefined);
      const atWork = runs.filter((run) => !atRest(run) && !own.includes(run.name));
      const turn = turns.next(
        atWork.map(({ name }) => name),
        onScreen(),
      );
      await Promise.all(turn.map((name) => lookForHolder(stores, useCases, name, signal)));
    });
    await Promise.all([states, holders]);
  };
}
