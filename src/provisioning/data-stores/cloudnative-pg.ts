import { isDeepStrictEqual } from "node:util";
import { databasesNamespace } from "../../application/names.ts";
import { ports } from "../../application/ports.ts";
import { apply, type Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { apiVersionOf, definitionOf, type Resource, resources } from "../../cluster/resource.ts";
import { cleanText } from "../../cluster/text.ts";
import type { PlannedChanges, PlannedField } from "../../terraform/plan.ts";
import type { Clock } from "../clock.ts";
import { StepError } from "../errors.ts";
import { belongsTo, objectEffect, waitUntilGone } from "../objects.ts";
import type { PostgresStore } from "./cloud-store.ts";
import type { CloudStores, CloudWork } from "./cloud-stores.ts";
import { clusterLabel, clusterObjects, hostOfCluster, loginOfCluster } from "./postgres-cluster.ts";
import { authority, untilHealthy } from "./postgres-health.ts";

/** What databases of CloudNativePG are made with. */
export interface CloudNativePgAccess {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** How long each of a database's pods may take, in milliseconds. */
  readonly readyWithinMs: number;
}

const clusters = resources.postgresClusters;
const inPlace = (name: string) => ({ namespace: databasesNamespace, name });

/** Databases that CloudNativePG runs: the platform writes a Cluster, and waits. */
export function cloudNativePgStores(access: CloudNativePgAccess): CloudStores<PostgresStore> {
  const { cluster: own, clock } = access;

  /** Has the server say what it would make of it, CloudNativePG's webhooks among it. */
  async function tryOut(store: PostgresStore): Promise<void> {
    const { cluster } = clusterObjects(store.identity, store.variables, "");
    try {
      await own.create(clusters, cluster, { dryRun: true });
    } catch (error) {
      if (!isClusterError(error, "invalid", "forbidden", "server")) throw error;
      throw new StepError(
        "refused",
        cleanText(`CloudNativePG does not take the database of ${store.identity.name}: ${error.message}`),
        "have a platform engineer see what the message names: database.cloudnativepg in the standards, or CloudNativePG itself",
        error,
      );
    }
  }

  return {
    async check({ made, removed }) {
      if (made.length === 0 && removed.length === 0) return;
      await mustBeServed(own);
      await mustBeAllowed(own);
      await Promise.all(made.map(tryOut));
    },

    async preview(store) {
      await mustBeServed(own);
      await tryOut(store);
      return changes(store, "create", []);
    },

    async compare({ identity, variables }, work) {
      const cluster = work.cluster ?? own;
      const wanted = clusterObjects(identity, variables, "").cluster;
      const there = await find(cluster, clusters, inPlace(variables.name));
      const store = { variables };
      if (there === undefined) return changes(store, "create", []);
      const fields = [...differences(there.spec, wanted.spec, "spec")];
      return changes(store, fields.length === 0 ? "no-op" : "update", fields);
    },

    async ensure({ identity, variables }, password, work) {
      if (password === undefined) throw new Error("a database of CloudNativePG has no password of its own");
      const cluster = work.cluster ?? own;
      const { name } = variables;
      const objects = clusterObjects(identity, variables, password);
      const login = await loginMade(cluster, objects.login, identity.name);
      const { object, created } = await clusterMade(cluster, objects.cluster, identity.name);
      if (created) work.log(`cluster ${name} made in namespace ${databasesNamespace}`);
      const { policy, podMonitor } = objects.beside;
      const owner = ownerReference(object);
      await apply(cluster, resources.networkPolicies, ownedBy(owner, policy));
      if (await cluster.serves(resources.podMonitors)) {
        await apply(cluster, resources.podMonitors, ownedBy(owner, podMonitor));
      }
      await takeAlong(cluster, login.object, owner);
      const readyWithinMs = access.readyWithinMs * variables.instances;
      await untilHealthy(name, { ...work, cluster, clock, readyWithinMs });
      const certificate = await authority(cluster, name);
      return {
        host: hostOfCluster(name),
        port: ports.postgres.number,
        certificates: [certificate],
        changed: created || login.changed,
      };
    },

    async remove({ identity, variables: { name } }, _, work) {
      const cluster = work.cluster ?? own;
      const there = await find(cluster, clusters, inPlace(name));
      if (there !== undefined && !belongsTo(there, identity.name)) {
        throw somebodyElses(clusters, name, identity.name);
      }
      if (await removed(cluster, clusters, name, identity.name, work)) work.log(`cluster ${name} deleted`);
      await untilNoClaims(cluster, name, work);
      // Those go with the Cluster, but for a try that ended before they were its own.
      for (const [resource, each] of [
        [resources.podMonitors, name],
        [resources.networkPolicies, name],
        [resources.secrets, loginOfCluster(name)],
      ] as const) {
        await removed(cluster, resource, each, identity.name, work);
      }
    },
  };

  /** Whether there was one to remove: what somebody else has made under its name is left as it is. */
  async function removed(
    cluster: Cluster,
    resource: Resource,
    name: string,
    service: string,
    { signal, log }: CloudWork,
  ): Promise<boolean> {
    const found = await find(cluster, resource, inPlace(name));
    if (found === undefined || !belongsTo(found, service)) return false;
    const { uid } = found.metadata;
    try {
      await cluster.delete(resource, inPlace(name), {
        propagation: resource === clusters ? "Foreground" : "Background",
        ...(uid === undefined ? {} : { uid }),
      });
    } catch (error) {
      if (!isClusterError(error, "not-found", "conflict")) throw error;
    }
    const metadata = { name, namespace: databasesNamespace };
    const effect = objectEffect({ apiVersion: apiVersionOf(resource), kind: resource.kind, metadata });
    await waitUntilGone(cluster, clock, effect, uid, { signal, onProgress: log });
    return true;
  }

  /** The volumes are the Cluster's, and go after it: until then the data is there. */
  async function untilNoClaims(cluster: Cluster, name: string, { signal, log }: CloudWork): Promise<void> {
    const deadline = clock.now().getTime() + claimsGoWithinMs;
    for (let pause = 50, told = false; ; pause = Math.min(1_000, pause * 1.5)) {
      const { items } = await cluster.listMetadata(resources.persistentVolumeClaims, {
        namespace: databasesNamespace,
        labelSelector: `${clusterLabel}=${name}`,
      });
      if (items.length === 0) return;
      const names = items.map(({ metadata }) => metadata.name).join(", ");
      if (clock.now().getTime() > deadline) {
        throw new StepError(
          "unhealthy",
          `cluster ${name} is gone, and its volume claims are still there after ten minutes: ${names}`,
          `see what holds them: kubectl get pvc -n ${databasesNamespace} -l ${clusterLabel}=${name}; then retry`,
        );
      }
      if (!told) log(`waiting until its volumes are gone: ${names}`);
      told = true;
      await clock.sleep(pause, signal);
    }
  }
}

/** How long a deleted Cluster's volumes may take to disappear, in milliseconds. */
const claimsGoWithinMs = 10 * 60_000;

/** @throws StepError where CloudNativePG is not there, or the platform is not installed for it */
async function mustBeServed(cluster: Cluster): Promise<void> {
  if (!(await cluster.serves(clusters, { refresh: true }))) {
    throw new StepError(
      "refused",
      `the cluster does not serve ${definitionOf(clusters)}, version ${clusters.version}: there is no CloudNativePG`,
      "have a platform engineer install it, or choose another database.provider in the standards",
    );
  }
  if ((await find(cluster, resources.namespaces, { name: databasesNamespace })) !== undefined) return;
  throw new StepError(
    "refused",
    `the namespace ${databasesNamespace}, where CloudNativePG's databases run, is not there`,
    "have a platform engineer run: platform install",
  );
}

/** @throws StepError where whoever executes runs has no rights there */
async function mustBeAllowed(cluster: Cluster): Promise<void> {
  const kinds = [clusters, resources.secrets, resources.networkPolicies];
  const answers = await Promise.all(
    kinds.flatMap(({ group, plural: resource }) =>
      ["get", "create", "patch", "delete"].map((verb) =>
        cluster.can({ verb, group, resource, namespace: databasesNamespace }),
      ),
    ),
  );
  if (!answers.includes(false)) return;
  throw new StepError(
    "rights",
    `you may not make databases in ${databasesNamespace}: they are made by who may`,
    "have the operator do it, or a platform engineer",
  );
}

function somebodyElses({ kind }: Resource, name: string, service: string): StepError {
  return new StepError(
    "conflict",
    `${kind} ${name} in ${databasesNamespace} exists and is not ${service}'s; it was left as it is`,
    "have a platform engineer see whose it is",
  );
}

/** The Secret that CloudNativePG takes the password of the service's login from. */
async function loginMade(cluster: Cluster, wanted: KubeObject, service: string) {
  const { name } = wanted.metadata;
  const existing = await find(cluster, resources.secrets, inPlace(name));
  if (existing === undefined) {
    return { object: await cluster.create(resources.secrets, wanted), changed: true };
  }
  if (!belongsTo(existing, service)) throw somebodyElses(resources.secrets, name, service);
  if (isDeepStrictEqual(existing.data, wanted.data)) return { object: existing, changed: false };
  const { uid } = existing.metadata;
  const body = { data: wanted.data, ...(uid === undefined ? {} : { metadata: { uid } }) };
  return {
    object: await cluster.patch(resources.secrets, inPlace(name), { type: "merge", body }),
    changed: true,
  };
}

/** The Cluster, made once: whatever has become of it since is left as it is. */
async function clusterMade(cluster: Cluster, wanted: KubeObject, service: string) {
  const { name } = wanted.metadata;
  const existing = await find(cluster, clusters, inPlace(name));
  if (existing === undefined) return { object: await cluster.create(clusters, wanted), created: true };
  if (!belongsTo(existing, service)) throw somebodyElses(clusters, name, service);
  if (existing.metadata.deletionTimestamp === undefined) return { object: existing, created: false };
  throw new StepError(
    "transient",
    `cluster ${name} in ${databasesNamespace} is being deleted`,
    "wait until it is gone, then retry",
  );
}

interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

function ownerReference({ metadata: { name, uid = "" } }: KubeObject): Owner {
  return { apiVersion: apiVersionOf(clusters), kind: clusters.kind, name, uid };
}

function ownedBy(owner: Owner, object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, ownerReferences: [owner] } };
}

/** The Secret was there before the Cluster; from now on it goes with it. */
async function takeAlong(cluster: Cluster, { metadata }: KubeObject, owner: Owner): Promise<void> {
  if (metadata.ownerReferences?.some(({ uid }) => uid === owner.uid) === true) return;
  const body = { metadata: { ownerReferences: [owner] } };
  await cluster.patch(resources.secrets, inPlace(metadata.name), { type: "merge", body });
}

function changes(
  { variables: { name } }: Pick<PostgresStore, "variables">,
  action: "create" | "update" | "no-op",
  fields: readonly PlannedField[],
): PlannedChanges {
  const resource = {
    address: `cluster ${name}`,
    type: definitionOf(clusters),
    action,
    holdsData: true,
    imported: false,
    tainted: false,
    fields,
    workspace: undefined,
  };
  return { resources: [resource], drift: [], losesData: [], changes: action !== "no-op" };
}

/** What of the wanted is otherwise; what CloudNativePG adds does not count. */
function* differences(there: unknown, wanted: unknown, path: string): Generator<PlannedField> {
  if (typeof wanted === "object" && wanted !== null && !Array.isArray(wanted)) {
    for (const [key, value] of Object.entries(wanted)) {
      yield* differences(Reflect.get(Object(there), key), value, `${path}.${key}`);
    }
    return;
  }
  if (isDeepStrictEqual(there, wanted)) return;
  const before = there === undefined ? undefined : cleanText(JSON.stringify(there));
  yield { path, before, after: JSON.stringify(wanted) };
}
