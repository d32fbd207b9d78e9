import pLimit from "p-limit";
import { applicationFinalizer } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { everyPage } from "../../cluster/every-page.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { apiVersionOf, resources } from "../../cluster/resource.ts";
import { refOf } from "../objects/objects.ts";
import type { Step } from "../step.ts";

/** Applications at once. */
const atOnce = 8;

/** Applications that an operator that is gone would have to let go of before they can be deleted. */
async function held(cluster: Cluster): Promise<readonly KubeObject[]> {
  if (!(await cluster.serves(resources.applications))) return [];
  return everyPage(
    (page) => cluster.listMetadata(resources.applications, page),
    ({ items }) => items.filter(({ metadata }) => metadata.finalizers?.includes(applicationFinalizer)),
  );
}

/** Takes the operator's finalizer off every Application: nobody would do it later. */
export const releaseApplications: Step = {
  id: "release_applications",
  title: "Applications",
  needs: ["remove_operator"],
  when: () => true,
  async describe({ cluster }) {
    const count = (await held(cluster)).length;
    return {
      effects: [],
      notes: count === 0 ? [] : [`${count} keep their data stores, and lose the finalizer of the operator`],
      manifests: [],
    };
  },
  async apply({ cluster, write }) {
    const applications = await held(cluster);
    if (applications.length === 0) return { summary: "none is held" };
    const type = {
      kind: "object",
      apiVersion: apiVersionOf(resources.customResourceDefinitions),
      type: resources.customResourceDefinitions.kind,
      name: `${resources.applications.plural}.${resources.applications.group}`,
    } as const;
    const limit = pLimit(atOnce);
    // One record for all: a journal has no room for thousands, and what is taken off the next operator puts on again.
    await write.keep(type, "its objects stay, without the operator's finalizer", () =>
      Promise.all(applications.map((application) => limit(() => release(cluster, application)))),
    );
    return { summary: `${applications.length} released` };
  },
};

async function release(cluster: Cluster, { metadata, ...rest }: KubeObject): Promise<void> {
  const finalizers = (metadata.finalizers ?? []).filter((finalizer) => finalizer !== applicationFinalizer);
  const { resourceVersion } = metadata;
  try {
    await cluster.patch(resources.applications, refOf({ ...rest, metadata }), {
      type: "merge",
      body: { metadata: { finalizers, ...(resourceVersion === undefined ? {} : { resourceVersion }) } },
    });
  } catch (error) {
    // Gone, which is as good; or its namespace went without it, and then the server lets nobody change it any more.
    if (isClusterError(error, "not-found")) return;
    if (!isClusterError(error, "forbidden") || (await hasNamespace(cluster, metadata))) throw error;
  }
}

async function hasNamespace(cluster: Cluster, { namespace = "" }: KubeObject["metadata"]): Promise<boolean> {
  return (await find(cluster, resources.namespaces, { name: namespace })) !== undefined;
}
