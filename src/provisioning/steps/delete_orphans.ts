import { providerAnnotation } from "../../application/names.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { storesIn, workspaceEffect } from "../data-stores/cloud-store.ts";
import { dataStoreNames, foreignObjects, isBeside } from "../objects/namespace-contents.ts";
import { belongsTo, objectEffect, observeEffect } from "../objects/objects.ts";
import { guardrailKinds } from "../rollback/rollback.ts";
import { effectLabel } from "../runs/effect.ts";
import type { OrphanTarget } from "../runs/run-record.ts";
import type { PlanContext, Step } from "../step.ts";
import { serviceObjects } from "./service-objects.ts";

/** Later ones hold what earlier ones use: data goes after what runs on it, a namespace after all. */
function rank(type: string): number {
  if (type === "Application") return 0;
  if (type === "PersistentVolumeClaim" || type === "Cluster" || type === "Secret") return 2;
  return type === "Namespace" ? 3 : 1;
}

function effectOf({ uid: _, namespace, ...rest }: OrphanTarget) {
  return { kind: "object" as const, ...rest, ...(namespace === undefined ? {} : { namespace }) };
}

/** Those that are still there: the object with the recorded UID, and no other of its name. */
async function remaining({ cluster, cleanup }: PlanContext): Promise<readonly KubeObject[]> {
  const found = await Promise.all(
    (cleanup?.orphans ?? []).map(async (target) => {
      const object = await observeEffect(cluster, effectOf(target));
      return object?.metadata.uid === target.uid ? [object] : [];
    }),
  );
  return found.flat();
}

/**
 * Everything that a cleanup deletes: what was named and is still there, and what the platform made in a namespace that
 * was named. Each is deleted by itself, so that the journal knows what can be brought back and what is lost.
 */
export async function doomedBy(context: PlanContext): Promise<readonly KubeObject[]> {
  const objects = await withTheirSecrets(context, await remaining(context));
  if (!objects.some(({ kind }) => kind === "Namespace")) return objects;
  const { workload, dataStores, claims, guardrails } = await serviceObjects(
    context.cluster,
    context.application.metadata,
  );
  const known = new Set(objects.map(({ metadata }) => metadata.uid));
  const inside = [...workload, ...dataStores, ...claims, ...guardrails];
  return [...objects, ...inside.filter(({ metadata }) => !known.has(metadata.uid))];
}

/** With the Secret of each instance that no service uses: what it reaches goes. */
async function withTheirSecrets(
  { cluster, request }: PlanContext,
  objects: readonly KubeObject[],
): Promise<readonly KubeObject[]> {
  const known = new Set(objects.map(({ metadata }) => metadata.uid));
  const records = objects.filter(
    ({ kind, metadata }) =>
      kind === "ConfigMap" && dataStoreNames(request.name).some((store) => isBeside(metadata.name, store)),
  );
  const secrets = await Promise.all(
    records.map(({ metadata: { name, namespace = "" } }) =>
      observeEffect(cluster, { kind: "object", apiVersion: "v1", type: "Secret", namespace, name }),
    ),
  );
  const theirs = secrets.flatMap((secret) => secret ?? []);
  return [
    ...objects,
    ...theirs.filter((secret) => belongsTo(secret, request.name) && !known.has(secret.metadata.uid)),
  ];
}

/** As {@link doomedBy}, ConfigMaps whole: what is in a namespace is listed without its contents. */
async function wholeDoomed(context: PlanContext): Promise<readonly KubeObject[]> {
  const objects = await doomedBy(context);
  return Promise.all(
    objects.map(async (object) =>
      object.metadata.annotations?.[providerAnnotation] === undefined
        ? object
        : ((await observeEffect(context.cluster, objectEffect(object))) ?? object),
    ),
  );
}

/** Deletes orphans that a person has named, each by its UID. */
export const deleteOrphans: Step = {
  id: "delete_orphans",
  title: "Orphans",
  needs: ["preflight", "lift_protection", "snapshot_data_stores"],
  when: () => true,
  async describe(context) {
    const doomed = await wholeDoomed(context);
    return {
      effects: [
        ...doomed.flatMap((object) => storesIn(object).map(workspaceEffect)),
        ...doomed.map(objectEffect),
        ...(context.cleanup?.repositories ?? []).map(({ url }) => ({ kind: "repository" as const, url })),
      ].map((effect) => ({ action: "delete" as const, effect })),
      notes: [],
      manifests: [],
    };
  },
  async apply(context) {
    const { cluster, codeHost, cloud, request, run, write, cleanup, signal, log } = context;
    const objects = await wholeDoomed(context);
    const warnings: string[] = [];
    const namespaces = objects.filter(({ kind }) => kind === "Namespace");
    // Without this the snapshot itself would stay where it is stored, and nothing would know of it.
    const snapshots = objects.filter(({ kind }) => kind === "VolumeSnapshotContent");
    await write.patchObjects(snapshots, { spec: { deletionPolicy: "Delete" } });
    for (const store of objects.flatMap(storesIn)) {
      // Who may destroy what is protected was asked when the protection was lifted.
      await write.remove(workspaceEffect(store), "", async () => {
        await cloud.remove(store, "confirmed-by-person", { run, signal, log });
        return true;
      });
    }
    for (const order of [0, 1, 2]) {
      await write.deleteObjects(
        objects.filter(
          ({ kind }) => rank(kind) === order && !(namespaces.length > 0 && guardrailKinds.has(kind)),
        ),
      );
    }
    for (const namespace of namespaces) {
      const { name } = namespace.metadata;
      // What of the platform's is still in it was made for the same service and goes with it.
      const foreign = await foreignObjects(cluster, name, {
        effects: new Set(),
        service: request.name,
        statefulSets: dataStoreNames(request.name),
      });
      if (foreign.length === 0) {
        await write.deleteObjects([...objects.filter(({ kind }) => guardrailKinds.has(kind)), namespace]);
      } else {
        const reason = `it holds ${foreign.slice(0, 5).join(", ")}, which the platform did not make`;
        warnings.push(`namespace ${name} stays: ${reason}`);
        await write.keep(objectEffect(namespace), reason, async () => {});
      }
    }
    for (const { url, run: maker } of cleanup?.repositories ?? []) {
      const effect = { kind: "repository" as const, url };
      const reason = "it holds commits that are not the platform's, or the host cannot delete it";
      const removed = await write.remove(effect, reason, () => codeHost.remove(url, maker, signal));
      if (!removed) warnings.push(`${effectLabel(effect)} stays: ${reason}`);
    }
    const count = objects.length + (cleanup?.repositories.length ?? 0) - warnings.length;
    return { summary: `${count} ${count === 1 ? "effect" : "effects"} deleted`, warnings };
  },
};
