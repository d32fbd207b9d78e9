import { secretsOfStore } from "../../application/credentials.ts";
import { desiredObjects, type Part } from "../../application/desired-objects.ts";
import { secretStoreOf } from "../../secrets/choose-store.ts";
import { withoutValues, writes } from "../describe.ts";
import { waitUntilReady } from "../readiness.ts";
import type { Step } from "../step.ts";
import { makeCredentials } from "./make-credentials.ts";

/** The step of an in-cluster data store: credentials made once, then a StatefulSet that gets ready. */
export function dataStoreStep({
  id,
  title,
  part,
  when,
}: Pick<Step, "id" | "title" | "when"> & { readonly part: Part & ("database" | "cache") }): Step {
  return {
    id,
    title,
    needs: ["create_namespace"],
    when,
    describe(context) {
      const { application, standards } = context;
      return writes(context, [
        ...secretsOfStore[part].flatMap((secretOf) =>
          secretStoreOf(standards).objectsOf(application, secretOf).map(withoutValues),
        ),
        ...desiredObjects(application, standards)[part],
      ]);
    },
    async apply(context) {
      const { application, standards, cluster, clock, signal, write, log } = context;
      const made = await makeCredentials(context, part);
      const objects = desiredObjects(application, standards)[part];
      await write.objects(objects);
      const name = `${application.metadata.name}-${part === "database" ? "db" : "cache"}`;
      log(made ? `credentials made in secret ${name}` : `credentials of secret ${name} kept`);
      const withinMs = standards.workload.progressDeadlineSeconds * 1_000;
      for (const object of objects.filter(({ kind }) => kind === "StatefulSet")) {
        await waitUntilReady(object, { cluster, clock, signal, withinMs, log });
      }
      return { summary: `${name}, ${imageVersion(standards[part].image)}` };
    },
  };
}

/** `docker.io/library/postgres:15.15` as `postgres 15.15`. */
function imageVersion(image: string): string {
  return image.replace(/@.*$/, "").replace(/^.*\//, "").replace(":", " ");
}
