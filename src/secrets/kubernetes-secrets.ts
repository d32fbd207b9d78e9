import { isOf, type SecretStore } from "./secret-store.ts";

/** Secrets of the cluster, with passwords that whoever makes them takes from a source of random bytes. */
export const kubernetesSecrets: SecretStore = {
  objectsOf: (application, secretOf) => [secretOf(application, "")],
  async make(application, secretOf, writer) {
    const { object, created } = await writer.createOnce(secretOf(application, writer.password()));
    return isOf(application, object)
      ? { kind: "there", secret: object, created }
      : { kind: "conflict", name: object.metadata.name };
  },
};
