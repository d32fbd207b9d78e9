import { tellInOneLine } from "../problem.ts";
import { type Feed, poll } from "./feed.ts";

/** Milliseconds between two sweeps: each looks at the whole cluster. */
const sweepMs = 15_000;

/** What no living run or service accounts for, looked for again while the screen shows it. */
export const feedOrphans: Feed = (stores, { provisioner, clock }, signal) =>
  poll(clock, sweepMs, signal, async () => {
    try {
      const { found, unseen } = await provisioner.orphans.find({ signal });
      if (!signal.aborted) stores.orphans.setState({ status: "ready", found, unseen, error: undefined });
    } catch (error) {
      if (!signal.aborted) stores.orphans.setState({ error: tellInOneLine(error) });
    }
  });

/** What the deletion of an orphan would do. */
export function feedCleanup(orphan: string): Feed {
  return async ({ cleanup }, { provisioner }, signal) => {
    cleanup.setState({ status: "loading", plan: undefined, problem: undefined });
    try {
      const [plan] = await provisioner.orphans.planDelete([orphan]);
      if (!signal.aborted) cleanup.setState({ status: "ready", plan, problem: undefined });
    } catch (error) {
      if (!signal.aborted) {
        cleanup.setState({ status: "refused", plan: undefined, problem: tellInOneLine(error) });
      }
    }
  };
}
