import type { Application } from "../../application/application.ts";
import {
  cacheNames,
  cacheSecret,
  credentialsMark,
  databaseNames,
  databaseSecret,
  generatePassword,
} from "../../application/credentials.ts";
import { labels } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import type { Timing } from "../../cluster/timing.ts";

export interface CredentialsOptions {
  readonly cluster: Cluster;
  readonly timing: Timing;
  readonly randomBytes: (size: number) => Uint8Array;
  /** How long what was read holds, in milliseconds: Secrets are not watched, so that pods roll at most so late. */
  readonly holdsMs: number;
}

/** What is known of an Application's credentials. */
export type Credentials =
  /** They are there. `mark` changes when they do; undefined without any. */
  | { readonly kind: "there"; readonly mark: string | undefined; readonly againMs: number | undefined }
  /** A Secret of that name is somebody else's. */
  | { readonly kind: "conflict"; readonly name: string };

/** The Secrets that an Application's pods and data stores read: made once, never overwritten, read one by one. */
export class CredentialsKeeper {
  readonly #options: CredentialsOptions;
  readonly #known = new Map<string, { readonly of: string; readonly mark: string; readonly until: number }>();

  constructor(options: CredentialsOptions) {
    this.#options = options;
  }

  forget(key: string): void {
    this.#known.delete(key);
  }

  /** Makes what is missing. @throws ClusterError */
  async ensure(key: string, application: Application, signal: AbortSignal): Promise<Credentials> {
    const { database, cache } = application.spec;
    if (database === undefined && cache === undefined) {
      return { kind: "there", mark: undefined, againMs: undefined };
    }
    const now = this.#options.timing.now().getTime();
    const of = `${application.metadata.uid} ${database !== undefined} ${cache !== undefined}`;
    const known = this.#known.get(key);
    if (known?.of === of && known.until > now) {
      return { kind: "there", mark: known.mark, againMs: known.until - now };
    }
    const secrets = await Promise.all([
      ...(database === undefined
        ? []
        : [this.#ensure(databaseNames(application).name, application, databaseSecret, signal)]),
      ...(cache === undefined
        ? []
        : [this.#ensure(cacheNames(application).name, application, cacheSecret, signal)]),
    ]);
    const foreign = secrets.find((secret) => !isOf(application, secret));
    if (foreign !== undefined) return { kind: "conflict", name: foreign.metadata.name };
    const mark = credentialsMark(secrets) ?? "";
    // Not all at once, where thousands were read at a start.
    const holds = this.#options.holdsMs * (0.8 + 0.2 * this.#options.timing.random());
    this.#known.set(key, { of, mark, until: now + holds });
    return { kind: "there", mark, againMs: holds };
  }

  async #ensure(
    name: string,
    application: Application,
    secretOf: (application: Application, password: string) => KubeObject,
    signal: AbortSignal,
  ): Promise<KubeObject> {
    const { cluster, randomBytes } = this.#options;
    const ref = { namespace: application.metadata.namespace, name };
    const existing = await find(cluster, resources.secrets, ref, { signal });
    if (existing !== undefined) return existing;
    try {
      const secret = secretOf(application, generatePassword(randomBytes));
      return await cluster.create(resources.secrets, secret, { signal });
    } catch (error) {
      if (!isClusterError(error, "already-exists")) throw error;
      return cluster.get(resources.secrets, ref, { signal });
    }
  }
}

function isOf({ metadata }: Application, secret: KubeObject): boolean {
  const own = secret.metadata.labels ?? {};
  return own[labels.managed] === "true" && own[labels.service] === metadata.name;
}
