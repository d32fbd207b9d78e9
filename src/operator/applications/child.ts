import { fieldManager, labels, migrationAnnotation, providerAnnotation } from "../../application/names.ts";
import { conditionsOf } from "../../cluster/conditions.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { ownedFields } from "../../cluster/owned-fields.ts";
import { replicasOf } from "../../cluster/replicas.ts";
import { apiVersionOf, resources } from "../../cluster/resource.ts";
import { cleanText } from "../../cluster/text.ts";
import { type WorkloadStatus, workloadStatus } from "../../cluster/workload-status.ts";
import { contentDigest } from "./digest.ts";

/** What is kept of an object that an Application may consist of: thousands of these are in memory. */
export interface Child {
  readonly uid: string;
  /** {@link contentDigest} of what the platform has applied of it, as it is now; undefined where it has applied nothing. */
  readonly digest: string | undefined;
  /** Pods that the platform has asked for; undefined where it has not, or an autoscaler has asked for others since. */
  readonly replicas: number | undefined;
  /** Key of the Application it is of: its controller, or the service its labels name. */
  readonly application: string | undefined;
  /** UID of its controller. */
  readonly controller: string | undefined;
  /** Kind and name of a controller that is no Application. */
  readonly stranger: string | undefined;
  /** Carries the platform's label. */
  readonly managed: boolean;
  /** The run that made it. */
  readonly run: string | undefined;
  /** It is being deleted. */
  readonly leaving: boolean;
  /** Of a Deployment or StatefulSet. */
  readonly workload: WorkloadStatus | undefined;
  /** Grows with each change of its spec. */
  readonly generation: number;
  /** Pods that a Deployment or StatefulSet has. */
  readonly pods: number;
  /** Of a Deployment: the mark of the migration that it was rolled out after. */
  readonly migration: string | undefined;
  /** What the controller of a route or certificate says is wrong with it. */
  readonly complaint: string | undefined;
  /** Of a ConfigMap that says where a data store outside of the cluster is: who runs that. */
  readonly provider: string | undefined;
}

/** What to keep of an object. Pure. */
export function childOf(object: KubeObject): Child {
  const { metadata } = object;
  const own = metadata.labels ?? {};
  const controller = metadata.ownerReferences?.find((reference) => reference.controller === true);
  const isOurs =
    controller?.kind === resources.applications.kind &&
    controller.apiVersion === apiVersionOf(resources.applications);
  const managed = own[labels.managed] === "true";
  const service = isOurs ? controller.name : managed ? own[labels.service] : undefined;
  const owned = ownedFields(object, fieldManager);
  return {
    uid: metadata.uid ?? "",
    digest: owned === undefined ? undefined : contentDigest(owned),
    replicas: owned === undefined ? undefined : replicasOf(owned),
    application: service === undefined ? undefined : `${metadata.namespace ?? ""}/${service}`,
    controller: controller?.uid,
    stranger:
      controller === undefined || isOurs ? undefined : cleanText(`${controller.kind} ${controller.name}`),
    managed,
    run: own[labels.run],
    leaving: metadata.deletionTimestamp !== undefined,
    workload:
      object.kind === "Deployment" || object.kind === "StatefulSet" ? workloadStatus(object) : undefined,
    generation: metadata.generation ?? 0,
    pods: podsOf(object),
    migration: object.kind === "Deployment" ? metadata.annotations?.[migrationAnnotation] : undefined,
    complaint: complaintOf(object),
    provider: object.kind === "ConfigMap" ? metadata.annotations?.[providerAnnotation] : undefined,
  };
}

function podsOf({ status }: KubeObject): number {
  const pods = typeof status === "object" && status !== null && "replicas" in status ? status.replicas : 0;
  return typeof pods === "number" ? pods : 0;
}

/** Conditions that say by `False` that an object does not work. */
const complaining: Readonly<Record<string, readonly string[]>> = {
  HTTPRoute: ["Accepted", "ResolvedRefs"],
  Certificate: ["Ready"],
};

function complaintOf(object: KubeObject): string | undefined {
  const types = complaining[object.kind];
  if (types === undefined) return undefined;
  const found = conditionsIn(object).find(({ type, status }) => status === "False" && types.includes(type));
  if (found === undefined) return undefined;
  return cleanText(`${object.kind} ${object.metadata.name}: ${found.message || found.reason || found.type}`);
}

/** A route's conditions are said by each gateway it attaches to. */
function conditionsIn({ kind, status }: KubeObject) {
  if (kind !== "HTTPRoute") return conditionsOf({ status });
  const parents: unknown =
    typeof status === "object" && status !== null && "parents" in status ? status.parents : [];
  return Array.isArray(parents) ? parents.flatMap((parent) => conditionsOf({ status: parent })) : [];
}

/** Whether two readings of an object say the same to its Application. Pure. */
export function sameChild(one: Child, other: Child): boolean {
  const { workload: a, ...rest } = one;
  const { workload: b, ...others } = other;
  return sameFields(rest, others) && (a === undefined || b === undefined ? a === b : sameWorkload(a, b));
}

function sameWorkload(one: WorkloadStatus, other: WorkloadStatus): boolean {
  const { matchLabels: _, problem: a, ...rest } = one;
  const { matchLabels: __, problem: b, ...others } = other;
  return sameFields(rest, others) && a?.kind === b?.kind && a?.text === b?.text;
}

function sameFields(
  one: Readonly<Record<string, unknown>>,
  other: Readonly<Record<string, unknown>>,
): boolean {
  return Object.keys(one).every((field) => one[field] === other[field]);
}
