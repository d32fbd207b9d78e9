import type { Application } from "../application/application.ts";
import { cacheNames, certificateKey, databaseNames } from "../application/credentials.ts";
import { labelsFor } from "../application/names.ts";
import { fromSecret } from "../application/objects/data-store.ts";
import { passingJob, pathOut } from "../application/objects/passing-job.ts";
import { ports } from "../application/ports.ts";
import type { StoreKind } from "../application/store-provider.ts";
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
  const secret =
    store === "database" ? databaseNames({ metadata, spec }).name : cacheNames({ metadata }).name;
  const own: ObjectMeta = {
    name: `${secret}-login`,
    namespace,
    labels: labelsFor(name, spec.team, component),
  };
  const { number: port } = store === "database" ? ports.postgres : ports.redisTls;
  const to = standards.google === undefined ? [] : [{ ipBlock: { cidr: standards.google.range } }];
  const environment =
    store === "database"
      ? [
          fromSecret("PGHOST", secret, "host"),
          fromSecret("PGPORT", secret, "port"),
          fromSecret("PGDATABASE", secret, "database"),
          fromSecret("PGUSER", secret, "username"),
          fromSecret("PGPASSWORD", secret, "password"),
          { name: "PGCONNECT_TIMEOUT", value: "20" },
        ]
      : [
          fromSecret("STORE_HOST", secret, "host"),
          fromSecret("STORE_PORT", secret, "port"),
          fromSecret("STORE_USER", secret, "username"),
          fromSecret("REDISCLI_AUTH", secret, "password"),
        ];
  return {
    policies: [pathOut(own, to.length === 0 ? [] : [{ to, ports: [{ protocol: "TCP", port }] }])],
    job: passingJob({
      metadata: own,
      container: loginContainer,
      image: store === "database" ? standards.database.image : standards.cache.image,
      command: ["sh", "-c", `set -eu; ${commands[store]}`],
      env: [...environment, fromSecret("CA", secret, certificateKey)],
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
