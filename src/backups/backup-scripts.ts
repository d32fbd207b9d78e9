/**
 * What a Job does with a service's database. `backup`: dumps it and reads the dump. `restore`: reads a dump into a
 * database beside, and counts what is in it. `swap`: that database takes the place of the service's, which is kept. `last`:
 * what was kept is dumped once more, with what was written until the swap. `drop`: it goes. `undo`: what was kept takes its
 * place again, and what was restored goes. Each can be repeated.
 */
export const backupActions = ["backup", "restore", "swap", "last", "drop", "undo"] as const;
export type BackupAction = (typeof backupActions)[number];

/** Names come from the environment: in SQL they are quoted by psql, in the shell by quotes, and nothing else is put together. */
export const names = `\\set ON_ERROR_STOP on
\\set VERBOSITY terse
\\getenv database DATABASE
\\getenv restored RESTORED
\\getenv before BEFORE
SET client_min_messages TO warning;
`;

/** Only while a restore is under way may the service's role make databases; in one that an older version made it never may. */
export const mayMake = (
  allowed: boolean,
) => `SELECT to_regprocedure('platform.make_databases(boolean)') IS NOT NULL AS can_allow \\gset
\\if :can_allow
SELECT platform.make_databases(${allowed}) AS nothing \\gset
\\endif
`;

/** How every script starts. */
export const common = `set -eu
umask 077
fail() { echo "$1" >&2; exit 1; }
query() { psql -X -q -t -A -w -f -; }
`;

/** Rows of every table that a dump holds, as \`schema.table|rows\`, in an order that is the same everywhere. */
export const counts = `SELECT format('SELECT %L, count(*) FROM %I.%I', format('%I.%I', n.nspname, c.relname), n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C" \\gexec
`;

/** Dump and counts see the same moment: one transaction's snapshot, which is open as long as both take. */
const dump = `cd "$BACKUPS"
DUMP="$BACKUP.dump.part" ROWS="$BACKUP.rows.part"
export DUMP ROWS
rm -f "$DUMP" "$DUMP.done" "$ROWS"
PGDATABASE="$DATABASE" query <<'SQL'
${names}\\getenv rows ROWS
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_export_snapshot() AS snapshot \\gset
\\setenv SNAPSHOT :snapshot
\\! pg_dump -Fc -w --snapshot="$SNAPSHOT" -f "$DUMP" && : > "$DUMP.done"
\\o :rows
${counts}\\o
COMMIT;
SQL
[ -f "$DUMP.done" ] || fail "pg_dump did not get to its end"
rm -f "$DUMP.done"
pg_restore --list "$DUMP" > /dev/null || fail "what was written is no dump"
pg_restore -f /dev/null "$DUMP" || fail "what was written cannot be read"
sum="$(sha256sum "$DUMP" | cut -c 1-64)"
printf '%s  %s\\n' "$sum" "$BACKUP.dump" > "$BACKUP.sha256"
mv "$ROWS" "$BACKUP.rows"
mv "$DUMP" "$BACKUP.dump"
sync
for old in $DROP; do rm -f "$old.dump" "$old.sha256" "$old.rows"; done
printf '{"bytes":%s,"sha256":"%s","tables":%s,"rows":%s}' \\
  "$(wc -c < "$BACKUP.dump" | tr -d ' ')" "$sum" "$(wc -l < "$BACKUP.rows" | tr -d ' ')" \\
  "$(awk -F '|' '{ sum += $NF } END { printf "%.0f", sum }' "$BACKUP.rows")" > "$TERMINATION_LOG"
`;

/** Refuses where no database can be made beside the service's. */
export const mayMakeBeside = `SELECT EXISTS (SELECT FROM pg_database WHERE datname = :'before') AS left_over,
  to_regprocedure('platform.make_databases(boolean)') IS NULL AS too_old \\gset
\\if :left_over
DO $$ BEGIN RAISE EXCEPTION 'a database is left from another restore: finish that run, or roll it back'; END $$;
\\endif
\\if :too_old
DO $$ BEGIN RAISE EXCEPTION 'this database was made by an older version, which cannot make one beside: see the runbook on backups'; END $$;
\\endif
`;

/** Whoever is about to restore is told first where that cannot be, before an hour of dumping. */
const backup = `${common}if [ -n "$FOR_RESTORE" ]; then query <<'SQL'
${names}${mayMakeBeside}SQL
fi
${dump}`;

/** Nobody else connects to what was kept: the service knows it by no name. */
const last = `${common}query <<'SQL'
${names}ALTER DATABASE :"before" ALLOW_CONNECTIONS true;
SQL
DATABASE="$BEFORE"
${dump}`;

/** An empty database beside the service's, which nobody else may enter. */
export const makeBeside = `query <<'SQL'
${names}${mayMakeBeside}${mayMake(true)}DROP DATABASE IF EXISTS :"restored" WITH (FORCE);
CREATE DATABASE :"restored" TEMPLATE template0;
REVOKE ALL ON DATABASE :"restored" FROM PUBLIC;
SQL
`;

const restore = `${common}cd "$BACKUPS"
[ -f "$BACKUP.dump" ] || fail "there is no backup $BACKUP"
sha256sum -c --status "$BACKUP.sha256" || fail "backup $BACKUP is not what was written: its checksum differs"
${makeBeside}pg_restore -w --exit-on-error --single-transaction --no-owner -d "$RESTORED" "$BACKUP.dump" || fail "backup $BACKUP cannot be restored"
PGDATABASE="$RESTORED" query > "$WORK/rows" <<'SQL'
\\set ON_ERROR_STOP on
SET client_min_messages TO error;
ANALYZE;
${counts}SQL
cmp -s "$BACKUP.rows" "$WORK/rows" || fail "what was restored has other rows than backup $BACKUP had: $(diff "$BACKUP.rows" "$WORK/rows" | sed -n 2p)"
`;

/** Which of the three databases there are. */
const look = `SELECT EXISTS (SELECT FROM pg_database WHERE datname = :'database') AS has_database,
  EXISTS (SELECT FROM pg_database WHERE datname = :'restored') AS has_restored,
  EXISTS (SELECT FROM pg_database WHERE datname = :'before') AS has_before \\gset
`;

/** Nobody connects to the service's database from here on, and who was connected is not any more. */
const close = `ALTER DATABASE :"database" ALLOW_CONNECTIONS false;
SET ROLE NONE;
SELECT count(pg_terminate_backend(pid, 10000)) AS ended FROM pg_stat_activity
  WHERE datname IN (:'database', :'restored') AND pid <> pg_backend_pid() AND backend_type = 'client backend' \\gset
RESET ROLE;
`;

/** The database beside takes the place of the service's, which is kept; done before, it does nothing. */
export const swapping = `reopen() {
query <<'SQL'
${names}ALTER DATABASE :"database" ALLOW_CONNECTIONS true;
SQL
}
query <<'SQL' || { reopen; fail "the databases could not change places; the service's is as it was"; }
${names}${look}SELECT :'has_database' AND :'has_before' AND NOT :'has_restored' AS is_done,
  :'has_database' AND :'has_restored' AND NOT :'has_before' AS is_ready \\gset
\\if :is_done
\\elif :is_ready
${mayMake(true)}${close}BEGIN;
ALTER DATABASE :"database" RENAME TO :"before";
ALTER DATABASE :"restored" RENAME TO :"database";
COMMIT;
\\else
DO $$ BEGIN RAISE EXCEPTION 'the databases are not as a restore leaves them'; END $$;
\\endif
SQL
PGDATABASE="$DATABASE" query > /dev/null <<'SQL'
SELECT 1;
SQL
`;

const swap = `${common}${swapping}`;

/** What was kept goes. */
export const drop = `${common}query <<'SQL'
${names}${look}\\if :has_database
DROP DATABASE IF EXISTS :"before" WITH (FORCE);
\\endif
${mayMake(false)}SQL
`;

/** What was kept takes its place again, and what is beside goes. */
export const undo = `${common}query <<'SQL'
${names}${look}\\if :has_before
${mayMake(true)}\\if :has_database
${close}BEGIN;
ALTER DATABASE :"database" RENAME TO :"restored";
ALTER DATABASE :"before" RENAME TO :"database";
COMMIT;
\\else
ALTER DATABASE :"before" RENAME TO :"database";
\\endif
\\endif
ALTER DATABASE :"database" ALLOW_CONNECTIONS true;
DROP DATABASE IF EXISTS :"restored" WITH (FORCE);
${mayMake(false)}SQL
`;

const scripts: Readonly<Record<BackupAction, string>> = { backup, restore, swap, last, drop, undo };

/** The program of a Job. Its surroundings are in its environment; see `backup-job.ts`. */
export function backupCommand(action: BackupAction): readonly string[] {
  return ["sh", "-c", scripts[action]];
}
