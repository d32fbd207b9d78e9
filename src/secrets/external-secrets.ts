import type { Application } from "../application/application.ts";
import type { SecretOf } from "../application/credentials.ts";
import { conditionsOf } from "../cluster/conditions.ts";
import type { KubeObject } from "../cluster/object.ts";
import { apiVersionOf, type Resource, resources } from "../cluster/resource.ts";
import { cleanText } from "../cluster/text.ts";
import { isOf, type SecretStore } from "./secret-store.ts";

/** Kinds of External Secrets Operator of which a credential consists, beside its Secret; each is named like it. */
export const externalSecretKinds = [
  resources.passwords,
  resources.pushSecrets,
  resources.externalSecrets,
] as const;

/** What External Secrets Operator notes on each Secret that it has made: a hash of its data, keyed by nothing. */
export const dataHashAnnotation = "reconcile.external-secrets.io/data-hash";

/** What stands for the password in a Secret whose values are to be a template: in no name of a service or login. */
const placeholder = "PASSWORD.HERE";

/**
 * What has External Secrets Operator make a credential. Without a store it makes the password itself; with one, that is
 * made there unless it is there already, and read from there: whoever has the store has it, and a Secret that is lost
 * comes back as it was.
 *
 * `CreatedOnce` and `Orphan` together: what it has made it never makes again and never changes, so that no database
 * waits for a password that is not its own. Pure.
 * @param clusterSecretStore - name of the ClusterSecretStore
 */
export function requestsFor(secret: KubeObject, remote: Remote | undefined): readonly KubeObject[] {
  const { name, namespace, labels = {} } = secret.metadata;
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }), labels };
  const object = (resource: Resource, spec: object): KubeObject => ({
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata,
    spec,
  });
  const generatorRef = { apiVersion: apiVersionOf(resources.passwords), kind: "Password", name };
  const store = { kind: "ClusterSecretStore", name: remote?.store };
  return [
    // Letters and digits need no quoting anywhere; 40 of them are more than 192 bits.
    object(resources.passwords, {
      length: 40,
      digits: 10,
      symbols: 0,
      noUpper: false,
      allowRepeat: true,
    }),
    ...(remote === undefined
      ? []
      : [
          object(resources.pushSecrets, {
            updatePolicy: "IfNotExists",
            deletionPolicy: "Delete",
            refreshInterval: "0s",
            secretStoreRefs: [store],
            selector: { generatorRef },
            data: [
              {
                match: { secretKey: "password", remoteRef: { remoteKey: remote.key, property: "password" } },
              },
            ],
          }),
        ]),
    object(resources.externalSecrets, {
      refreshPolicy: "CreatedOnce",
      target: {
        name,
        creationPolicy: "Orphan",
        deletionPolicy: "Retain",
        immutable: true,
        template: { engineVersion: "v2", type: "Opaque", metadata: {}, data: templateOf(secret) },
      },
      ...(remote === undefined
        ? { dataFrom: [{ sourceRef: { generatorRef } }] }
        : {
            secretStoreRef: store,
            data: [{ secretKey: "password", remoteRef: { key: remote.key, property: "password" } }],
          }),
    }),
  ];
}

/** Where a password is kept outside of the cluster. */
export interface Remote {
  /** Name of the ClusterSecretStore. */
  readonly store: string;
  readonly key: string;
}

/**
 * Key of a password in a store outside of the cluster: made of team and service, and nothing that anybody types. No name
 * has an underscore, so no two keys are the same; Google's names have no slash. Pure.
 */
export function remoteKeyOf({ metadata, spec }: Application, secret: string): string {
  return ["platform", spec.team, metadata.name, secret.slice(metadata.name.length + 1)].join("_");
}

/** `data` of a Secret as templates, with `{{ .password }}` where its password is. */
function templateOf({ data }: KubeObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(data ?? {}).map(([key, value]) => [
      key,
      Buffer.from(String(value), "base64").toString("utf8").replaceAll(placeholder, "{{ .password }}"),
    ]),
  );
}

/**
 * External Secrets Operator makes the password, and the Secret; here only what asks it to is written.
 * @param clusterSecretStore - where passwords are kept outside of the cluster; left out: nowhere
 */
export function externalSecrets(clusterSecretStore: string | undefined): SecretStore {
  const requestsOf = (application: Application, secretOf: SecretOf) => {
    const secret = secretOf(application, placeholder);
    const key = remoteKeyOf(application, secret.metadata.name);
    return requestsFor(
      secret,
      clusterSecretStore === undefined ? undefined : { store: clusterSecretStore, key },
    );
  };
  return {
    objectsOf: (application, secretOf) => [
      ...requestsOf(application, secretOf),
      { ...secretOf(application, ""), immutable: true },
    ],
    async make(application, secretOf, writer) {
      const wanted = secretOf(application, "");
      const { name, labels = {} } = wanted.metadata;
      const before = await writer.find(resources.secrets, name);
      if (before !== undefined && isOf(application, before)) {
        // Whoever journals may have been stopped before the takeover was recorded.
        const { object: secret } = await writer.createOnce(before);
        return { kind: "there", secret, created: false };
      }
      const asked = await writer.find(resources.externalSecrets, name);
      if (before !== undefined && !isMadeFor(asked, before)) return { kind: "conflict", name };
      const requests = requestsOf(application, secretOf);
      for (const object of requests) await writer.createOnce(object);
      const request = await writer.find(resources.externalSecrets, name);
      if (request !== undefined && !isOf(application, request)) return { kind: "conflict", name };
      // It is created whole, and never changed.
      const secret = await writer.find(resources.secrets, name);
      if (secret !== undefined) {
        if (!isMadeFor(request, secret)) return { kind: "conflict", name };
        return { kind: "there", secret: await writer.adopt(secret, labels), created: true };
      }
      const pushed =
        clusterSecretStore === undefined ? undefined : await writer.find(resources.pushSecrets, name);
      return { kind: "coming", name, why: troubleOf([pushed, request]) };
    },
  };
}

/** Whether External Secrets Operator made a Secret, and not before it was asked to. Pure. */
export function isMadeFor(request: KubeObject | undefined, { metadata }: KubeObject): boolean {
  const { creationTimestamp: made = "" } = metadata;
  const asked = request?.metadata.creationTimestamp;
  return metadata.annotations?.[dataHashAnnotation] !== undefined && asked !== undefined && made >= asked;
}

/** What External Secrets Operator says of the first that is not as it should be. */
function troubleOf(requests: readonly (KubeObject | undefined)[]): string {
  for (const request of requests) {
    if (request === undefined) continue;
    const ready = conditionsOf(request).find(({ type }) => type === "Ready");
    if (ready?.status === "True") continue;
    return ready === undefined
      ? `External Secrets Operator has not looked at ${request.kind} ${request.metadata.name} yet`
      : cleanText(`${request.kind} ${request.metadata.name}: ${ready.message || ready.reason}`);
  }
  return "its Secret is not there yet";
}
