import { isDeepStrictEqual } from "node:util";
import { dataProblem } from "../../application/data-version.ts";
import { desiredObjects, type Part } from "../../application/desired-objects.ts";
import { providerAnnotation } from "../../application/names.ts";
import { refText } from "../../application/service-ref.ts";
import { externalOf, providerOf, type StoreProvider, storeKinds } from "../../application/store-provider.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { external } from "../data-stores/external.ts";
import { inCloud } from "../data-stores/in-cloud.ts";
import { inCluster } from "../data-stores/in-cluster.ts";
import type { DataStoreProvider } from "../data-stores/provider.ts";
import { StepError } from "../errors.ts";
import { dataStoreNames } from "../objects/namespace-contents.ts";
import type { PlanContext, Step } from "../step.ts";

const providers: Readonly<Record<StoreProvider, DataStoreProvider>> = {
  "in-cluster": inCluster,
  cloudsql: inCloud,
  "cloudnative-pg": inCloud,
  memorystore: inCloud,
  external,
};

/**
 * The step of a data store: whoever runs it makes it, and what the service's pods read of it. It is in the plan where the
 * service gets one, or another Secret or address of one that is not the platform's.
 */
export function dataStoreStep({
  id,
  title,
  part,
}: Pick<Step, "id" | "title"> & { readonly part: Part & ("database" | "cache") }): Step {
  const provider = ({ application }: PlanContext) =>
    providers[providerOf(application.spec, part) ?? "in-cluster"];
  const when: Step["when"] = ({ application: { spec }, previous }) => {
    if (spec[part] === undefined) return false;
    if (previous?.spec[part] === undefined) return true;
    return !isDeepStrictEqual(externalOf(spec, part), externalOf(previous.spec, part));
  };
  return {
    id,
    title,
    needs: ["create_namespace"],
    when,
    describe: (context) => provider(context).describe(context, part),
    async apply(context) {
      const moved = await movedStore(context);
      if (moved !== undefined) throw moved;
      return provider(context).provision(context, part);
    },
  };
}

/**
 * What was kept of a data store runs where it ran: another in its place would take its name, and what says where it is. In the
 * cluster it runs on a version that reads its data, too.
 * @returns why it cannot be
 */
export async function movedStore({
  cluster,
  application,
  previous,
  standards,
}: Pick<PlanContext, "cluster" | "application" | "previous" | "standards">): Promise<StepError | undefined> {
  const { metadata, spec } = application;
  const { namespace } = metadata;
  for (const [index, name] of dataStoreNames(metadata.name).entries()) {
    const kind = storeKinds[index];
    if (kind === undefined || spec[kind] === undefined || previous?.spec[kind] !== undefined) continue;
    const found = await find(cluster, resources.configMaps, { namespace, name });
    if (found === undefined) continue;
    const there = found.metadata.annotations?.[providerAnnotation];
    const wanted = spec[kind].provider;
    if (there === wanted) {
      if (there !== undefined) continue;
      const [set] = desiredObjects(application, standards)[kind].filter(
        (each) => each.kind === "StatefulSet",
      );
      const live = set && (await find(cluster, resources.statefulSets, set.metadata));
      const problem = live && dataProblem(live, set);
      if (problem === undefined) continue;
      return new StepError(
        "conflict",
        `${name} was kept by an earlier deletion: ${problem}`,
        `have a platform engineer change the standards, or delete what was kept with: platform service delete ${refText(metadata)} --data-stores delete`,
      );
    }
    return new StepError(
      "conflict",
      `${name} was kept by an earlier deletion and runs ${where(there)}, and the ${wanted === "external" ? "one that is named runs" : "standards have new ones run"} ${where(wanted)}; it was left as it is`,
      `delete what was kept with: platform service delete ${refText(metadata)} --data-stores delete; or choose another name for the service`,
    );
  }
  return undefined;
}

function where(provider: string | undefined): string {
  switch (provider) {
    case undefined:
      return "in the cluster";
    case "external":
      return "somewhere else already";
    case "cloudsql":
      return "as Cloud SQL";
    case "cloudnative-pg":
      return "by CloudNativePG";
    default:
      return "as Memorystore";
  }
}
