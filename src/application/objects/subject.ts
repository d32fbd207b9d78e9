import type { ObjectMeta, OwnerReference } from "../../cluster/object.ts";
import type { Standards } from "../../standards/standards.ts";
import type { Application, ApplicationSpec } from "../application.ts";
import type { ClusterFacts } from "../cluster-facts.ts";
import { labels, labelsFor, namespaceOf, type ServiceName, serviceNameSchema } from "../names.ts";

/** What every builder of a service's objects works from. */
export interface Subject {
  readonly name: ServiceName;
  readonly namespace: string;
  readonly team: string;
  readonly application: Application;
  readonly spec: ApplicationSpec;
  readonly standards: Standards;
  readonly facts: ClusterFacts;
}

/** What every builder of a managed namespace's own objects works from. */
export interface Place {
  readonly namespace: string;
  readonly team: string;
  /** Name of its tier in the standards. */
  readonly tier: string;
  /** The service that the namespace belongs to; undefined where several share it. */
  readonly service: string | undefined;
  readonly standards: Standards;
}

/** What an object is to the service; pods of the first four are told apart by it. */
export type Component =
  | "workload"
  | "database"
  | "cache"
  | "migration"
  | "namespace"
  | "monitoring"
  | "network";

/** @throws ZodError for an Application whose name cannot be a service's (the CRD refuses those). */
export function subjectOf(application: Application, standards: Standards, facts: ClusterFacts = {}): Subject {
  const name = serviceNameSchema.parse(application.metadata.name);
  const { spec } = application;
  const { namespace } = application.metadata;
  return { name, namespace, team: spec.team, application, spec, standards, facts };
}

/** Whether the service has its namespace to itself. */
export function isAlone({ name, namespace }: Pick<Subject, "name" | "namespace">): boolean {
  return namespace === namespaceOf(name);
}

/** Labels of every object of a service. */
export function labelsOf(subject: Subject, component: Component): Record<string, string> {
  return labelsFor(subject.name, subject.team, component);
}

/** Labels by which Services, workloads and policies select pods: these alone never change in an object's life. */
export function selectorOf(
  subject: Pick<Subject, "name">,
  component: "workload" | "database" | "cache",
): Record<string, string> {
  return { [labels.service]: subject.name, [labels.component]: component };
}

/** The Application as owner, once the cluster has given it a UID. Data stores have none: they outlive it. */
function ownerOf({ application }: Subject, component: Component): readonly OwnerReference[] {
  const { apiVersion, kind, metadata } = application;
  if (metadata.uid === undefined || component === "database" || component === "cache") return [];
  const { name, uid } = metadata;
  return [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }];
}

/** Metadata of an object of a service. */
export function metadataOf(
  subject: Subject,
  component: Component,
  name: string,
  extra: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> } = {},
): ObjectMeta {
  const ownerReferences = ownerOf(subject, component);
  return {
    name,
    namespace: subject.namespace,
    labels: { ...extra.labels, ...labelsOf(subject, component) },
    ...(extra.annotations === undefined ? {} : { annotations: extra.annotations }),
    ...(ownerReferences.length === 0 ? {} : { ownerReferences }),
  };
}

/** Metadata of an object of a managed namespace itself. */
export function metadataIn({ namespace, service, team }: Place, name: string): ObjectMeta {
  return { name, namespace, labels: labelsFor(service, team, "namespace") };
}

/** What Pod Security's `restricted` level asks of every container. */
export const restrictedContainer = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
} as const;

/** What `restricted` asks of a pod, run as this user and group. */
export function restrictedPod(id: number) {
  return {
    runAsNonRoot: true,
    runAsUser: id,
    runAsGroup: id,
    fsGroup: id,
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
  } as const;
}
