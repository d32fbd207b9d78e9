import type { Application } from "../application/application.ts";
import { certificateKey, databaseNames } from "../application/credentials.ts";
import { labelsFor } from "../application/names.ts";
import { fromSecret, psqlVariables } from "../application/objects/data-store.ts";
import { passingJob, pathOut } from "../application/objects/passing-job.ts";
import { googlePeers } from "../application/peers.ts";
import { ports } from "../application/ports.ts";
import type { KubeObject, ObjectMeta } from "../cluster/object.ts";
import type { Standards } from "../standards/standards.ts";
import { common, counts } from "./backup-scripts.ts";

/** Component of this Job: neither the service's pods nor its database's. */
const component = "restore";

/** The container whose end says what became of the Job. */
export const readingContainer = "read";

/** How long the Job may take at most, in seconds: every table is read once. */
export const readingDeadlineSeconds = 2 * 3_600;

/** Tables that are told one by one; what a container may say at last is 4,096 bytes. */
const mostTables = 40;

/**
 * Logs in as the service does, over TLS with a certificate that the Secret's own has signed, reads every table, and says
 * how many there are, how many rows they have, and those of the first tables, in one line: `TABLES ROWS TABLE=ROWS …`. In
 * names only plain characters are told.
 */
const script = `${common}printf "%s" "$CA" > /tmp/ca.crt
PGSSLMODE=verify-ca PGSSLROOTCERT=/tmp/ca.crt query > /tmp/rows <<'SQL'
\\set ON_ERROR_STOP on
SET client_min_messages TO error;
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
${counts}COMMIT;
SQL
awk -F '|' '{
  name = substr($0, 1, length($0) - length($NF) - 1)
  gsub(/[^A-Za-z0-9_.-]/, "?", name)
  if (NR <= ${mostTables}) told = told " " substr(name, 1, 70) "=" $NF
  sum += $NF
} END { printf "%d %.0f%s", NR, sum, told }' /tmp/rows > "$TERMINATION_LOG"
`;

/** What such a Job has read. */
export interface ReadTables {
  readonly tables: number;
  readonly rows: number;
  /** The first of them: `schema.table: 12 rows`. */
  readonly told: readonly string[];
}

/** What it said; undefined where it said nothing, or something else. Pure. */
export function readingIn(said: string): ReadTables | undefined {
  const [tables = "", rows = "", ...told] = said.trim().split(" ");
  if (!/^\d{1,9}$/.test(tables) || !/^\d{1,15}$/.test(rows)) return undefined;
  return {
    tables: Number(tables),
    rows: Number(rows),
    told: told.flatMap((each) => {
      const [, table, count] = /^([\w.?-]+)=(\d+)$/.exec(each) ?? [];
      return table === undefined ? [] : [`${table}: ${count} ${count === "1" ? "row" : "rows"}`];
    }),
  };
}

/**
 * What the reading of another instance of a service's database consists of: a path through the closed network, for its
 * time only, and the Job. Nothing of it holds a value of a Secret. Pure.
 * @param secret - what says where that instance is
 */
export function readingObjects(
  { metadata, spec }: Application,
  standards: Standards,
  secret: string,
): { readonly policies: readonly KubeObject[]; readonly job: KubeObject } {
  const { name, namespace } = metadata;
  const own: ObjectMeta = {
    name: `${databaseNames({ metadata, spec }).name}-read`,
    namespace,
    labels: labelsFor(name, spec.team, component),
  };
  return {
    policies: [pathOut(own, [{ to: googlePeers(standards), port: ports.postgres.number }])],
    job: passingJob({
      metadata: own,
      container: readingContainer,
      image: standards.database.image,
      command: ["sh", "-c", script],
      env: [
        { name: "TERMINATION_LOG", value: "/dev/termination-log" },
        ...psqlVariables(secret, 20),
        fromSecret("CA", secret, certificateKey),
      ],
      resources: {
        requests: { cpu: "50m", memory: "64Mi" },
        limits: { cpu: "500m", memory: "256Mi" },
      },
      deadlineSeconds: readingDeadlineSeconds,
      retries: 1,
      room: "64Mi",
    }),
  };
}
