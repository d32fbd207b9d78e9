import { labels, type ServiceName } from "../../application/names.ts";
import type { Cluster, ObjectRef } from "../../cluster/cluster.ts";
import { conditionsOf } from "../../cluster/conditions.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { apiVersionOf, resourceOf, resources } from "../../cluster/resource.ts";
import type { Clock } from "../clock.ts";
import { StepError } from "../errors.ts";
import { installationSubject, isOfInstallation } from "../installation.ts";
import type { Effect } from "../runs/effect.ts";
import { releaseApplications } from "./release-application.ts";

/** An effect that is a Kubernetes object. */
export type ObjectEffect = Extract<Effect, { readonly kind: "object" }>;

/** Where an object is. */
export function refOf(object: KubeObject): ObjectRef {
  const { name, namespace } = object.metadata;
  return { name, ...(namespace === undefined ? {} : { namespace }) };
}

/** An object as an effect. */
export function objectEffect(object: KubeObject): ObjectEffect {
  return { kind: "object", apiVersion: object.apiVersion, type: object.kind, ...refOf(object) };
}

/** Reads what an effect names, or undefined where it is not there (or its kind is not served). */
export function observeEffect(cluster: Cluster, effect: ObjectEffect): Promise<KubeObject | undefined> {
  const { name, namespace } = effect;
  return find(cluster, resourceOf({ apiVersion: effect.apiVersion, kind: effect.type }), {
    name,
    ...(namespace === undefined ? {} : { namespace }),
  });
}

/**
 * Whether an object was made for this service, or installation, by the platform: nothing else is ever changed or deleted. An
 * Application is the service's that it is named after, whoever has written it.
 */
export function belongsTo(object: KubeObject, service: ServiceName | string): boolean {
  if (service === installationSubject) return isOfInstallation(object);
  const { apiVersion, kind, metadata } = object;
  if (kind === resources.applications.kind && apiVersion === apiVersionOf(resources.applications)) {
    return metadata.name === service;
  }
  const found = object.metadata.labels ?? {};
  return found[labels.managed] === "true" && found[labels.service] === service;
}

/** How long one object may take to disappear, in milliseconds. */
const goneDeadline = 10 * 60_000;

/** How often it is looked whether anybody holds what is being deleted, in milliseconds: its operator may die meanwhile. */
const releaseEvery = 5_000;

/** The cluster's own words about why a namespace does not go away. */
function terminationMessage(object: KubeObject): string {
  return conditionsOf(object)
    .filter(({ status, message }) => status === "True" && message !== "")
    .map(({ message }) => message)
    .join("; ");
}

/**
 * Waits until an object with this UID is gone; another of the same name counts as gone.
 * @throws StepError `unhealthy` after ten minutes, with the cluster's reason
 */
export async function waitUntilGone(
  cluster: Cluster,
  clock: Clock,
  effect: ObjectEffect,
  uid: string | undefined,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (line: string) => void } = {},
): Promise<void> {
  const deadline = clock.now().getTime() + goneDeadline;
  let told = "";
  let releasedAt = 0;
  for (let pause = 30; ; pause = Math.min(500, pause * 1.5)) {
    const object = await observeEffect(cluster, effect);
    if (object === undefined || (uid !== undefined && object.metadata.uid !== uid)) return;
    const leaving = object.metadata.deletionTimestamp !== undefined;
    const holds = effect.type === "Namespace" || effect.type === "Application";
    if (leaving && holds && clock.now().getTime() - releasedAt > releaseEvery) {
      await releaseApplications(cluster, clock, object);
      releasedAt = clock.now().getTime();
    }
    const message = effect.type === "Namespace" ? terminationMessage(object) : "";
    if (clock.now().getTime() > deadline) {
      const finalizers = object.metadata.finalizers ?? [];
      const why = message === "" ? `its finalizers are ${finalizers.join(", ") || "none"}` : message;
      throw new StepError(
        "unhealthy",
        `${effect.type} ${effect.name} is still there after ten minutes: ${why}`,
        "see what holds it, then retry",
      );
    }
    if (message !== "" && message !== told) {
      told = message;
      options.onProgress?.(`${effect.type.toLowerCase()} ${effect.name}: ${message}`);
    }
    await clock.sleep(pause, options.signal);
  }
}

/** What makes pods is deleted in the foreground, so that they are gone when it is. */
export function propagationOf(type: string): "Foreground" | "Background" {
  return type === "Deployment" || type === "StatefulSet" || type === "Job" ? "Foreground" : "Background";
}
