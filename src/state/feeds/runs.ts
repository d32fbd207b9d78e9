import { atRest } from "../../provisioning/decide.ts";
import { tellInOneLine } from "../problem.ts";
import { type Feed, poll } from "./feed.ts";
import { lookForHolder, tellHolder } from "./run.ts";

/** Runs that seem to be at work and whose holders are looked for at once; where there are more, in turn. */
const mostLookedFor = 10;

/** All runs, newest first, asked for again every two seconds, or more seldom where that is much, while the screen shows them. */
export const feedRuns: Feed = async (stores, useCases, signal) => {
  const { provisioner, clock } = useCases;
  const states = poll(clock, 2_000, signal, async () => {
    try {
      const runs = await provisioner.list();
      if (!signal.aborted) stores.runs.setState({ status: "ready", runs, error: undefined });
    } catch (error) {
      if (!signal.aborted) stores.runs.setState({ error: tellInOneLine(error) });
    }
  });
  let next = 0;
  // A run that nobody works on any more must not be shown as going for ever.
  const holders = poll(clock, 3_000, signal, async () => {
    const { own, holders: known } = stores.openRuns.getState();
    const { runs } = stores.runs.getState();
    for (const run of runs)
      if (atRest(run) && known[run.name] !== undefined) tellHolder(stores, run.name, undefined);
    const atWork = runs.filter((run) => !atRest(run) && !own.includes(run.name));
    const turn = [...atWork.slice(next), ...atWork.slice(0, next)].slice(0, mostLookedFor);
    next = atWork.length > mostLookedFor ? (next + mostLookedFor) % atWork.length : 0;
    await Promise.all(turn.map(({ name }) => lookForHolder(stores, useCases, name, signal)));
  });
  await Promise.all([states, holders]);
};
