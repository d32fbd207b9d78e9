import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemNamespace } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import type { Timing } from "../../cluster/timing.ts";
import { type BackendPlace, ownerName, workspaceName } from "../../terraform/backend.ts";
import { findTerraform, type TerraformBinary } from "../../terraform/binary.ts";
import { bucketTakesStates } from "../../terraform/bucket-check.ts";
import { cloudSqlPostgres } from "../../terraform/cloudsql.ts";
import { clusterHolders, clusterUnlock, nearAndFar, podUidIn } from "../../terraform/cluster-holders.ts";
import {
  type DataStoreOptions,
  ensureDataStore,
  planOfDataStore,
  removeDataStore,
} from "../../terraform/data-store.ts";
import { terraformEnvironment } from "../../terraform/environment.ts";
import { TerraformError } from "../../terraform/error.ts";
import type { TerraformEvent } from "../../terraform/events.ts";
import { type Holder, lookAtProcesses } from "../../terraform/holder.ts";
import { holderFile } from "../../terraform/holder-file.ts";
import { memorystoreAuth, memorystoreRedis } from "../../terraform/memorystore.ts";
import type { TerraformModule } from "../../terraform/module.ts";
import { planLines } from "../../terraform/plan.ts";
import { openWorkspace, type Workspace } from "../../terraform/workspace.ts";
import { removeUnused } from "../../terraform/workspace-folder.ts";
import type { GoogleStore } from "./cloud-store.ts";
import type { CloudStores, CloudWork } from "./cloud-stores.ts";

/** What Terraform works with. */
export interface TerraformAccess {
  readonly cluster: Cluster;
  readonly timing: Timing;
  readonly place: BackendPlace;
  /** Folder of the workspaces of this machine. */
  readonly folder: string;
  /** This process's own. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** For tests: how to reach a provider that runs already. */
  readonly provider?: Readonly<Record<string, string>>;
  /** The pod that this is. */
  readonly pod?: NonNullable<Holder["pod"]>;
  /** Milliseconds Terraform may take to stop in good order. */
  readonly patience?: number;
}

/** How a wait for Terraform's progress is told, at most so often, in seconds. */
const tellEvery = 30;

/** Cloud SQL and Memorystore, by Terraform. */
export function terraformStores(access: TerraformAccess): CloudStores<GoogleStore> {
  const { cluster, timing, place, folder, environment } = access;

  async function open<Outputs>(
    module: TerraformModule<Outputs>,
    { identity }: GoogleStore,
    binary: TerraformBinary,
    run: string,
    elsewhere?: { readonly place: BackendPlace; readonly root: string },
  ): Promise<Workspace<Outputs>> {
    const name = workspaceName(identity);
    await removeUnused(folder, timing);
    const where = elsewhere?.place ?? place;
    return openWorkspace({
      binary,
      module,
      name,
      owner: ownerName(identity),
      place: where,
      root: elsewhere?.root ?? folder,
      environment: terraformEnvironment(environment, access.provider),
      timing,
      holders: (near) =>
        where.kind === "local"
          ? holderFile(near)
          : nearAndFar(holderFile(near), clusterHolders(cluster, holdersNamespace(where), name)),
      ...(where.kind === "kubernetes" ? { unlock: clusterUnlock(cluster, where.namespace, name) } : {}),
      look: lookAtProcesses(podUidIn(cluster)),
      run,
      ...(access.pod === undefined ? {} : { pod: access.pod }),
      ...(access.patience === undefined ? {} : { patience: access.patience }),
    });
  }

  /** What there is of the state of a data store that is gone. */
  async function forget(name: string): Promise<void> {
    if (place.kind === "local") {
      for (const file of [`${name}.tfstate`, `${name}.tfstate.backup`]) {
        await rm(join(place.folder, file), { force: true });
      }
    }
    if (place.kind !== "kubernetes") return;
    const { namespace } = place;
    const state = `tfstate-default-${name}`;
    for (const [resource, of] of [
      [resources.secrets, state],
      [resources.leases, `lock-${state}`],
    ] as const) {
      try {
        await cluster.delete(resource, { namespace, name: of });
      } catch (error) {
        if (!isClusterError(error, "not-found")) throw error;
      }
    }
  }

  return {
    async check() {
      const binary = await findTerraform(environment);
      if (place.kind === "local") return;
      if (place.kind === "kubernetes") return stateIsWithinReach(cluster, place.namespace);
      await holdersAreWithinReach(cluster);
      await bucketTakesStates(place, binary, terraformEnvironment(environment, access.provider));
    },

    async preview(store, signal) {
      const binary = await findTerraform(environment);
      const root = await mkdtemp(join(tmpdir(), "platform-preview-"));
      try {
        const elsewhere = { place: { kind: "local", folder: root } as const, root: join(root, "workspaces") };
        const options = { variables: store.variables, cloned: isClone(store), signal };
        return store.provider === "cloudsql"
          ? await planOfDataStore(await open(cloudSqlPostgres, store, binary, "preview", elsewhere), options)
          : await planOfDataStore(await open(memorystoreRedis, store, binary, "preview", elsewhere), options);
      } finally {
        await rm(root, { recursive: true, force: true });
      }
    },

    async compare(store, work) {
      const binary = await findTerraform(environment);
      const workspace =
        store.provider === "cloudsql"
          ? await open(cloudSqlPostgres, store, binary, work.run)
          : await open(memorystoreRedis, store, binary, work.run);
      const plan = await planOfDataStore(workspace, {
        variables: store.variables,
        cloned: isClone(store),
        ...(work.lockHolder === undefined ? {} : { lockHolder: work.lockHolder }),
        signal: work.signal,
      });
      return plan;
    },

    async ensure(store, password, work) {
      const binary = await findTerraform(environment);
      let changed = false;
      const options = told(store, work, () => {
        changed = true;
      });
      if (store.provider === "cloudsql") {
        const workspace = await open(cloudSqlPostgres, store, binary, work.run);
        const { host, port, ca_certificate } = await ensureDataStore(workspace, {
          ...options,
          ...(password === undefined ? {} : { hidden: { password } }),
        });
        return { host, port, certificates: ca_certificate === null ? [] : [ca_certificate], changed };
      }
      const workspace = await open(memorystoreRedis, store, binary, work.run);
      const { host, port, ca_certificates } = await ensureDataStore(workspace, options);
      const auth = await workspace.secret(memorystoreAuth.address, memorystoreAuth.attribute);
      if (auth === undefined) {
        throw new TerraformError(
          "invalid",
          `the cache ${store.variables.name} is there, but has no AUTH string`,
          "see that nobody has switched AUTH off in the console, then retry",
        );
      }
      return { host, port, certificates: ca_certificates, password: auth, changed };
    },

    async remove(store, why, work) {
      const binary = await findTerraform(environment);
      const workspace =
        store.provider === "cloudsql"
          ? await open(cloudSqlPostgres, store, binary, work.run)
          : await open(memorystoreRedis, store, binary, work.run);
      await removeDataStore(workspace, told(store, work), why);
      await forget(workspace.name);
    },
  };
}

/** Where it is recorded who works on a state: beside it, or beside the runs that they do it for. */
function holdersNamespace(place: BackendPlace): string {
  return place.kind === "kubernetes" ? place.namespace : systemNamespace;
}

/** @throws TerraformError where states cannot be kept there */
async function stateIsWithinReach(cluster: Cluster, namespace: string): Promise<void> {
  const allowed = await Promise.all(
    ["get", "create", "update", "delete"].map((verb) =>
      cluster.can({ verb, group: resources.secrets.group, resource: resources.secrets.plural, namespace }),
    ),
  );
  if (allowed.includes(false)) {
    throw new TerraformError(
      "credentials",
      `you may not keep Terraform's states in ${namespace}: data stores outside of the cluster are made by who may`,
      "have the operator do it, or a platform engineer",
    );
  }
  const found = await find(cluster, resources.namespaces, { name: namespace });
  if (found !== undefined) return;
  throw new TerraformError(
    "invalid",
    `the namespace ${namespace}, where Terraform's states are kept, is not there`,
    "have a platform engineer run: platform install",
  );
}

/** @throws TerraformError where it cannot be recorded who works on a state in a bucket */
async function holdersAreWithinReach(cluster: Cluster): Promise<void> {
  const { group, plural: resource } = resources.configMaps;
  const allowed = await Promise.all(
    ["get", "create", "patch", "delete"].map((verb) =>
      cluster.can({ verb, group, resource, namespace: systemNamespace }),
    ),
  );
  if (!allowed.includes(false)) return;
  throw new TerraformError(
    "credentials",
    `you may not record in ${systemNamespace} who works on Terraform's states: data stores outside of the cluster are made by who may`,
    "have the operator do it, or a platform engineer",
  );
}

function isClone(store: GoogleStore): boolean {
  return store.provider === "cloudsql" && store.variables.clone !== null;
}

function told(
  store: GoogleStore,
  { signal, log, lockHolder }: CloudWork,
  onPlan: () => void = () => {},
): DataStoreOptions {
  const lastTold = new Map<string, number>();
  return {
    variables: store.variables,
    cloned: isClone(store),
    ...(lockHolder === undefined ? {} : { lockHolder }),
    signal,
    review(plan) {
      onPlan();
      for (const line of planLines(plan)) log(`plan: ${line}`);
    },
    onEvent(event) {
      const line = lineOf(event, lastTold);
      if (line !== undefined) log(line);
    },
  };
}

const doing = {
  create: ["making", "made"],
  update: ["changing", "changed"],
  delete: ["removing", "removed"],
  import: ["taking over", "taken over"],
} as const;

/** What is worth telling of an event. */
function lineOf(event: TerraformEvent, lastTold: Map<string, number>): string | undefined {
  if (event.type === "diagnostic") {
    return event.severity === "warning" ? `warning: ${event.summary}` : undefined;
  }
  if (event.type !== "resource" || event.action === "read" || event.action === "refresh") return undefined;
  const [now, after] = doing[event.action];
  const key = `${event.action} ${event.address}`;
  const seconds = Math.round(event.elapsed);
  switch (event.phase) {
    case "start":
      return `${now} ${event.address}`;
    case "progress":
      if (seconds - (lastTold.get(key) ?? 0) < tellEvery) return undefined;
      lastTold.set(key, seconds);
      return `still ${now} ${event.address}, ${seconds} s`;
    case "complete":
      return `${after} ${event.address} in ${seconds} s`;
    case "errored":
      return `${now} ${event.address} failed after ${seconds} s`;
  }
}
