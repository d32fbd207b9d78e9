import type { Application } from "../application/application.ts";
import type { SecretOf } from "../application/credentials.ts";
import { labels } from "../application/names.ts";
import type { KubeObject } from "../cluster/object.ts";
import type { Resource } from "../cluster/resource.ts";

/** How a store reaches a service's namespace: a run journals what it does, the operator does not. */
export interface CredentialWriter {
  /** Undefined where there is none of that name in the service's namespace. */
  find(resource: Resource, name: string): Promise<KubeObject | undefined>;
  /** Creates an object; one that exists and is the service's is left exactly as it is. */
  createOnce(object: KubeObject): Promise<{ readonly object: KubeObject; readonly created: boolean }>;
  /** Takes over a Secret that a controller has made because we asked it to: it gets our labels, and keeps its data. */
  adopt(secret: KubeObject, labels: Readonly<Record<string, string>>): Promise<KubeObject>;
  /** A new password, for a store that makes none itself. */
  password(): string;
}

/** What became of a credential. */
export type Made =
  | { readonly kind: "there"; readonly secret: KubeObject; readonly created: boolean }
  /** Somebody else is making it; `why` it is not there yet, in their words. */
  | { readonly kind: "coming"; readonly name: string; readonly why: string }
  /** A Secret of that name is somebody else's; it was left as it is. */
  | { readonly kind: "conflict"; readonly name: string };

/** Where the password of a data store's login comes from, once, and from where it is read again. */
export interface SecretStore {
  /** Everything that makes a credential, in the order to write it, the Secret last; no value is in it. Pure. */
  objectsOf(application: Application, secretOf: SecretOf): readonly KubeObject[];
  /** Makes a credential, or looks whether it has come to be; can be repeated. @throws ClusterError */
  make(application: Application, secretOf: SecretOf, writer: CredentialWriter): Promise<Made>;
}

/** Whether the platform made an object, for this service. Pure. */
export function isOf({ metadata }: Pick<Application, "metadata">, object: KubeObject): boolean {
  const own = object.metadata.labels ?? {};
  return own[labels.managed] === "true" && own[labels.service] === metadata.name;
}
