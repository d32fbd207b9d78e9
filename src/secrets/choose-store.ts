import type { Standards } from "../standards/standards.ts";
import { externalSecrets } from "./external-secrets.ts";
import { kubernetesSecrets } from "./kubernetes-secrets.ts";
import type { SecretStore } from "./secret-store.ts";

/** The store that the standards choose. */
export function secretStoreOf({ secrets }: Pick<Standards, "secrets">): SecretStore {
  switch (secrets.store) {
    case "kubernetes":
      return kubernetesSecrets;
    case "external-secrets":
      return externalSecrets(secrets.clusterSecretStore);
  }
}
