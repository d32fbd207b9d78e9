import type { ObjectMeta } from "../../cluster/object.ts";
import type { Standards } from "../../standards/standards.ts";
import type { Application, ApplicationSpec } from "../application.ts";
import { labels, labelsFor, namespaceOf, type ServiceName, serviceNameSchema } from "../names.ts";

/** What every builder works from. */
export interface Subject {
  readonly name: ServiceName;
  readonly namespace: string;
  readonly application: Application;
  readonly spec: ApplicationSpec;
  readonly standards: Standards;
}

/** What an object is to the service; pods of the first three are told apart by it. */
export type Component = "workload" | "database" | "cache" | "namespace" | "monitoring" | "network";

/** @throws ZodError for an Application whose name cannot be a service's (the CRD refuses those). */
export function subjectOf(application: Application, standards: Standards): Subject {
  const name = serviceNameSchema.parse(application.metadata.name);
  return { name, namespace: namespaceOf(name), application, spec: application.spec, standards };
}

/** Labels of every object of a service. */
export function labelsOf(subject: Subject, component: Component): Record<string, string> {
  return labelsFor(subject.name, subject.spec.team, component);
}

/** Labels by which Services, workloads and policies select pods: these alone never change in an object's life. */
export function selectorOf(
  subject: Subject,
  component: "workload" | "database" | "cache",
): Record<string, string> {
  return { [labels.service]: subject.name, [labels.component]: component };
}

/** Metadata of an object in the service's namespace. */
export function metadataOf(
  subject: Subject,
  component: Component,
  name: string,
  extra: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> } = {},
): ObjectMeta {
  return {
    name,
    namespace: subject.namespace,
    labels: { ...extra.labels, ...labelsOf(subject, component) },
    ...(extra.annotations === undefined ? {} : { annotations: extra.annotations }),
  };
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
