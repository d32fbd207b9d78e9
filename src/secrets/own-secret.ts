import type { Application } from "../application/application.ts";
import { maxSecretVersion, type OwnSecret, ownSecretName } from "../application/own-secrets.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import type { KubeObject } from "../cluster/object.ts";
import { resources } from "../cluster/resource.ts";

/** How many versions in a row may be taken, by commands whose run did not succeed. */
const versionsTried = 100;

/**
 * The secret's next version, going by what the service's pods read now. Pure.
 */
export function nextVersion(
  application: Application,
  { name, key }: Pick<OwnSecret, "name" | "key">,
): OwnSecret {
  const current = application.spec.secrets?.find((secret) => secret.key === key && secret.name === name);
  return { name, key, version: Math.min((current?.version ?? 0) + 1, maxSecretVersion) };
}

/**
 * The Secret that holds one value for good: a new value is a new Secret, so that whoever sets one needs no right to
 * read or change any. It goes with its Application. Pure.
 */
export function ownSecretObject({ metadata }: Application, secret: OwnSecret, value: string): KubeObject {
  const { name, namespace, uid } = metadata;
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "Opaque",
    immutable: true,
    metadata: {
      name: ownSecretName(name, secret),
      namespace,
      ...(uid === undefined
        ? {}
        : {
            ownerReferences: [{ apiVersion: "platform.company.com/v1", kind: "Application", name, uid }],
          }),
    },
    data: { [secret.key]: Buffer.from(value, "utf8").toString("base64") },
  };
}

/**
 * Makes the Secret of a version, or of the first one after it that is free; never overwrites one, and answers with which
 * it made.
 * @throws ClusterError `forbidden` where whoever asks may make none in the service's namespace
 */
export async function makeOwnSecret(
  cluster: Cluster,
  application: Application,
  from: OwnSecret,
  value: string,
): Promise<OwnSecret> {
  for (let tried = 1; ; tried += 1) {
    const secret = { ...from, version: from.version + tried - 1 };
    try {
      await cluster.create(resources.secrets, ownSecretObject(application, secret, value));
      return secret;
    } catch (error) {
      if (!isClusterError(error, "already-exists") || tried === versionsTried) throw error;
    }
  }
}
