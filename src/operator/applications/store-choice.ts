import { wholeSpec } from "../../application/application.ts";
import { cacheNames, databaseNames } from "../../application/credentials.ts";
import { providerAnnotation } from "../../application/names.ts";
import { storeWasMade } from "../../application/provider-rule.ts";
import { type StoreKind, storeKinds, withProviders } from "../../application/store-provider.ts";
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

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
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
    const { name, namespace, version } = held;
    const found = await Promise.all(
      chosen.map(async ({ store, provider }) => ({
        store,
        provider: await this.#asThere(held, store, provider, signal),
      })),
    );
    const spec = Object.fromEntries(
      found.flatMap(({ store, provider }) => (provider === undefined ? [] : [[store, { provider }]])),
    );
    if (Object.keys(spec).length === 0) return undefined;
    const body = { metadata: { resourceVersion: version }, spec };
    return this.#cluster.patch(
      resources.applications,
      { name, namespace },
      { type: "merge", body },
      { signal },
    );
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
    return isChoice && !storeWasMade(status, store) ? [{ store, provider }] : [];
  });
}

function parsedSpec(spec: unknown, team: string) {
  try {
    return wholeSpec(spec, team);
  } catch {
    return undefined;
  }
}
