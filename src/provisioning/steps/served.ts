import type { Cluster } from "../../cluster/cluster.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resourceOf } from "../../cluster/resource.ts";

/** What a kind that the cluster does not serve means for the service. */
const meanings: Readonly<Record<string, string>> = {
  PeerAuthentication: "traffic between pods is not encrypted by the mesh",
  HTTPRoute: "the service has no public route",
  Certificate: "the service has no certificate",
  DNSEndpoint: "the service has no DNS name",
  ServiceMonitor: "nothing scrapes the service's metrics",
  PrometheusRule: "no alert fires for it",
};

/** Splits objects into those whose kind the cluster serves, and a sentence for each kind that it does not. */
export async function served(
  cluster: Cluster,
  objects: readonly KubeObject[],
): Promise<{ readonly objects: readonly KubeObject[]; readonly missing: readonly string[] }> {
  const known = await Promise.all(objects.map((object) => cluster.serves(resourceOf(object))));
  const missing = new Set(objects.filter((_, index) => known[index] === false).map(({ kind }) => kind));
  return {
    objects: objects.filter((_, index) => known[index] === true),
    missing: [...missing].map(
      (kind) => `the cluster has no ${kind}: ${meanings[kind] ?? "that part is left out"}`,
    ),
  };
}
