import { serviceNameSchema } from "../../application/names.ts";
import { hasOwnNamespace } from "../../application/service-ref.ts";
import { serviceOfKey } from "../../services/service.ts";
import { tellInOneLine } from "../problem.ts";
import { type Feed, poll } from "./feed.ts";

/**
 * The releases of a service, newest first, asked for again every two seconds while the screen shows them. What shares
 * its namespace has none: runs make them.
 */
export function feedReleases(service: string): Feed {
  return async (stores, { provisioner, clock }, signal) => {
    const { releases } = stores;
    if (!hasOwnNamespace(serviceOfKey(service))) {
      releases.setState({ of: service, status: "ready", releases: [], error: undefined });
      return;
    }
    if (releases.getState().of !== service) {
      releases.setState({ of: service, status: "loading", releases: [], error: undefined });
    }
    const name = serviceNameSchema.parse(service);
    await poll(clock, 2_000, signal, async () => {
      try {
        const found = await provisioner.releases(name);
        if (!signal.aborted) releases.setState({ status: "ready", releases: found, error: undefined });
      } catch (error) {
        if (!signal.aborted) releases.setState({ error: tellInOneLine(error) });
      }
    });
  };
}
