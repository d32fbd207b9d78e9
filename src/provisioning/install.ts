import { isDeepStrictEqual } from "node:util";
import { applicationCrd } from "../application/crd.ts";
import { systemNamespace } from "../application/names.ts";
import { apply, type Cluster } from "../cluster/cluster.ts";
import { conditionsOf, holds } from "../cluster/conditions.ts";
import { isClusterError } from "../cluster/errors.ts";
import { find } from "../cluster/find.ts";
import type { KubeObject } from "../cluster/object.ts";
import { type Resource, resourceOf, resources } from "../cluster/resource.ts";
import { standardsCrd } from "../standards/crd.ts";
import { type Standards, standardsName, standardsSchema } from "../standards/standards.ts";
import type { Clock } from "./clock.ts";
import { ProvisioningError } from "./errors.ts";
import { isInstalled } from "./installed.ts";
import { runCrd } from "./run-crd.ts";

/** What became, or in a dry run would become, of one object of the installation. */
export interface InstallResult {
  readonly object: KubeObject;
  readonly outcome: "created" | "changed" | "unchanged";
}

export interface InstallOptions {
  /** Left out: those of the cluster are kept; a cluster without any gets the defaults. */
  readonly standards?: Standards;
  /** The server checks everything, and nothing is written. */
  readonly dryRun?: boolean;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/** Longest time the API server may take to serve a new CRD, in milliseconds. */
const establishedWithin = 30_000;

const crds = [applicationCrd, standardsCrd, runCrd];

/** Where Runs live. It carries no label of a managed namespace: those are the services'. */
const namespace: KubeObject = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: {
    name: systemNamespace,
    labels: {
      "app.kubernetes.io/name": "platform",
      "app.kubernetes.io/managed-by": "platform",
      ...Object.fromEntries(
        ["enforce", "audit", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]),
      ),
    },
  },
};

function standardsObject(standards: Standards): KubeObject {
  return {
    apiVersion: "platform.company.com/v1",
    kind: "Standards",
    metadata: { name: standardsName, labels: { "app.kubernetes.io/managed-by": "platform" } },
    spec: standards,
  };
}

function existing(cluster: Cluster, object: KubeObject, signal: AbortSignal | undefined) {
  const options = signal === undefined ? {} : { signal };
  return find(cluster, resourceOf(object), { name: object.metadata.name }, options);
}

/** Everything that installing takes, asked before anything is written. */
async function checkRights(cluster: Cluster, signal: AbortSignal | undefined): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  const wanted: readonly Resource[] = [
    resources.customResourceDefinitions,
    resources.namespaces,
    resources.standards,
  ];
  const missing = await Promise.all(
    wanted.map(async ({ group, plural }) => {
      const verbs = ["get", "create", plural === resources.standards.plural ? "update" : "patch"];
      const may = await Promise.all(
        verbs.map((verb) => cluster.can({ verb, group, resource: plural }, options)),
      );
      const lacking = verbs.filter((_, index) => may[index] === false);
      return lacking.length === 0
        ? []
        : [`${lacking.join("/")} ${group === "" ? plural : `${plural}.${group}`}`];
    }),
  );
  if (missing.flat().length === 0) return;
  throw new ProvisioningError(
    "rights",
    `installing needs rights that you lack on ${cluster.context}: ${missing.flat().join(", ")}; nothing was written`,
    `ask a cluster administrator of ${cluster.context} to run: platform install`,
  );
}

/**
 * Standards are one document of one author, so they are written whole. Server-side apply would not do: where it gives
 * up the last field of a map it leaves `null`, which a CRD's schema refuses.
 */
async function writeWhole(
  cluster: Cluster,
  object: KubeObject,
  before: KubeObject | undefined,
  options: { readonly signal?: AbortSignal },
  attempts = 5,
): Promise<KubeObject> {
  const resource = resourceOf(object);
  const { resourceVersion } = before?.metadata ?? {};
  try {
    if (resourceVersion === undefined) return await cluster.create(resource, object, options);
    const metadata = { ...object.metadata, resourceVersion };
    return await cluster.replace(resource, { ...object, metadata }, options);
  } catch (error) {
    if (attempts === 1 || !isClusterError(error, "already-exists", "conflict")) throw error;
    // Somebody else wrote them meanwhile; the last to install decides, as with everything that is applied.
    return writeWhole(
      cluster,
      object,
      await existing(cluster, object, options.signal),
      options,
      attempts - 1,
    );
  }
}

async function write(
  cluster: Cluster,
  object: KubeObject,
  { dryRun = false, signal }: InstallOptions,
): Promise<InstallResult> {
  const before = await existing(cluster, object, signal);
  const options = signal === undefined ? {} : { signal };
  // A CRD of this same installation says what standards may be: the server cannot check them before it has it.
  if (dryRun && object.kind === "Standards") {
    const outcome =
      before === undefined
        ? "created"
        : isDeepStrictEqual(before.spec, object.spec)
          ? "unchanged"
          : "changed";
    return { object, outcome };
  }
  const after =
    object.kind === "Standards"
      ? await writeWhole(cluster, object, before, options)
      : await apply(cluster, resourceOf(object), object, { ...options, dryRun });
  if (before === undefined) return { object, outcome: "created" };
  const same = dryRun
    ? before.metadata.generation === after.metadata.generation &&
      isDeepStrictEqual(before.metadata.labels, after.metadata.labels)
    : before.metadata.resourceVersion === after.metadata.resourceVersion;
  return { object, outcome: same ? "unchanged" : "changed" };
}

async function waitUntilServed(cluster: Cluster, { clock, signal }: InstallOptions): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  const deadline = clock.now().getTime() + establishedWithin;
  for (;;) {
    const found = await Promise.all(crds.map((crd) => existing(cluster, crd, signal)));
    const established = found.every((crd) => crd !== undefined && holds(conditionsOf(crd), "Established"));
    if (established && (await isInstalled(cluster, { ...options, refresh: true }))) return;
    if (clock.now().getTime() >= deadline) {
      throw new ProvisioningError(
        "refused",
        `the cluster of ${cluster.context} took the CRDs but does not serve them after ${establishedWithin / 1000} s`,
        "see kubectl describe crd applications.platform.company.com, then run platform install again",
      );
    }
    await clock.sleep(200, signal);
  }
}

/**
 * Installs the platform, or brings an installation up to date: CRDs and `platform-system` by server-side apply,
 * the standards whole; a second time changes nothing. With `dryRun` nothing is written.
 * @throws ProvisioningError of kind `rights` before anything is written where the person may not; ClusterError.
 */
export async function install(cluster: Cluster, options: InstallOptions): Promise<readonly InstallResult[]> {
  const { signal, dryRun = false } = options;
  await checkRights(cluster, signal);
  const results: InstallResult[] = [];
  for (const object of [...crds, namespace]) results.push(await write(cluster, object, options));
  if (!dryRun) await waitUntilServed(cluster, options);
  const current = await existing(cluster, standardsObject(standardsSchema.parse({})), signal);
  const wanted = options.standards ?? (current === undefined ? standardsSchema.parse({}) : undefined);
  if (wanted !== undefined) results.push(await write(cluster, standardsObject(wanted), options));
  else if (current !== undefined) results.push({ object: current, outcome: "unchanged" });
  return results;
}
