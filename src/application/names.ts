import { z } from "zod";

/** A service's name: checked once, where it enters the program. */
export type ServiceName = string & z.$brand<"ServiceName">;

/**
 * Longest service name, in characters. A StatefulSet named with more than 52 makes no pods (its pods carry the
 * name with a hash in a label of 63), and `-cache` takes six of them.
 */
export const maxServiceNameLength = 46;

/** Why a name cannot be a service's, in a sentence without the name itself; undefined where it can. */
export function serviceNameProblem(name: string): string | undefined {
  if (name === "") return "a name is needed";
  if (name.length > maxServiceNameLength) {
    return `a name has at most ${maxServiceNameLength} characters, this one has ${name.length}`;
  }
  if (/[\n\r]/.test(name)) return "a name is one line";
  if (/[A-Z]/.test(name) && !/[^-A-Za-z0-9_]/.test(name))
    return "a name is lower case: letters, digits and hyphens";
  if (/[^-a-z0-9]/.test(name)) return "a name has only lower-case letters, digits and hyphens";
  if (!/^[a-z]/.test(name)) return "a name starts with a letter";
  if (name.endsWith("-")) return "a name ends with a letter or a digit";
  return undefined;
}

/** The nearest valid name, or undefined where nothing of the input can be kept or it is valid already. */
export function suggestServiceName(name: string): string | undefined {
  const mended = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, maxServiceNameLength)
    .replace(/-+$/, "");
  return mended === "" || mended === name ? undefined : mended;
}

/** Parses a service's name; the issue's message is {@link serviceNameProblem}'s with a suggestion where there is one. */
export const serviceNameSchema = z
  .string()
  .superRefine((name, context) => {
    const problem = serviceNameProblem(name);
    if (problem === undefined) return;
    const suggestion = suggestServiceName(name);
    context.addIssue({
      code: "custom",
      message: suggestion === undefined ? problem : `${problem}; did you mean ${suggestion}?`,
    });
  })
  .brand<"ServiceName">();

/** The namespace a service owns. */
export function namespaceOf(service: ServiceName): string {
  return `app-${service}`;
}

/** Ends of names that a service's own parts have: in a namespace of several services, no service's name ends so. */
const endsOfParts = ["-cache", "-dashboard", "-db", "-metrics"];

/** Why a service cannot have this name in this namespace, where others may be beside it; undefined where it can. */
export function sharedNameProblem(name: string, namespace: string): string | undefined {
  if (namespace === `app-${name}`) return undefined;
  const end = endsOfParts.find((candidate) => name.endsWith(candidate));
  return end === undefined
    ? undefined
    : `a name ending in ${end} is that of a part of another service; only namespace app-${name} may have it`;
}

/** The Service that Prometheus scrapes, apart from the one that takes requests. */
export function metricsServiceOf(service: string): string {
  return `${service}-metrics`;
}

/** Label keys the platform sets; the cluster's guardrails and all selectors rely on them. */
export const labels = {
  /** `"true"` on a namespace the platform manages, and on every object it made. */
  managed: "platform.company.com/managed",
  service: "platform.company.com/service",
  /** The owning team. */
  team: "platform.company.com/team",
  /** On a managed namespace: the tier of the standards that decides its quota and where its images come from. */
  tier: "platform.company.com/tier",
  /** Name of the run that created the object: a rollback deletes only what carries its own. */
  run: "platform.company.com/run",
  /** What an object is to the service: `workload`, `database`, `cache`, or the part it belongs to. */
  component: "platform.company.com/component",
} as const;

/** On an Application: the number of the release it runs. */
export const releaseAnnotation = "platform.company.com/release";

/** `"true"` on a data store's StatefulSet and volume claims, or on the ConfigMap that says where it is, from when its service was ready on it: nothing deletes it unasked. */
export const protectionAnnotation = "platform.company.com/deletion-protection";

/** On the volume claim of a database's backups: what backups there are. */
export const backupsAnnotation = "platform.company.com/backups";

/** On the ConfigMap that says where a data store is that runs outside of the cluster: who runs it. */
export const providerAnnotation = "platform.company.com/provider";

/** On that ConfigMap, where CloudNativePG runs it: name of its Cluster, in {@link databasesNamespace}. */
export const instanceAnnotation = "platform.company.com/instance";

/** On an Application with data stores, until it has been said what of them is kept. */
export const applicationFinalizer = "platform.company.com/application";

/** On pods: a mark of the credentials they were started with, so that they roll when those change. */
export const credentialsAnnotation = "platform.company.com/credentials";

/** On an Application, its Deployment and the Job: a mark of the migration that was run for it, or of which nothing is to be run. */
export const migrationAnnotation = "platform.company.com/migration";

/** On the Secret of a database: the run that imported what is in it. */
export const importedAnnotation = "platform.company.com/imported";

/** On a Secret: how often it has been given other values, counted from 1 when it was made. */
export const secretVersionAnnotation = "platform.company.com/secret-version";

/** On an orphan that was adopted: for which service, by whom and when. */
export const adoptedAnnotation = "platform.company.com/adopted";

/** The namespace of Runs, standards and the platform's own parts. */
export const systemNamespace = "platform-system";

/** The operator's Deployment, ServiceAccount and Lease, in {@link systemNamespace}, and its ClusterRole. */
export const operatorName = "platform-operator";

/**
 * Namespace of the databases that CloudNativePG runs: of its pods, and of nobody else's. Services are in others, since its
 * controller makes roles and pods that talk to the API server.
 */
export const databasesNamespace = "platform-databases";

/** Namespace that Terraform's states are in: only who executes runs may read it. */
export const stateNamespace = "platform-state";

/** The one field manager under which commands and operator write (server-side apply). */
export const fieldManager = "platform";

/**
 * Labels of every object of a service, or of a namespace that no single service owns.
 * @param component - what the object is to the service, for example `workload` or `database`
 */
export function labelsFor(
  service: string | undefined,
  team: string,
  component: string,
): Record<string, string> {
  return {
    ...(service === undefined ? {} : { "app.kubernetes.io/name": service }),
    "app.kubernetes.io/managed-by": "platform",
    "app.kubernetes.io/component": component,
    [labels.managed]: "true",
    ...(service === undefined ? {} : { [labels.service]: service }),
    [labels.team]: team,
    [labels.component]: component,
  };
}
