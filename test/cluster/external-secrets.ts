import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { find } from "../../src/cluster/find.ts";
import { resources } from "../../src/cluster/resource.ts";
import { dataHashAnnotation } from "../../src/secrets/external-secrets.ts";

const requestSchema = z.looseObject({
  target: z.looseObject({
    name: z.string(),
    template: z.looseObject({ data: z.record(z.string(), z.string()) }),
  }),
});

/**
 * Does in one namespace what External Secrets Operator does for `CreatedOnce`, `Orphan` and an immutable target, as its
 * version 1.3.2 does it: it holds each ExternalSecret by a finalizer, makes the Secret, then says so.
 * @param fails - it makes no Secret, and says this
 */
export function playExternalSecrets(
  cluster: Cluster,
  namespace: string,
  { fails }: { readonly fails?: string } = {},
): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const finalizer = "externalsecrets.external-secrets.io/externalsecret-cleanup";

  async function once(): Promise<void> {
    const { items } = await cluster.list(resources.externalSecrets, { namespace });
    for (const { metadata, spec, status } of items) {
      const ref = { namespace, name: metadata.name };
      const hold = (finalizers: readonly string[]) =>
        cluster.patch(resources.externalSecrets, ref, { type: "merge", body: { metadata: { finalizers } } });
      const { finalizers = [] } = metadata;
      if (metadata.deletionTimestamp !== undefined) {
        if (finalizers.length > 0) await hold([]);
        continue;
      }
      if (finalizers.length === 0) await hold([finalizer]);
      if (status !== undefined) continue;
      const { target } = requestSchema.parse(spec);
      if (
        fails === undefined &&
        (await find(cluster, resources.secrets, { namespace, name: target.name })) === undefined
      ) {
        const password = randomBytes(20).toString("hex");
        await cluster.create(resources.secrets, {
          apiVersion: "v1",
          kind: "Secret",
          type: "Opaque",
          immutable: true,
          metadata: {
            namespace,
            name: target.name,
            labels: { "reconcile.external-secrets.io/managed": "true" },
            annotations: { [dataHashAnnotation]: "simulated" },
          },
          data: Object.fromEntries(
            Object.entries(target.template.data).map(([key, text]) => [
              key,
              Buffer.from(text.replaceAll("{{ .password }}", password)).toString("base64"),
            ]),
          ),
        });
      }
      const lastTransitionTime = new Date().toISOString();
      const condition =
        fails === undefined
          ? { type: "Ready", status: "True", reason: "SecretSynced", message: "secret synced" }
          : { type: "Ready", status: "False", reason: "SecretSyncedError", message: fails };
      const body = { status: { conditions: [{ ...condition, lastTransitionTime }] } };
      await cluster.patch(resources.externalSecrets, ref, { type: "merge", body }, { subresource: "status" });
    }
  }

  const running = (async () => {
    while (!stopped.signal.aborted) {
      // What is being deleted meanwhile is looked at again.
      await once().catch(() => undefined);
      await setTimeout(200);
    }
  })();
  return {
    async stop() {
      stopped.abort();
      await running;
    },
  };
}
