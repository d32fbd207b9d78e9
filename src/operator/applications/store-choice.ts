import { wholeSpec } from "../../application/application.ts";
import { cacheNames, databaseNames } from "../../application/credentials.ts";
import { type StoreKind, storeKinds, withProviders } from "../../application/store-provider.ts";
import { saysNothing, storeCondition, storeConditionIn } from "../../application/store-rules.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import type { Standards } from "../../standards/standards.ts";
import type { ChildStore } from "./child-store.ts";
import type { HeldApplication } from "./held-application.ts";

/**
 * Has an applied Application say who runs its data stores, where it leaves that to the standards and they have it run
 * elsewhere than beside the service. It is written once, before anything is made, as a command would have written it: later standards change
 * nothing. What is there already, kept by an earlier Application of that name, stays what it is.
 */
export class StoreChoice {
  readonly #cluster: Cluster;
  readonly #children: Pick<ChildStore, "get">;
  readonly #now: () => Date;

  constructor(cluster: Cluster, children: Pick<ChildStore, "get">, now: () => Date) {
    this.#cluster = cluster;
    this.#children = children;
    this.#now = now;
  }

  /** The Application as it is then; undefined where there was nothing to write. @throws ClusterError */
  async write(
    held: HeldApplication,
    team: string,
    standards: Pick<Standards, StoreKind>,
    signal: AbortSignal,
  ): Promise<KubeObject | undefined> {
    const choices = choicesOf(held, team, standards, this.#kept(held));
    if (choices.length === 0) return undefined;
    const decided = await Promise.all(
      choices.map(async ({ store, provider, isKept }) =>
        isKept || (await this.#isNothingThere(held, store, signal)) ? [[store, { provider }] as const] : [],
      ),
    );
    const spec = Object.fromEntries(decided.flat());
    const stores = storeKinds.filter((store) => store in spec);
    if (stores.length === 0) return undefined;
    const { name, namespace } = held;
    const resourceVersion = await this.#sayNothingIsMade(held, stores, signal);
    const body = { metadata: { resourceVersion }, spec };
    return this.#cluster.patch(
      resources.applications,
      { name, namespace },
      { type: "merge", body },
      { signal },
    );
  }

  /** The API server lets only that be decided of which the status says that there is nothing. */
  async #sayNothingIsMade(
    { name, namespace, version, generation, status }: HeldApplication,
    stores: readonly StoreKind[],
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const unsaid = stores.filter((store) => storeConditionIn(status, store) === undefined);
    if (unsaid.length === 0) return version;
    const conditions = unsaid.map((store) => ({
      type: storeCondition[store],
      status: "Unknown",
      reason: "Undecided",
      message: "the standards say where it runs",
      lastTransitionTime: this.#now()
        .toISOString()
        .replace(/\.\d+Z$/, "Z"),
      observedGeneration: generation,
    }));
    const body = {
      metadata: { resourceVersion: version },
      status: { conditions: [...(status.conditions ?? []), ...conditions] },
    };
    const written = await this.#cluster.patch(
      resources.applications,
      { name, namespace },
      { type: "merge", body },
      { subresource: "status", signal },
    );
    return written.metadata.resourceVersion;
  }

  /** Whether nothing is there that runs in the cluster, or is about to. */
  async #isNothingThere(held: HeldApplication, store: StoreKind, signal: AbortSignal): Promise<boolean> {
    const ref = { namespace: held.namespace, name: dataStoreOf(held, store) };
    const found = await Promise.all(
      [resources.configMaps, resources.statefulSets, resources.secrets].map((resource) =>
        find(this.#cluster, resource, ref, { signal }),
      ),
    );
    return found.every((object) => object === undefined);
  }

  /** Who runs what was kept of an earlier Application of this name, elsewhere than beside it. */
  #kept(held: HeldApplication): Kept {
    const providers = storeKinds.map((store) => {
      const key = `${held.namespace}/${dataStoreOf(held, store)}`;
      return [store, this.#children.get(resources.configMaps, key)?.provider] as const;
    });
    return Object.fromEntries(providers);
  }
}

/** Name of the objects of a service's data store. */
function dataStoreOf({ name, namespace }: HeldApplication, store: StoreKind): string {
  const owner = { metadata: { name, namespace }, spec: {} };
  return store === "database" ? databaseNames(owner).name : cacheNames(owner).name;
}

/** Who runs what was kept, by data store. */
type Kept = Readonly<Partial<Record<StoreKind, string | undefined>>>;

/**
 * Who is to run the data stores of which an Application does not say it, and of which nothing was made yet: whoever runs
 * what was kept of it, else whom the standards choose. Pure.
 */
export function choicesOf(
  { spec, status }: Pick<HeldApplication, "spec" | "status">,
  team: string,
  standards: Pick<Standards, StoreKind>,
  kept: Kept,
): readonly { readonly store: StoreKind; readonly provider: string; readonly isKept: boolean }[] {
  const isInCluster = storeKinds.every(
    (store) => standards[store].provider === "in-cluster" && kept[store] === undefined,
  );
  if (isInCluster) return [];
  // What the API server takes and this program does not is told where the Application is worked on.
  const parsed = parsedSpec(spec, team);
  if (parsed === undefined) return [];
  const wanted = withProviders(parsed, undefined, standards);
  return storeKinds.flatMap((store) => {
    const said = storeConditionIn(status, store);
    const isOpen = said === undefined || saysNothing(said);
    if (parsed[store] === undefined || parsed[store].provider !== undefined || !isOpen) return [];
    // Of one that is not the platform's there is nothing to keep.
    const there = kept[store] === "external" ? undefined : kept[store];
    const provider = there ?? wanted[store]?.provider;
    return provider === undefined ? [] : [{ store, provider, isKept: there !== undefined }];
  });
}

function parsedSpec(spec: unknown, team: string) {
  try {
    return wholeSpec(spec, team);
  } catch {
    return undefined;
  }
}
