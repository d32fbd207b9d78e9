import type { Application } from "../../application/application.ts";
import {
  credentialsMark,
  generatePassword,
  secretNamesOf,
  secretsOfStore,
  tellsWhere,
} from "../../application/credentials.ts";
import { type ExternalStore, secretProblems } from "../../application/external-store.ts";
import { externalOf, isInCloud, type StoreKind, storeKinds } from "../../application/store-provider.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
import { apiVersionOf, resourceOf, resources } from "../../cluster/resource.ts";
import type { Timing } from "../../cluster/timing.ts";
import { secretStoreOf } from "../../secrets/choose-store.ts";
import { type CredentialWriter, isOf, type Made } from "../../secrets/secret-store.ts";
import type { Standards } from "../../standards/standards.ts";

export interface CredentialsOptions {
  readonly cluster: Cluster;
  readonly timing: Timing;
  readonly randomBytes: (size: number) => Uint8Array;
  /** How long what was read holds, in milliseconds: Secrets are not watched, so that pods roll at most so late. */
  readonly holdsMs: number;
}

/** What is known of an Application's credentials. */
export type Credentials =
  /**
   * They are there, but for those of data stores that only a run makes, and none has. `mark` changes when they do;
   * undefined without any.
   */
  | {
      readonly kind: "there";
      readonly mark: string | undefined;
      readonly unmade: readonly StoreKind[];
      readonly againMs: number | undefined;
    }
  /** Somebody else is making a Secret; `why` it is not there yet. */
  | { readonly kind: "coming"; readonly name: string; readonly why: string }
  /** A Secret of that name is somebody else's. */
  | { readonly kind: "conflict"; readonly name: string }
  /** A Secret that somebody has named for a data store that is not the platform's is not there, or cannot be used. */
  | { readonly kind: "unfit"; readonly message: string };

type Unfit = Extract<Credentials, { readonly kind: "unfit" }>;

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
  async ensure(
    key: string,
    application: Application,
    standards: Pick<Standards, "secrets">,
    signal: AbortSignal,
  ): Promise<Credentials> {
    const { database, cache } = application.spec;
    const stores = storeKinds.filter((store) => application.spec[store] !== undefined);
    if (stores.length === 0) {
      return { kind: "there", mark: undefined, unmade: [], againMs: undefined };
    }
    const now = this.#options.timing.now().getTime();
    const read = [database, cache].map((store) => (store === undefined ? "none" : (store.external ?? "own")));
    const of = `${application.metadata.uid} ${JSON.stringify(read)}`;
    const known = this.#known.get(key);
    if (known?.of === of && known.until > now) {
      return { kind: "there", mark: known.mark, unmade: [], againMs: known.until - now };
    }
    const store = secretStoreOf(standards);
    const writer = this.#writer(application, signal);
    const made = await Promise.all(
      stores.map((part): Promise<readonly (Made | Unfit)[]> => {
        const external = externalOf(application.spec, part);
        if (external !== undefined) return this.#readExternal(application, part, external, signal);
        return isInCloud(application.spec, part)
          ? this.#read(application, secretNamesOf(application, part), signal)
          : Promise.all(secretsOfStore[part].map((secretOf) => store.make(application, secretOf, writer)));
      }),
    );
    for (const each of made.flat()) if (each.kind !== "there") return each;
    // The first of each is what the service's pods read.
    const mark =
      credentialsMark(made.flatMap(([read]) => (read?.kind === "there" ? [read.secret] : []))) ?? "";
    const unmade = stores.filter((_, index) => made[index]?.length === 0);
    if (unmade.length > 0) return { kind: "there", mark, unmade, againMs: undefined };
    // Not all at once, where thousands were read at a start.
    const holds = this.#options.holdsMs * (0.8 + 0.2 * this.#options.timing.random());
    this.#known.set(key, { of, mark, until: now + holds });
    return { kind: "there", mark, unmade: [], againMs: holds };
  }

  /** That of a data store that is not the platform's is whoever's it is; it has to be whole. */
  async #readExternal(
    { metadata: { namespace } }: Application,
    part: StoreKind,
    external: ExternalStore,
    signal: AbortSignal,
  ): Promise<readonly (Made | Unfit)[]> {
    const { secret: name } = external;
    const secret = await find(this.#options.cluster, resources.secrets, { namespace, name }, { signal });
    if (secret === undefined) {
      const why = `nobody has made it, with the credentials of the ${part}`;
      return [{ kind: "unfit", message: `Secret ${name} is not there yet: ${why}` }];
    }
    const problems = secretProblems(secret, external, part);
    if (problems.length === 0) return [{ kind: "there", secret, created: false }];
    return [{ kind: "unfit", message: problems.map((problem) => `Secret ${name} ${problem}`).join("; ") }];
  }

  /** Those of a data store outside of the cluster are made by the run that makes it, which has their Secret tell where it is last. */
  async #read(
    application: Application,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly Made[]> {
    const { cluster } = this.#options;
    const { namespace } = application.metadata;
    const found = await Promise.all(
      names.map((name) => find(cluster, resources.secrets, { namespace, name }, { signal })),
    );
    return found
      .flatMap((secret) =>
        secret !== undefined && (tellsWhere(secret) || !isOf(application, secret)) ? [secret] : [],
      )
      .map((secret) =>
        isOf(application, secret)
          ? { kind: "there", secret, created: false }
          : { kind: "conflict", name: secret.metadata.name },
      );
  }

  #writer({ metadata }: Application, signal: AbortSignal): CredentialWriter {
    const { cluster, randomBytes } = this.#options;
    const { namespace } = metadata;
    const look: CredentialWriter["find"] = async (resource, name) => {
      const found = await find(cluster, resource, { namespace, name }, { signal });
      return found && { ...found, apiVersion: apiVersionOf(resource), kind: resource.kind };
    };
    return {
      find: look,
      async createOnce(object) {
        const resource = resourceOf(object);
        const existing = await look(resource, object.metadata.name);
        if (existing !== undefined) return { object: existing, created: false };
        try {
          return { object: await cluster.create(resource, object, { signal }), created: true };
        } catch (error) {
          if (!isClusterError(error, "already-exists")) throw error;
          const { name } = object.metadata;
          return { object: await cluster.get(resource, { namespace, name }, { signal }), created: false };
        }
      },
      async adopt(secret, labels) {
        const { uid, name } = secret.metadata;
        const body = { metadata: { labels, ...(uid === undefined ? {} : { uid }) } };
        const ref = { namespace, name };
        const { metadata } = await cluster.patch(resources.secrets, ref, { type: "merge", body }, { signal });
        return { ...secret, metadata };
      },
      password: () => generatePassword(randomBytes),
    };
  }
}
