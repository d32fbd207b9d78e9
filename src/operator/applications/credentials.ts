import type { Application } from "../../application/application.ts";
import {
  credentialsMark,
  generatePassword,
  type SecretOf,
  secretNamesOf,
  secretsOfStore,
} from "../../application/credentials.ts";
import { labels } from "../../application/names.ts";
import { isInCloud, type StoreKind, storeKinds } from "../../application/store-provider.ts";
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
  | { readonly kind: "conflict"; readonly name: string }
  /** The data store is to run outside of the cluster, and no run has made it. */
  | { readonly kind: "unmade"; readonly store: StoreKind };

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
    const stores = storeKinds.filter((store) => application.spec[store] !== undefined);
    if (stores.length === 0) {
      return { kind: "there", mark: undefined, againMs: undefined };
    }
    const now = this.#options.timing.now().getTime();
    const of = `${application.metadata.uid} ${database !== undefined} ${cache !== undefined}`;
    const known = this.#known.get(key);
    if (known?.of === of && known.until > now) {
      return { kind: "there", mark: known.mark, againMs: known.until - now };
    }
    const made = await Promise.all(
      stores.map((store) =>
        isInCloud(application.spec, store)
          ? this.#read(application, secretNamesOf(application, store), signal)
          : Promise.all(secretsOfStore[store].map((secretOf) => this.#ensure(application, secretOf, signal))),
      ),
    );
    const unmade = stores.find((_, index) => made[index]?.length === 0);
    if (unmade !== undefined) return { kind: "unmade", store: unmade };
    const foreign = made.flat().find((secret) => !isOf(application, secret));
    if (foreign !== undefined) return { kind: "conflict", name: foreign.metadata.name };
    // The first of each is what the service's pods read.
    const mark = credentialsMark(made.flatMap(([read]) => read ?? [])) ?? "";
    // Not all at once, where thousands were read at a start.
    const holds = this.#options.holdsMs * (0.8 + 0.2 * this.#options.timing.random());
    this.#known.set(key, { of, mark, until: now + holds });
    return { kind: "there", mark, againMs: holds };
  }

  /** Those of a data store outside of the cluster are made by the run that makes it. */
  async #read(
    { metadata: { namespace } }: Application,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly KubeObject[]> {
    const { cluster } = this.#options;
    const found = await Promise.all(
      names.map((name) => find(cluster, resources.secrets, { namespace, name }, { signal })),
    );
    return found.flatMap((secret) => secret ?? []);
  }

  async #ensure(application: Application, secretOf: SecretOf, signal: AbortSignal): Promise<KubeObject> {
    const { cluster, randomBytes } = this.#options;
    const secret = secretOf(application, generatePassword(randomBytes));
    const ref = { namespace: application.metadata.namespace, name: secret.metadata.name };
    const existing = await find(cluster, resources.secrets, ref, { signal });
    if (existing !== undefined) return existing;
    try {
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
