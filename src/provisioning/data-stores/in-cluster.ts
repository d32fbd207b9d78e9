import { secretsOfStore } from "../../application/credentials.ts";
import { withVolumesOf } from "../../application/data-version.ts";
import { desiredObjects } from "../../application/desired-objects.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { secretStoreOf } from "../../secrets/choose-store.ts";
import { waitUntilReady } from "../objects/readiness.ts";
import { withoutValues, writes } from "../operations/describe.ts";
import { makeCredentials } from "./make-credentials.ts";
import type { DataStoreProvider } from "./provider.ts";
import { imageVersion, termsOf } from "./terms.ts";

/** A data store in the cluster: credentials made once, then a StatefulSet that gets ready. */
export const inCluster: DataStoreProvider = {
  async describe(context, store) {
    const { application, standards } = context;
    const objects = await writes(context, [
      ...secretsOfStore[store].flatMap((secretOf) =>
        secretStoreOf(standards).objectsOf(application, secretOf).map(withoutValues),
      ),
      ...desiredObjects(application, standards)[store],
    ]);
    return { ...objects, terms: [termsOf(application, store, standards)] };
  },
  async provision(context, store) {
    const { application, standards, cluster, clock, signal, write, log } = context;
    const made = await makeCredentials(context, store);
    const objects = await Promise.all(
      desiredObjects(application, standards)[store].map(async (wanted) => {
        if (wanted.kind !== "StatefulSet") return wanted;
        const kept = await find(cluster, resources.statefulSets, wanted.metadata);
        return kept === undefined ? wanted : withVolumesOf(kept, wanted);
      }),
    );
    await write.objects(objects);
    const name = `${application.metadata.name}-${store === "database" ? "db" : "cache"}`;
    log(made ? `credentials made in secret ${name}` : `credentials of secret ${name} kept`);
    const withinMs = standards.workload.progressDeadlineSeconds * 1_000;
    for (const object of objects.filter(({ kind }) => kind === "StatefulSet")) {
      await waitUntilReady(object, { cluster, clock, signal, withinMs, log });
    }
    return { summary: `${name}, ${imageVersion(standards[store].image)}` };
  },
};
