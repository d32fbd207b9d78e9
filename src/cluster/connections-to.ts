import type { MakeConnections } from "./connections.ts";
import { directConnections } from "./direct-connections.ts";
import type { Endpoint } from "./endpoint.ts";

/** Connections to an endpoint, through its proxy where it has one. */
export async function connectionsTo(endpoint: Endpoint): Promise<MakeConnections> {
  const { proxy } = endpoint;
  if (proxy === undefined) return (most) => directConnections(endpoint, most);
  const { proxiedConnections } = await import("./proxied-connections.ts");
  return (most) => proxiedConnections(endpoint, proxy, most);
}
