import { desiredObjects } from "../../application/desired-objects.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resourceOf } from "../../cluster/resource.ts";
import { creations } from "../describe.ts";
import { StepError } from "../errors.ts";
import type { Step } from "../step.ts";

/** What a kind that the cluster does not serve means for the service. */
const meanings: Readonly<Record<string, string>> = {
  PeerAuthentication: "traffic between pods is not encrypted by the mesh",
  HTTPRoute: "the service has no public route",
  Certificate: "the service has no certificate",
  DNSEndpoint: "the service has no DNS name",
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

/** Mesh membership with strict mTLS and, for public services, route, certificate and DNS name. */
export const configureNetwork: Step = {
  id: "configure_network",
  title: "Network",
  needs: ["create_namespace"],
  when: ({ request, standards }) => request.exposure === "public" || standards.network.mesh !== "none",
  async describe({ application, standards, cluster }) {
    const { objects, missing } = await served(cluster, desiredObjects(application, standards).network);
    return creations(objects, missing);
  },
  async apply({ application, standards, cluster, write }) {
    const { objects, missing } = await served(cluster, desiredObjects(application, standards).network);
    if (missing.length > 0 && standards.network.whenMissing === "fail") {
      throw new StepError(
        "refused",
        missing.join("; "),
        "have a platform engineer install it, or set network.whenMissing to warn in the standards",
      );
    }
    if (objects.length > 0) await write.objects(objects);
    const kinds = objects.map(({ kind }) => kind).join(", ");
    return { summary: kinds === "" ? "nothing to set up here" : kinds, warnings: missing };
  },
};
