import { databasesNamespace, labels } from "./names.ts";

/** A service, as far as the paths to its database go. */
interface Owner {
  readonly name: string;
  readonly namespace: string;
}

/** Labels of the pods of a service's database that CloudNativePG runs. Pure. */
export function clusterPodLabels({ name }: Pick<Owner, "name">): Readonly<Record<string, string>> {
  return { [labels.service]: name, [labels.component]: "database" };
}

const inNamespace = (namespace: string) => ({
  matchLabels: { "kubernetes.io/metadata.name": namespace },
});

/** Those pods, as a peer of a NetworkPolicy of the service's namespace. Pure. */
export function podsOfCluster(owner: Pick<Owner, "name">) {
  return {
    namespaceSelector: inNamespace(databasesNamespace),
    podSelector: { matchLabels: clusterPodLabels(owner) },
  };
}

/** Who of a service may reach its database there: its workload, its migrations, and the proof of a login. */
const users = ["workload", "migration", "login"];

/** Those pods, as a peer of a NetworkPolicy of the database's namespace. Pure. */
export function usersOfCluster({ name, namespace }: Owner) {
  return {
    namespaceSelector: inNamespace(namespace),
    podSelector: {
      matchLabels: { [labels.service]: name },
      matchExpressions: [{ key: labels.component, operator: "In", values: users }],
    },
  };
}
