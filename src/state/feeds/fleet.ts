import { followFleet } from "../../services/fleet.ts";
import type { Service } from "../../services/service.ts";
import { withDeadHolders } from "../dead-holders.ts";
import { tellInOneLine } from "../problem.ts";
import { type Feed, storeIntervalMs } from "./feed.ts";

/**
 * The dashboard's rows, live; and whether they are. Never asks again by itself what a watch already told. What is found
 * out about who executes runs is in the rows too.
 */
export const feedFleet: Feed = async (stores, { cluster, metrics, clock }, signal) => {
  let known: readonly Service[] = [];
  const rows = () => withDeadHolders(known, stores.openRuns.getState().holders);
  const unsubscribe = stores.openRuns.subscribe(({ holders }, before) => {
    if (holders !== before.holders) stores.fleet.setState({ services: rows() });
  });
  signal.addEventListener("abort", unsubscribe, { once: true });
  await followFleet(
    {
      cluster,
      metrics,
      clock,
      intervalMs: storeIntervalMs,
      onChange: ({ services, listed, freshness }) => {
        known = services;
        const { state, lastError } = freshness;
        const error = lastError === undefined ? undefined : tellInOneLine(lastError);
        stores.fleet.setState({ status: listed ? "ready" : "loading", services: rows(), error });
        stores.connection.setState(
          state === "stale" ? { state, error } : { state: "live", error: undefined },
        );
      },
    },
    signal,
  );
};
