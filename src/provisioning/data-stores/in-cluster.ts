import { generatePassword, secretsOfStore } from "../../application/credentials.ts";
import { desiredObjects } from "../../application/desired-objects.ts";
import { withoutValues, writes } from "../describe.ts";
import { waitUntilReady } from "../readiness.ts";
import type { DataStoreProvider } from "./provider.ts";

/** A data store in the cluster: credentials made once, then a StatefulSet that gets ready. */
export const inCluster: DataStoreProvider = {
  describe(context, store) {
    const { application, standards } = context;
    return writes(context, [
      ...secretsOfStore[store].map((secretOf) => withoutValues(secretOf(application, ""))),
      ...desiredObjects(application, standards)[store],
    ]);
  },
  async provision({ application, standards, cluster, clock, signal, write, log, randomBytes }, store) {
    const [secretOf, ...more] = secretsOfStore[store];
    const { outcome } = await write.createOnce(secretOf(application, generatePassword(randomBytes)));
    for (const other of more) await write.createOnce(other(application, generatePassword(randomBytes)));
    const objects = desiredObjects(application, standards)[store];
    await write.objects(objects);
    const name = `${application.metadata.name}-${store === "database" ? "db" : "cache"}`;
    log(outcome === "created" ? `credentials made in secret ${name}` : `credentials of secret ${name} kept`);
    const withinMs = standards.workload.progressDeadlineSeconds * 1_000;
    for (const object of objects.filter(({ kind }) => kind === "StatefulSet")) {
      await waitUntilReady(object, { cluster, clock, signal, withinMs, log });
    }
    return { summary: `${name}, ${imageVersion(standards[store].image)}` };
  },
};

/** `docker.io/library/postgres:15.15` as `postgres 15.15`. */
function imageVersion(image: string): string {
  return image.replace(/@.*$/, "").replace(/^.*\//, "").replace(":", " ");
}
