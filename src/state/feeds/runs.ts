import { tellInOneLine } from "../problem.ts";
import { type Feed, poll } from "./feed.ts";

/** All runs, newest first, asked for again every two seconds, or more seldom where that is much, while the screen shows them. */
export const feedRuns: Feed = (stores, { provisioner, clock }, signal) =>
  poll(clock, 2_000, signal, async () => {
    try {
      const runs = await provisioner.list();
      if (!signal.aborted) stores.runs.setState({ status: "ready", runs, error: undefined });
    } catch (error) {
      if (!signal.aborted) stores.runs.setState({ error: tellInOneLine(error) });
    }
  });
