import { followFleet } from "../../services/fleet.ts";
import { tellInOneLine } from "../problem.ts";
import { type Feed, storeIntervalMs } from "./feed.ts";

/** The dashboard's rows, live; and whether they are. Never asks again by itself what a watch already told. */
export const feedFleet: Feed = (stores, { cluster, metrics, clock }, signal) =>
  followFleet(
    {
      cluster,
      metrics,
      clock,
      intervalMs: storeIntervalMs,
      onChange: ({ services, listed, freshness }) => {
        const { state, lastError } = freshness;
        const error = lastError === undefined ? undefined : tellInOneLine(lastError);
        stores.fleet.setState({ status: listed ? "ready" : "loading", services, error });
        stores.connection.setState(
          state === "stale" ? { state, error } : { state: "live", error: undefined },
        );
      },
    },
    signal,
  );
