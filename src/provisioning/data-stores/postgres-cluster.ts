import { z } from "zod";
import { databasesNamespace, labels, labelsFor } from "../../application/names.ts";
import { ports } from "../../application/ports.ts";
import { clusterPodLabels, usersOfCluster } from "../../application/postgres-cluster.ts";
import type { KubeObject, ObjectMeta } from "../../cluster/object.ts";
import { apiVersionOf, resources } from "../../cluster/resource.ts";
import type { WorkspaceIdentity } from "../../terraform/backend.ts";

const amounts = z.strictObject({ cpu: z.string(), memory: z.string() });

/** Roles and prefixes that CloudNativePG keeps for itself. */
const reserved = /^(streaming_replica$|cnpg_)/i;

/** A database that CloudNativePG runs, as it was decided when it was made. */
export const postgresClusterSchema = z.strictObject({
  /** Of its Cluster. Its Services have it with an end, so CloudNativePG takes 50 characters. */
  name: z
    .string()
    .max(50)
    .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/),
  database: z.string().min(1).max(63),
  user: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, "is not a name of letters, digits and underscores")
    .refine((name) => !reserved.test(name), "is CloudNativePG's own"),
  image: z.string(),
  instances: z.int().min(1),
  storage: z.string(),
  storage_class: z.string().nullable().default(null),
  resources: z.strictObject({ requests: amounts, limits: amounts }),
  /** How Prometheus is told of it, and from where it asks. */
  monitoring: z.strictObject({ namespace: z.string(), labels: z.record(z.string(), z.string()) }),
  team: z.string(),
  deletion_protection: z.boolean(),
});
export type PostgresCluster = z.output<typeof postgresClusterSchema>;

/** Host of the database, whichever of its pods is the primary. Pure. */
export function hostOfCluster(name: string): string {
  return `${name}-rw.${databasesNamespace}.svc`;
}

/** The Secret that CloudNativePG makes with the authority that signs the server's certificates. Pure. */
export function authorityOfCluster(name: string): string {
  return `${name}-ca`;
}

/** Label by which CloudNativePG marks everything that it makes for a Cluster. */
export const clusterLabel = "cnpg.io/cluster";

/** What of a database the platform writes; CloudNativePG makes the rest. */
export interface ClusterObjects {
  readonly login: KubeObject;
  readonly cluster: KubeObject;
  /** What is the Cluster's: it goes with it. */
  readonly beside: { readonly policy: KubeObject; readonly podMonitor: KubeObject };
}

/** The objects of a database. Pure. @param password - of the service's login */
export function clusterObjects(
  { namespace, name: service }: Pick<WorkspaceIdentity, "namespace" | "name">,
  wanted: PostgresCluster,
  password: string,
): ClusterObjects {
  const { name, team } = wanted;
  const metadata = (own = name): ObjectMeta => ({
    name: own,
    namespace: databasesNamespace,
    labels: labelsFor(service, team, "database"),
  });
  const login: KubeObject = {
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/basic-auth",
    metadata: {
      ...metadata(loginOfCluster(name)),
      // Whoever changes it has CloudNativePG change the password.
      labels: { ...labelsFor(service, team, "database"), "cnpg.io/reload": "true" },
    },
    data: { username: base64(wanted.user), password: base64(password) },
  };
  return {
    login,
    cluster: {
      apiVersion: apiVersionOf(resources.postgresClusters),
      kind: resources.postgresClusters.kind,
      metadata: metadata(),
      spec: specOf(service, wanted),
    },
    beside: {
      policy: policyOf({ namespace, name: service }, wanted, metadata()),
      podMonitor: podMonitorOf(wanted, metadata()),
    },
  };
}

/** Name of the Secret beside a Cluster with the password of its owner. Pure. */
export function loginOfCluster(name: string): string {
  return `${name}-login`;
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

function specOf(service: string, wanted: PostgresCluster) {
  const { database, user, storage, storage_class: storageClass } = wanted;
  return {
    description: `Database of service ${service}`,
    imageName: wanted.image,
    instances: wanted.instances,
    // By these alone the service's pods find its pods.
    inheritedMetadata: { labels: { ...clusterPodLabels({ name: service }), [labels.team]: wanted.team } },
    enableSuperuserAccess: false,
    bootstrap: {
      initdb: { database, owner: user, dataChecksums: true, secret: { name: loginOfCluster(wanted.name) } },
    },
    storage: { size: storage, ...(storageClass === null ? {} : { storageClass }) },
    resources: wanted.resources,
    postgresql: {
      // The service's login and nobody else, with TLS and in no other way: these come before CloudNativePG's last rule.
      pg_hba: [`hostssl "${database}" "${user}" all scram-sha-256`, "host all all all reject"],
    },
    affinity: {
      enablePodAntiAffinity: true,
      podAntiAffinityType: "preferred",
      topologyKey: "kubernetes.io/hostname",
    },
  };
}

const tcp = (port: number) => ({ protocol: "TCP", port });
/** Where CloudNativePG's instances answer it and each other, and where Prometheus asks. */
const [statusPort, metricsPort] = [8000, 9187];

function policyOf(
  owner: Pick<WorkspaceIdentity, "namespace" | "name">,
  { name, monitoring }: PostgresCluster,
  metadata: ObjectMeta,
): KubeObject {
  const own = { podSelector: { matchLabels: { [clusterLabel]: name } } };
  const each = [tcp(ports.postgres.number), tcp(statusPort)];
  const prometheus = {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": monitoring.namespace } },
  };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata,
    spec: {
      ...own,
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        { from: [usersOfCluster(owner)], ports: [tcp(ports.postgres.number)] },
        { from: [own], ports: each },
        { from: [prometheus], ports: [tcp(metricsPort)] },
      ],
      egress: [{ to: [own], ports: each }],
    },
  };
}

function podMonitorOf({ name, monitoring }: PostgresCluster, metadata: ObjectMeta): KubeObject {
  return {
    apiVersion: apiVersionOf(resources.podMonitors),
    kind: resources.podMonitors.kind,
    metadata: { ...metadata, labels: { ...monitoring.labels, ...metadata.labels } },
    spec: {
      selector: { matchLabels: { [clusterLabel]: name } },
      podTargetLabels: [labels.service, labels.team],
      podMetricsEndpoints: [{ port: "metrics", path: "/metrics", scheme: "http", interval: "30s" }],
    },
  };
}
