import { z } from "zod";
import { labels } from "../../application/names.ts";
import { apply, type Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { apiVersionOf, resources } from "../../cluster/resource.ts";
import { cleanText } from "../../cluster/text.ts";
import type { Clock } from "../clock.ts";
import { StepError } from "../errors.ts";
import type { Effect } from "../runs/effect.ts";
import type { EffectWriter } from "../step.ts";
import { type ObjectEffect, objectEffect, observeEffect, waitUntilGone } from "./objects.ts";

/** On a VolumeSnapshotContent that was kept: the claim it was taken of, `NAMESPACE/NAME`. */
export const snapshotOfAnnotation = "platform.company.com/snapshot-of";

/** How long a volume may take to be snapshotted, in milliseconds. */
const readyWithin = 30 * 60_000;

const claimSchema = z.looseObject({ storageClassName: z.string().nullish() });
const storageClassSchema = z.looseObject({ provisioner: z.string() });
const snapshotClassSchema = z.looseObject({ driver: z.string() });
const statusSchema = z.looseObject({
  readyToUse: z.boolean().nullish(),
  boundVolumeSnapshotContentName: z.string().nullish(),
  error: z.looseObject({ message: z.string().nullish() }).nullish(),
});

/** Whether last snapshots of volumes can be taken: by which class each, or why not. */
export type SnapshotAbility =
  | { readonly possible: true; readonly classOf: ReadonlyMap<string, string> }
  | { readonly possible: false; readonly reason: string };

/** Finds out whether each claim's volume can be snapshotted, and kept when its namespace goes. Writes nothing. */
export async function canSnapshot(cluster: Cluster, claims: readonly KubeObject[]): Promise<SnapshotAbility> {
  const no = (reason: string) => ({ possible: false, reason }) as const;
  const needed = [
    resources.volumeSnapshots,
    resources.volumeSnapshotContents,
    resources.volumeSnapshotClasses,
  ];
  const served = await Promise.all(needed.map((resource) => cluster.serves(resource)));
  if (!served.every(Boolean)) return no("the cluster serves no volume snapshots");
  const { group, plural } = resources.volumeSnapshotContents;
  if (!(await cluster.can({ verb: "patch", group, resource: plural }))) {
    return no("you may not keep snapshots beyond their namespace (patch volumesnapshotcontents)");
  }
  try {
    const classes = await cluster.list(resources.volumeSnapshotClasses);
    const chosen = await Promise.all(
      claims.map(async (claim) => {
        const driver = await driverOf(cluster, claim);
        const usable = classes.items.filter(
          (object) => snapshotClassSchema.safeParse(object).data?.driver === driver,
        );
        const isDefault = ({ metadata }: KubeObject) =>
          metadata.annotations?.["snapshot.storage.kubernetes.io/is-default-class"] === "true";
        return { claim, driver, name: (usable.find(isDefault) ?? usable[0])?.metadata.name };
      }),
    );
    const without = chosen.find(({ name }) => name === undefined);
    if (without !== undefined) {
      return no(`there is no VolumeSnapshotClass for the driver ${without.driver || "of its volumes"}`);
    }
    return {
      possible: true,
      classOf: new Map(chosen.map(({ claim, name }) => [claim.metadata.name, name ?? ""])),
    };
  } catch (error) {
    if (isClusterError(error, "forbidden"))
      return no("you may not list VolumeSnapshotClasses and StorageClasses");
    throw error;
  }
}

/** The driver that made a claim's volume; empty where nothing says so. */
async function driverOf(cluster: Cluster, { metadata, spec }: KubeObject): Promise<string> {
  const told = metadata.annotations?.["volume.kubernetes.io/storage-provisioner"];
  if (told !== undefined) return told;
  const name = claimSchema.safeParse(spec).data?.storageClassName;
  if (name === undefined || name === null || name === "") return "";
  const found = await find(cluster, resources.storageClasses, { name });
  return storageClassSchema.safeParse(found).data?.provisioner ?? "";
}

/** What taking snapshots works with: a step's, or a compensation's. */
export interface SnapshotContext {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly write: EffectWriter;
  readonly run: string;
  log(line: string): void;
}

/**
 * Takes a snapshot of each claim's volume, waits until it can be used, and keeps its content: that stays when the
 * claim and its namespace go. A claim of which this run has kept a snapshot already is not snapshotted again.
 * @throws StepError `unhealthy` where a snapshot fails or takes longer than half an hour
 */
export async function takeSnapshots(
  context: SnapshotContext,
  claims: readonly KubeObject[],
  classOf: ReadonlyMap<string, string>,
): Promise<void> {
  const kept = await keptSnapshots(context.cluster, context.run);
  await Promise.all(
    claims.map((claim) => {
      const { namespace = "", name } = claim.metadata;
      const request: ObjectEffect = {
        kind: "object",
        apiVersion,
        type: resources.volumeSnapshots.kind,
        namespace,
        name: `${name}-${context.run}`,
      };
      const before = kept.find(
        ({ metadata }) => metadata.annotations?.[snapshotOfAnnotation] === claimKey(claim),
      );
      // Only the content is kept: the VolumeSnapshot, which asked for it, would be in the way of the namespace.
      return context.write.passing(request, "its content is kept", async () => {
        // An earlier try may have kept it, and not have recorded that.
        const content =
          before === undefined
            ? await snapshotOf(context, claim, request, classOf.get(name) ?? "")
            : before.metadata.name;
        await keepContent(context, claim, content);
        await removeRequest(context, request);
      });
    }),
  );
}

const apiVersion = apiVersionOf(resources.volumeSnapshots);

async function removeRequest(
  { cluster, clock, signal }: SnapshotContext,
  request: ObjectEffect,
): Promise<void> {
  const { uid } = (await observeEffect(cluster, request))?.metadata ?? {};
  if (uid === undefined) return;
  const { namespace = "", name } = request;
  await cluster.delete(resources.volumeSnapshots, { namespace, name }, { uid });
  await waitUntilGone(cluster, clock, request, uid, { signal });
}

/** Contents of snapshots that this run has kept. */
export async function keptSnapshots(cluster: Cluster, run: string): Promise<readonly KubeObject[]> {
  if (!(await cluster.serves(resources.volumeSnapshotContents))) return [];
  const { items } = await cluster.list(resources.volumeSnapshotContents, {
    labelSelector: `${labels.managed}=true,${labels.run}=${run}`,
  });
  return items.map((item) => ({
    ...item,
    apiVersion,
    kind: resources.volumeSnapshotContents.kind,
  }));
}

function claimKey({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

/** What a snapshot is for, as a kept effect tells it. */
export function snapshotReason(of: string): string {
  return `last snapshot of ${of}, taken before it was deleted`;
}

/** Labels by which the platform finds what belongs to a claim. */
function marksOf({ metadata }: KubeObject, run: string): Record<string, string> {
  const inherited = [labels.managed, labels.service, labels.component].flatMap((key) => {
    const value = metadata.labels?.[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return { ...Object.fromEntries(inherited), [labels.run]: run, "app.kubernetes.io/managed-by": "platform" };
}

/** Has a snapshot taken. Answers with the name of its content, once it can be used. */
async function snapshotOf(
  { cluster, clock, signal, run, log }: SnapshotContext,
  claim: KubeObject,
  { namespace = "", name }: ObjectEffect,
  className: string,
): Promise<string> {
  const source = claim.metadata.name;
  await apply(cluster, resources.volumeSnapshots, {
    apiVersion,
    kind: resources.volumeSnapshots.kind,
    metadata: { name, namespace, labels: marksOf(claim, run) },
    spec: { volumeSnapshotClassName: className, source: { persistentVolumeClaimName: source } },
  });
  const deadline = clock.now().getTime() + readyWithin;
  let told = "";
  for (let pause = 50; ; pause = Math.min(2_000, pause * 1.4)) {
    const object = await cluster.get(resources.volumeSnapshots, { name, namespace });
    const status = statusSchema.safeParse(object.status ?? {}).data;
    const bound = status?.boundVolumeSnapshotContentName;
    if (status?.readyToUse === true && bound !== undefined && bound !== null) return bound;
    const problem = cleanText(status?.error?.message ?? "");
    if (clock.now().getTime() > deadline) {
      throw new StepError(
        "unhealthy",
        `the last snapshot of ${source} is not ready after half an hour: ${problem || "its driver does not say why"}`,
        `see kubectl describe volumesnapshot ${name} -n ${namespace}, then retry`,
      );
    }
    const line =
      problem === "" ? `waiting for the snapshot of ${source}` : `snapshot of ${source}: ${problem}`;
    if (line !== told) log(line);
    told = line;
    await clock.sleep(pause, signal);
  }
}

/** From here on the content outlives snapshot, claim and namespace. */
async function keepContent(
  { cluster, write, run, log }: SnapshotContext,
  claim: KubeObject,
  name: string,
): Promise<void> {
  const of = claimKey(claim);
  const effect: Effect = { kind: "object", apiVersion, type: resources.volumeSnapshotContents.kind, name };
  await write.keep(effect, snapshotReason(of), () =>
    cluster.patch(
      resources.volumeSnapshotContents,
      { name },
      {
        type: "merge",
        body: {
          metadata: { labels: marksOf(claim, run), annotations: { [snapshotOfAnnotation]: of } },
          spec: { deletionPolicy: "Retain" },
        },
      },
    ),
  );
  log(`snapshot of ${claim.metadata.name} kept as volumesnapshotcontent/${name}`);
}

/**
 * Deletes the snapshots that this run has kept of claims that are still there, since nothing is destroyed after all.
 * @returns what was deleted
 */
export async function dropSnapshots(cluster: Cluster, run: string): Promise<readonly ObjectEffect[]> {
  const kept = await keptSnapshots(cluster, run);
  const dropped = await Promise.all(
    kept.map(async (content) => {
      const { name: contentName, uid, annotations } = content.metadata;
      const [namespace = "", name = ""] = (annotations?.[snapshotOfAnnotation] ?? "").split("/");
      const claim = await find(cluster, resources.persistentVolumeClaims, { namespace, name });
      if (claim === undefined) return [];
      const ref = { name: contentName };
      await cluster.patch(resources.volumeSnapshotContents, ref, {
        type: "merge",
        body: { spec: { deletionPolicy: "Delete" } },
      });
      try {
        await cluster.delete(resources.volumeSnapshotContents, ref, uid === undefined ? {} : { uid });
      } catch (error) {
        if (!isClusterError(error, "not-found")) throw error;
      }
      return [objectEffect(content)];
    }),
  );
  return dropped.flat();
}
