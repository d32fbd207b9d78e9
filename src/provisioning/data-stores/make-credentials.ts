import { generatePassword, secretsOfStore } from "../../application/credentials.ts";
import { find } from "../../cluster/find.ts";
import { apiVersionOf } from "../../cluster/resource.ts";
import { secretStoreOf } from "../../secrets/choose-store.ts";
import type { CredentialWriter, Made } from "../../secrets/secret-store.ts";
import { StepError } from "../errors.ts";
import { objectEffect } from "../objects/objects.ts";
import { effectKey } from "../runs/effect.ts";
import type { StepContext } from "../step.ts";

/** What passes sooner is no news, in milliseconds. */
const worthTelling = 2_000;

/**
 * Has the standards' store make the credentials of a data store, once, and waits until their Secrets are there.
 * @returns whether the Secret that the service's pods read was made now
 * @throws StepError `conflict` where a Secret is somebody else's, `unhealthy` where one does not come to be
 */
export async function makeCredentials(context: StepContext, part: "database" | "cache"): Promise<boolean> {
  const { application, standards, clock, signal, log } = context;
  const store = secretStoreOf(standards);
  const writer = writerOf(context);
  const [first, ...more] = secretsOfStore[part];
  const made = async (secretOf: typeof first): Promise<boolean> => {
    const started = clock.now().getTime();
    let told = "";
    for (let pause = 100; ; pause = Math.min(1_000, pause * 1.4)) {
      const result = await store.make(application, secretOf, writer);
      if (result.kind === "there") return result.created;
      if (result.kind === "conflict") throw inTheWay(context, result);
      const waited = clock.now().getTime() - started;
      if (waited > standards.workload.progressDeadlineSeconds * 1_000) throw late(context, result, waited);
      if (waited >= worthTelling && result.why !== told) {
        told = result.why;
        log(`waiting for secret ${result.name}: ${result.why}`);
      }
      await clock.sleep(pause, signal);
    }
  };
  const created = await made(first);
  for (const secretOf of more) await made(secretOf);
  return created;
}

function writerOf({ application, cluster, write, randomBytes }: StepContext): CredentialWriter {
  const { namespace } = application.metadata;
  // Each is journaled once, however often it is looked for.
  const written = new Map<string, Awaited<ReturnType<CredentialWriter["createOnce"]>>>();
  return {
    async find(resource, name) {
      const found = await find(cluster, resource, { namespace, name });
      return found && { ...found, apiVersion: apiVersionOf(resource), kind: resource.kind };
    },
    async createOnce(object) {
      const key = effectKey(objectEffect(object));
      const known = written.get(key);
      if (known !== undefined) return known;
      const { object: stored, outcome } = await write.createOnce(object);
      const result = { object: stored, created: outcome === "created" };
      written.set(key, result);
      return result;
    },
    adopt: (secret, labels) => write.adopt(secret, labels),
    password: () => generatePassword(randomBytes),
  };
}

function inTheWay(
  { application }: StepContext,
  { name }: Extract<Made, { readonly kind: "conflict" }>,
): StepError {
  return new StepError(
    "conflict",
    `secret ${name} in ${application.metadata.namespace} exists and is not ${application.metadata.name}'s; it was left as it is`,
    "have its owner remove it, then retry",
  );
}

function late(
  { application }: StepContext,
  { name, why }: Extract<Made, { readonly kind: "coming" }>,
  waitedMs: number,
): StepError {
  return new StepError(
    "unhealthy",
    `secret ${name} was not made within ${Math.round(waitedMs / 1_000)} s: ${why}`,
    `see kubectl describe externalsecret ${name} -n ${application.metadata.namespace}, then retry`,
  );
}
