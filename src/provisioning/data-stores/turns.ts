import type { Application } from "../../application/application.ts";
import { providerOf, type StoreKind, storeKinds } from "../../application/store-provider.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { firstVersionWithoutTurns } from "../../secrets/cloud-rotation-scripts.ts";
import { StepError } from "../errors.ts";
import type { CloudStore } from "./cloud-store.ts";
import { recordedStore } from "./in-cloud.ts";

/** The major version of a database at Cloud SQL in which no two logins can take turns; undefined of any other data store. Pure. */
export function versionWithoutTurns(store: CloudStore | undefined): number | undefined {
  if (store?.provider !== "cloudsql") return undefined;
  const version = Number(/\d+/.exec(store.variables.database_version)?.[0]);
  return version < firstVersionWithoutTurns ? undefined : version;
}

/**
 * Which of a service's data stores a rotation gives other passwords, by who runs them and in which version; of a database whose
 * record may not be seen, by who runs it alone.
 * @throws ClusterError
 */
export async function storesThatTurn(
  cluster: Cluster,
  application: Application,
): Promise<readonly StoreKind[]> {
  const turns = await Promise.all(
    storeKinds.map(async (store) => {
      const provider = providerOf(application.spec, store);
      if (provider !== "cloudsql") return provider === "in-cluster";
      try {
        return versionWithoutTurns(await recordedStore({ cluster, application }, store)) === undefined;
      } catch (error) {
        if (isClusterError(error, "forbidden")) return true;
        // What it says is not understood: a rotation is refused.
        if (error instanceof StepError) return false;
        throw error;
      }
    }),
  );
  return storeKinds.filter((_, index) => turns[index]);
}
