import type { Cluster } from "../../cluster/cluster.ts";
import { type Resource, resources } from "../../cluster/resource.ts";
import type { CodeHost } from "../../delivery/code-host.ts";
import type { Metrics } from "../../monitoring/metrics.ts";
import type { Standards } from "../../standards/standards.ts";
import { type Finding, fail, look, ok, warn } from "./finding.ts";

/** Other projects whose kinds services are made of: what is missing without them, and what mends that. */
const kinds: readonly (readonly [name: string, resource: Resource, missing: string, mend: string])[] = [
  [
    "scraping",
    resources.serviceMonitors,
    "no prometheus-operator: nothing scrapes by ServiceMonitor",
    "install prometheus-operator, or scrape by annotations",
  ],
  [
    "routes",
    resources.httpRoutes,
    "no Gateway API: public services have no route",
    "install the Gateway API, and the standards' network.gateway",
  ],
  [
    "certificates",
    resources.certificates,
    "no cert-manager: public services have no certificate",
    "install cert-manager, and the standards' network.issuer",
  ],
  [
    "names",
    resources.dnsEndpoints,
    "no external-dns: public services have no DNS name",
    "install external-dns, with --source=crd",
  ],
  [
    "mesh",
    resources.peerAuthentications,
    "no Istio: traffic between pods is not encrypted",
    "install Istio, or set network.mesh: none in the standards",
  ],
  [
    "snapshots",
    resources.volumeSnapshots,
    "no snapshots: none is taken before data is destroyed",
    "install the snapshot controller and a driver that snapshots",
  ],
];

/** What else the platform works with: other projects, volumes, Prometheus, the code host. */
export function surroundingsFindings(
  cluster: Cluster,
  parts: { readonly standards: Standards; readonly metrics: Metrics; readonly codeHost: CodeHost },
): Promise<readonly Finding[]> {
  const { standards, metrics, codeHost } = parts;
  const used = kinds.filter(([name]) => name !== "mesh" || standards.network.mesh !== "none");
  return Promise.all([
    ...used.map(([name, resource, missing, mend]) =>
      look("surroundings", name, async () =>
        (await cluster.serves(resource)) ? ok(`${resource.kind} served`) : warn(missing, mend),
      ),
    ),
    ...(standards.database.cloudnativepg === undefined
      ? []
      : [
          look("surroundings", "cloudnative-pg", async () =>
            (await cluster.serves(resources.postgresClusters))
              ? ok("Cluster served")
              : fail("no CloudNativePG: its databases cannot be made", "install CloudNativePG"),
          ),
        ]),
    look("surroundings", "volumes", async () => {
      const { items } = await cluster.list(resources.storageClasses);
      const found = items.find(
        ({ metadata }) => metadata.annotations?.["storageclass.kubernetes.io/is-default-class"] === "true",
      );
      return found === undefined
        ? fail("no default StorageClass: data stores have no volumes", "mark one as default")
        : ok(`StorageClass ${found.metadata.name}`);
    }),
    look("surroundings", "prometheus", async () => {
      if (standards.monitoring.prometheus === undefined) {
        return warn("not named: nothing is proven", "set monitoring.prometheus in the standards");
      }
      const targets = await metrics.targets();
      return ok(`answers, ${targets.length} ${targets.length === 1 ? "target" : "targets"}`);
    }),
    look("surroundings", "code host", async () => {
      const answer = await codeHost.check();
      return answer.ok ? ok("answers") : warn(answer.problem, answer.mend);
    }),
  ]);
}
