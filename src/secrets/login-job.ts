import type { Application } from "../application/application.ts";
import { cacheNames, certificateKey, databaseNames, secretReadFor } from "../application/credentials.ts";
import { peersOf, usualSslMode } from "../application/external-store.ts";
import { labelsFor } from "../application/names.ts";
import { fromSecret, fromSecretIfThere, psqlVariables } from "../application/objects/data-store.ts";
import { passingJob, pathOut } from "../application/objects/passing-job.ts";
import { googlePeers } from "../application/peers.ts";
import { ports } from "../application/ports.ts";
import { podsOfCluster } from "../application/postgres-cluster.ts";
import { externalOf, providerOf, type StoreKind } from "../application/store-provider.ts";
import type { KubeObject, ObjectMeta } from "../cluster/object.ts";
import type { Standards } from "../standards/standards.ts";

/** Component of a login's own objects: neither the service's pods nor its data store's. */
const component = "login";

/** The container whose end says whether one could log in. */
export const loginContainer = "login";

/** How long the Job may take at most, in seconds: an image to be pulled, and a login. */
const deadlineSeconds = 300;

/** Logs in as the service does, over TLS with a certificate that the Secret's own has signed. */
const commands: Readonly<Record<StoreKind, string>> = {
  database:
    'printf "%s" "$CA" > /tmp/ca.crt; PGSSLMODE=verify-ca PGSSLROOTCERT=/tmp/ca.crt exec psql -X -w -q -c "SELECT 1"',
  cache:
    'printf "%s" "$CA" > /tmp/ca.crt; answer="$(redis-cli -h "$STORE_HOST" -p "$STORE_PORT" --user "$STORE_USER" --tls --cacert /tmp/ca.crt ping)"; [ "$answer" = PONG ] || { echo "$answer" >&2; exit 1; }',
};

/** The same where it is not the platform's: encrypted as its Secret says, with a certificate judged where it can be. */
const externalCommands: Readonly<Record<StoreKind, string>> = {
  database: `if [ -n "\${CA:-}" ]; then printf "%s" "$CA" > /tmp/ca.crt; export PGSSLROOTCERT=/tmp/ca.crt; fi; PGSSLMODE="\${SSLMODE:-${usualSslMode}}" exec psql -X -w -q -c "SELECT 1"`,
  cache:
    'set -- -h "$STORE_HOST" -p "$STORE_PORT" --user "$STORE_USER"; case "$STORE_URI" in rediss://*) printf "%s" "$CA" > /tmp/ca.crt; set -- "$@" --tls --cacert /tmp/ca.crt;; esac; answer="$(redis-cli "$@" ping)"; [ "$answer" = PONG ] || { echo "$answer" >&2; exit 1; }',
};

/** Where the data store is that a run has made. */
function placeOf(
  { metadata, spec }: Pick<Application, "metadata" | "spec">,
  standards: Standards,
  store: StoreKind,
): readonly object[] {
  return providerOf(spec, store) === "cloudnative-pg" ? [podsOfCluster(metadata)] : googlePeers(standards);
}

/**
 * What a login to a data store outside of the cluster consists of: a path through the closed network, for its time only,
 * and the Job that logs in. Nothing of it holds a value of a Secret. Pure.
 */
export function loginObjects(
  { metadata, spec }: Application,
  standards: Standards,
  store: StoreKind,
): { readonly policies: readonly KubeObject[]; readonly job: KubeObject } {
  const { name, namespace } = metadata;
  const external = externalOf(spec, store);
  const secret = secretReadFor({ metadata, spec }, store);
  const { name: storeName } =
    store === "database" ? databaseNames({ metadata, spec }) : cacheNames({ metadata });
  const own: ObjectMeta = {
    name: `${storeName}-login`,
    namespace,
    labels: labelsFor(name, spec.team, component),
  };
  const usual = store === "database" ? ports.postgres : ports.redisTls;
  const port = external?.port ?? usual.number;
  const to =
    external === undefined ? placeOf({ metadata, spec }, standards, store) : peersOf(external, standards);
  const environment =
    store === "database"
      ? psqlVariables(secret, 20)
      : [
          fromSecret("STORE_HOST", secret, "host"),
          fromSecret("STORE_PORT", secret, "port"),
          fromSecret("STORE_USER", secret, "username"),
          fromSecret("REDISCLI_AUTH", secret, "password"),
        ];
  const encryption =
    external === undefined
      ? [fromSecret("CA", secret, certificateKey)]
      : [
          fromSecretIfThere("CA", secret, certificateKey),
          store === "database"
            ? fromSecretIfThere("SSLMODE", secret, "sslmode")
            : fromSecret("STORE_URI", secret, "uri"),
        ];
  return {
    policies: [pathOut(own, [{ to, port }])],
    job: passingJob({
      metadata: own,
      container: loginContainer,
      image: store === "database" ? standards.database.image : standards.cache.image,
      command: ["sh", "-c", `set -eu; ${(external === undefined ? commands : externalCommands)[store]}`],
      env: [...environment, ...encryption],
      resources: {
        requests: { cpu: "20m", memory: "32Mi" },
        limits: { cpu: "200m", memory: "128Mi" },
      },
      deadlineSeconds,
      retries: 2,
      room: "16Mi",
    }),
  };
}
