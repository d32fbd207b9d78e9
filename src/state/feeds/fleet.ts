import { listServices } from "../../services/list.ts";
import { tellInOneLine } from "../problem.ts";
import { type Feed, repeat } from "./feed.ts";

/** The dashboard's rows. */
export const feedFleet: Feed = (stores, { cluster, metrics, clock }, signal) =>
  repeat(clock, 2_000, signal, async () => {
    try {
      const services = await listServices(cluster, metrics, { signal });
      if (signal.aborted) return;
      stores.fleet.setState({ status: "ready", services, error: undefined });
      stores.connection.setState({ state: "live", error: undefined });
    } catch (error) {
      if (signal.aborted) return;
      stores.connection.setState({ state: "stale", error: tellInOneLine(error) });
      stores.fleet.setState({ error: tellInOneLine(error) });
    }
  });
