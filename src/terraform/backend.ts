import { createHash } from "node:crypto";
import { z } from "zod";

/** What a workspace is for: one data store of one Application. */
export interface WorkspaceIdentity {
  /** Namespace of the Application. */
  readonly namespace: string;
  /** Name of the Application, at most 46 characters. */
  readonly name: string;
  readonly store: "db" | "cache";
  /** Which instance of it, where a restore has made another one: of lower-case letters and digits. */
  readonly copy?: string;
}

const dnsLabel = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
const bucket = z.string().regex(/^[a-z0-9][-a-z0-9._]{1,61}[a-z0-9]$/);

/** Where states live. All names within are derived; who chooses the place is the organisation, in its standards. */
export const backendPlaceSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("kubernetes"),
    namespace: dnsLabel,
    /** How to reach the cluster: as this pod's ServiceAccount, or by a context of a kubeconfig file. */
    access: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("in-cluster") }),
      z.strictObject({ kind: z.literal("kubeconfig"), path: z.string().min(1), context: z.string().min(1) }),
    ]),
  }),
  z.strictObject({ kind: z.literal("gcs"), bucket }),
  z.strictObject({ kind: z.literal("s3"), bucket, region: z.string().regex(/^[a-z0-9-]{1,32}$/) }),
  /** For the sandbox and for tests: a folder of this machine. */
  z.strictObject({ kind: z.literal("local"), folder: z.string().min(1) }),
]);
export type BackendPlace = z.output<typeof backendPlaceSchema>;

/**
 * The one name of a workspace, wherever its state lives: `NAME-HASH-db`. The hash is of fixed length and covers the
 * namespace and which instance it is, so that no two share one, and the end is no number, which the kubernetes backend
 * forbids. At most 63 characters, because it becomes a label's value.
 */
export function workspaceName({ namespace, name, store, copy }: WorkspaceIdentity): string {
  const of = copy === undefined ? `${namespace}/${name}` : `${namespace}/${name}/${copy}`;
  const hash = createHash("sha256").update(of).digest("hex").slice(0, 10);
  return `${name}-${hash}-${store}`;
}

/** What an instance is labelled with: the same for all of one data store, because a clone has the labels of its source. */
export function ownerName({ copy: _, ...identity }: WorkspaceIdentity): string {
  return workspaceName(identity);
}

/** Characters of a service's name that an instance's name begins with; Memorystore takes 41 in all. */
const longestBeginning = 28;

/**
 * Name of a data store's instance in the cloud: `NAME-HASH`, at most 41 characters. The same for the same data store, so
 * that what was made but not recorded is found.
 * @param incarnation - what differs when the service is made anew, for example its namespace's UID: Google lets nobody
 * use an instance's name again for a week
 */
export function instanceName(identity: WorkspaceIdentity, incarnation: string): string {
  const hash = createHash("sha256")
    .update(`${workspaceName(identity)}/${incarnation}`)
    .digest("hex")
    .slice(0, 12);
  return `${identity.name.slice(0, longestBeginning).replace(/-+$/, "")}-${hash}`;
}

/** What `terraform init` is told about the state's place: a file of JSON, whose strings are data. */
export function backendConfiguration(
  place: BackendPlace,
  workspace: string,
): Readonly<Record<string, unknown>> {
  switch (place.kind) {
    case "kubernetes":
      return {
        namespace: place.namespace,
        secret_suffix: workspace,
        ...(place.access.kind === "in-cluster"
          ? { in_cluster_config: true }
          : { config_path: place.access.path, config_context: place.access.context }),
      };
    case "gcs":
      return { bucket: place.bucket, prefix: `platform/${workspace}` };
    case "s3":
      return {
        bucket: place.bucket,
        region: place.region,
        key: `platform/${workspace}/terraform.tfstate`,
        // Which Terraform lists when it begins: rights may be limited to `platform/`.
        workspace_key_prefix: `platform/${workspace}`,
        encrypt: true,
        use_lockfile: true,
      };
    case "local":
      return { path: `${place.folder}/${workspace}.tfstate` };
  }
}
