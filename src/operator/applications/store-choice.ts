import { wholeSpec } from "../../application/application.ts";
import { cacheNames, databaseNames } from "../../application/credentials.ts";
import { providerAnnotation } from "../../application/names.ts";
import { type StoreKind, storeKinds, withProviders } from "../../application/store-provider.ts";
import { saysNothing, storeCondition, storeConditionIn } from "../../application/store-rules.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import type { Standards } from "../../standards/standards.ts";
import type { HeldApplication } from "./held-application.ts";

/**
 * Has an applied Application say who runs its data stores, where it leaves that to the standards and they have it run
 * elsewhere than beside the service. It is written once, before anything is made, as a command would have written it: later standards change
 * nothing. What is there already, kept by an earlier Application of that name, stays what it is.
 */
export class StoreChoice {
  readonly #cluster: Cluster;
  readonly #now: () => Date;

  constructor(cluster: Cluster, now: () => Date) {
    this.#cluster = cluster;
    this.#now = now;
  }

  /** The Application as it is then; undefined where there was nothing to write. @throws ClusterError */
  async write(
    held: HeldApplication,
    team: string,
    standards: Pick<Standards, StoreKind>,
    signal: AbortSignal,
  ): Promise<KubeObject | undefined> {
    const chosen = choicesOf(held, team, standards);
    if (chosen.length === 0) return undefined;
    const found = await Promise.all(
      chosen.map(async ({ store, provider }) => ({
        store,
        provider: await this.#asThere(held, store, provider, signal),
      })),
    );
    const spec = Object.fromEntries(
      found.flatMap(({ store, provider }) => (provider === undefined ? [] : [[store, { provider }]])),
    );
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

  /** The provider of what is there; that of the standards where nothing is, undefined where it runs in the cluster. */
  async #asThere(
    { name, namespace }: HeldApplication,
    store: StoreKind,
    provider: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const owner = { metadata: { name, namespace }, spec: {} };
    const ref = {
      namespace,
      name: store === "database" ? databaseNames(owner).name : cacheNames(owner).name,
    };
    const [record, statefulSet, secret] = await Promise.all(
      [resources.configMaps, resources.statefulSets, resources.secrets].map((resource) =>
        find(this.#cluster, resource, ref, { signal }),
      ),
    );
    const recorded = record?.metadata.annotations?.[providerAnnotation];
    if (recorded !== undefined) return recorded;
    return (record ?? statefulSet ?? secret) === undefined ? provider : undefined;
  }
}

/** What the standards choose for an Application that does not say it, and of which nothing was made yet. Pure. */
export function choicesOf(
  { spec, status }: Pick<HeldApplication, "spec" | "status">,
  team: string,
  standards: Pick<Standards, StoreKind>,
): readonly { readonly store: StoreKind; readonly provider: string }[] {
  if (standards.database.provider === "in-cluster" && standards.cache.provider === "in-cluster") return [];
  // What the API server takes and this program does not is told where the Application is worked on.
  const parsed = parsedSpec(spec, team);
  if (parsed === undefined) return [];
  const wanted = withProviders(parsed, undefined, standards);
  return storeKinds.flatMap((store) => {
    const provider = wanted[store]?.provider;
    const isChoice = provider !== undefined && parsed[store]?.provider === undefined;
    const said = storeConditionIn(status, store);
    return isChoice && (said === undefined || saysNothing(said)) ? [{ store, provider }] : [];
  });
}

function parsedSpec(spec: unknown, team: string) {
  try {
    return wholeSpec(spec, team);
  } catch {
    return undefined;
  }
}
