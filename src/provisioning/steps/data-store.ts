import { generatePassword, secretsOfStore } from "../../application/credentials.ts";
import { desiredObjects, type Part } from "../../application/desired-objects.ts";
import { withoutValues, writes } from "../describe.ts";
import { waitUntilReady } from "../readiness.ts";
import type { Step } from "../step.ts";

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
        ...secretsOfStore[part].map((secretOf) => withoutValues(secretOf(application, ""))),
        ...desiredObjects(application, standards)[part],
      ]);
    },
    async apply({ application, standards, cluster, clock, signal, write, log, randomBytes }) {
      const [secretOf, ...more] = secretsOfStore[part];
      const { outcome } = await write.createOnce(secretOf(application, generatePassword(randomBytes)));
      for (const other of more) await write.createOnce(other(application, generatePassword(randomBytes)));
      const objects = desiredObjects(application, standards)[part];
      await write.objects(objects);
      const name = `${application.metadata.name}-${part === "database" ? "db" : "cache"}`;
      log(
        outcome === "created" ? `credentials made in secret ${name}` : `credentials of secret ${name} kept`,
      );
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
