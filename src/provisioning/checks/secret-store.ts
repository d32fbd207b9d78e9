import { secretsOfStore } from "../../application/credentials.ts";
import { isInCloud, isInCluster, type StoreKind, storeKinds } from "../../application/store-provider.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { conditionsOf } from "../../cluster/conditions.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
import { definitionOf, resourceOf, resources } from "../../cluster/resource.ts";
import { cleanText } from "../../cluster/text.ts";
import { secretStoreOf } from "../../secrets/choose-store.ts";
import { ProvisioningError } from "../errors.ts";
import type { Check, CheckContext, Outcome } from "./check.ts";

/** Data stores that an operation makes. */
function newStores({ application: { spec }, previous }: CheckContext): readonly StoreKind[] {
  return storeKinds.filter((store) => spec[store] !== undefined && previous?.spec[store] === undefined);
}

/** Elsewhere than in the cluster no store of the standards makes a password: a person should know. */
export const passwordsElsewhere: Check = async (context) => {
  const { application, standards } = context;
  const elsewhere = newStores(context).filter((store) => isInCloud(application.spec, store));
  if (elsewhere.length === 0 || standards.secrets.store === "kubernetes") return undefined;
  return {
    warning: `the standards have External Secrets Operator make passwords, which it does in the cluster alone: that of the ${elsewhere.join(" and the ")} is in the service's Secret and in no store besides`,
  };
};

/** Whoever makes the passwords of new data stores in the cluster has to be there, and their store has to answer. */
export const secretStoreAnswers: Check = async (context) => {
  const { cluster, application, standards } = context;
  const parts = newStores(context).filter((store) => isInCluster(application.spec, store));
  if (parts.length === 0) return undefined;
  const store = secretStoreOf(standards);
  const objects = parts.flatMap((part) =>
    secretsOfStore[part].flatMap((secretOf) => store.objectsOf(application, secretOf)),
  );
  const kinds = [...new Set(objects.map(resourceOf))];
  const known = await Promise.all(kinds.map((kind) => cluster.serves(kind)));
  const missing = kinds.filter((_, index) => known[index] === false);
  if (missing.length > 0) {
    return new ProvisioningError(
      "refused",
      `the standards have External Secrets Operator make passwords, and the cluster does not serve ${missing.map(({ kind }) => kind).join(", ")}`,
      `have a platform engineer install it (${missing.map(definitionOf).join(", ")}), or choose secrets.store: kubernetes`,
    );
  }
  const { clusterSecretStore } = standards.secrets;
  return clusterSecretStore === undefined ? undefined : storeIsReady(cluster, clusterSecretStore);
};

async function storeIsReady(cluster: Cluster, name: string): Promise<Outcome> {
  try {
    const store = await find(cluster, resources.clusterSecretStores, { name });
    if (store === undefined) {
      return new ProvisioningError(
        "refused",
        `there is no ClusterSecretStore ${name}, in which the standards keep passwords`,
        "have a platform engineer make it, or correct secrets.clusterSecretStore",
      );
    }
    const ready = conditionsOf(store).find(({ type }) => type === "Ready");
    if (ready === undefined || ready.status === "True") return undefined;
    return new ProvisioningError(
      "refused",
      cleanText(`ClusterSecretStore ${name} is not ready: ${ready.message || ready.reason}`),
      `see kubectl describe clustersecretstore ${name}`,
    );
  } catch (error) {
    if (!isClusterError(error, "forbidden")) throw error;
    return { warning: `you may not see ClusterSecretStore ${name}: whether it is ready is unknown` };
  }
}
