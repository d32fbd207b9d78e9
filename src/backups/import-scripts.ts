import { common, drop, makeBeside, mayMakeBeside, names, swapping, undo } from "./backup-scripts.ts";

/**
 * What a Job does for an import. `prove`: logs in to both databases and says why it could not go well. `copy`: dumps the
 * source into a database beside the service's and compares them. `close`: makes the source read-only. `final`: copies once
 * more, now that nobody writes. `swap`: what was copied takes the place of the service's. `drop`: what was kept goes. `open`:
 * the source may be written to again. `undo`: what was kept takes its place again. Each can be repeated.
 */
export const importActions = ["prove", "copy", "close", "final", "swap", "drop", "open", "undo"] as const;
export type ImportAction = (typeof importActions)[number];

/**
 * `at_source` does something as the source's login. What goes wrong there is told without a value of its Secret, and without
 * lines that may hold data.
 */
const withSource = `${common}SAID="$WORK/said"
TARGET_HOST="$PGHOST" TARGET_PORT="$PGPORT" TARGET_USER="$PGUSER" TARGET_PASSWORD="$PGPASSWORD"
export TARGET_HOST TARGET_PORT TARGET_USER TARGET_PASSWORD
exec 3>&2 2> "$SAID"
told() { awk '
  function hide(text, value, name,  at, before) {
    before = ""
    while (value != "" && (at = index(text, value)) > 0) {
      before = before substr(text, 1, at - 1) name
      text = substr(text, at + length(value))
    }
    return before text
  }
  BEGIN { RS = "\\001" }
  {
    text = hide($0, ENVIRON["SOURCE_PASSWORD"], "(password)")
    text = hide(text, "\\"" ENVIRON["SOURCE_HOST"] "\\"", "(host)")
    text = hide(text, "\\"" ENVIRON["SOURCE_DATABASE"] "\\"", "(database)")
    text = hide(text, "\\"" ENVIRON["SOURCE_USER"] "\\"", "(username)")
    text = hide(text, ", port " ENVIRON["SOURCE_PORT"], "")
    gsub(/ \\([0-9a-fA-F]*[.:][0-9a-fA-F.:]*\\)/, "", text)
    gsub(/\\n(DETAIL|CONTEXT|QUERY|STATEMENT):[^\\n]*/, "", text)
    sub(/^(DETAIL|CONTEXT|QUERY|STATEMENT):[^\\n]*\\n/, "", text)
    printf "%s", text
  }' "$SAID" >&3; }
trap told EXIT
trap 'exit 1' INT TERM
at_source() (
  export PGHOST="$SOURCE_HOST" PGPORT="$SOURCE_PORT" PGDATABASE="$SOURCE_DATABASE" PGUSER="$SOURCE_USER" PGPASSWORD="$SOURCE_PASSWORD"
  if [ -n "\${SOURCE_CA:-}" ]; then
    printf '%s' "$SOURCE_CA" > "$WORK/ca.crt"
    export PGSSLMODE=verify-ca PGSSLROOTCERT="$WORK/ca.crt"
  else
    export PGSSLMODE="\${SOURCE_SSLMODE:-require}"
  fi
  "$@"
)
`;

/** Whoever dumps waits long, and texts of values must be the same on both sides, whatever their servers are set to. */
const session = `\\set ON_ERROR_STOP on
\\set VERBOSITY terse
SET client_min_messages TO error;
SET client_encoding TO 'UTF8';
SET search_path TO pg_catalog;
SET row_security TO off;
SET statement_timeout TO 0;
SET lock_timeout TO 0;
SET idle_in_transaction_session_timeout TO 0;
SET datestyle TO 'ISO, YMD';
SET intervalstyle TO postgres;
SET timezone TO 'UTC';
SET bytea_output TO hex;
SET lc_monetary TO 'C';
SET extra_float_digits TO 0;
`;

/** Which relations are somebody's own: neither PostgreSQL's nor an extension's. */
const own = (alias: string) => `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = '${alias === "p" ? "pg_proc" : "pg_class"}'::pg_catalog.regclass AND d.objid = ${alias}.oid AND d.deptype = 'e')`;

/** Half of an MD5 as a number: the sum of those of all rows is the same in whatever order they come. */
const sumOf = (bytes: string) =>
  `coalesce(sum(('x' || substr(md5(${bytes}), 1, 16))::bit(64)::bigint::numeric), 0)`;

/**
 * What two databases are compared by, a line each, in an order that is the same everywhere: rows and sum of every table,
 * and of the large objects; where nobody writes any more, how far each sequence has come too.
 */
const content = (final: boolean) => `SELECT format('SELECT count(*), %s, %L FROM ONLY %I.%I AS t',
    $sum$${sumOf("convert_to(ROW(t.*)::text, 'UTF8')")}$sum$,
    translate(format('table %I.%I', n.nspname, c.relname), E'\\n\\r', '  '), n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND ${own("c")}
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C" \\gexec
SELECT count(*), ${sumOf("lo_get(oid)")}, 'large objects' FROM pg_largeobject_metadata;
${
  final
    ? `SELECT format('SELECT last_value, is_called, %L FROM %I.%I',
    translate(format('sequence %I.%I', n.nspname, c.relname), E'\\n\\r', '  '), n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND ${own("c")}
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C" \\gexec
`
    : ""
}`;

/** What somebody has made in a database, in words; nothing where it is empty. */
const contents = `\\set ON_ERROR_STOP on
\\set VERBOSITY terse
SET search_path TO pg_catalog;
WITH things AS (
  SELECT format('%s %I.%I', CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' WHEN 'S' THEN 'sequence' ELSE 'table' END,
    n.nspname, c.relname) AS thing
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND ${own("c")}
  UNION ALL
  SELECT format('function %I.%I', n.nspname, p.proname)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${own("p")}
  UNION ALL
  SELECT format('schema %I', n.nspname) FROM pg_namespace n
  WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'public')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')
  UNION ALL
  SELECT format('large object %s', l.oid) FROM pg_largeobject_metadata l
), counted AS (
  SELECT thing, row_number() OVER (ORDER BY thing COLLATE "C") AS place, count(*) OVER () AS number FROM things
)
SELECT string_agg(thing, ', ' ORDER BY place) || CASE WHEN max(number) > 3 THEN format(' and %s more', max(number) - 3) ELSE '' END
FROM counted WHERE place <= 3 HAVING count(*) > 0;
`;

const prove = `${withSource}at_source query > "$WORK/source" <<'SQL' || fail "the source does not let the import in"
${session}SELECT current_setting('server_version_num')::int / 10000, pg_database_size(current_database()),
  current_setting('default_transaction_read_only') = 'on' OR pg_is_in_recovery(),
  (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND ${own("c")}),
  format('%s %s', extract(epoch FROM pg_postmaster_start_time()), current_database());
SQL
IFS='|' read -r VERSION BYTES READONLY TABLES THIS < "$WORK/source"
EXTENSIONS="$(at_source query <<'SQL'
SELECT extname FROM pg_catalog.pg_extension ORDER BY extname;
SQL
)"
export VERSION THIS EXTENSIONS
[ "$VERSION" -ge 10 ] || fail "the source is PostgreSQL $VERSION: only 10 and later are imported from"
PGDATABASE="$DATABASE" query > "$WORK/target" <<'SQL' || fail "the service's own database does not let the import in"
${session}\\getenv this THIS
\\getenv extensions EXTENSIONS
SELECT current_setting('server_version_num')::int / 10000,
  :'this' = format('%s %s', extract(epoch FROM pg_postmaster_start_time()), current_database());
SELECT string_agg(wanted, ', ') FROM regexp_split_to_table(:'extensions', E'\\n') AS wanted
WHERE wanted <> '' AND NOT EXISTS (SELECT FROM pg_available_extension_versions v WHERE v.name = wanted AND v.trusted);
SQL
{ IFS='|' read -r OWN SAME; IFS= read -r MISSING; } < "$WORK/target"
[ "$SAME" = f ] || fail "the source is the service's own database"
[ "$VERSION" -le "$OWN" ] || fail "the source is PostgreSQL $VERSION, the service's database $OWN: nothing newer is imported"
[ -z "$MISSING" ] || fail "the source uses extensions that the service's database cannot have: $MISSING"
FOUND="$(PGDATABASE="$DATABASE" query <<'SQL'
${contents}SQL
)"
[ -z "$FOUND" ] || fail "the service's database is not empty: it has $FOUND; an import goes into an empty one"
query > /dev/null <<'SQL'
${names}${mayMakeBeside}SQL
[ "$READONLY" = t ] && READONLY=true || READONLY=false
printf '{"version":%s,"tables":%s,"bytes":%s,"readOnly":%s}' "$VERSION" "$TABLES" "$BYTES" "$READONLY" > "$TERMINATION_LOG"
`;

/** Copy and comparison see the same moment of the source: one transaction's snapshot, which is open as long as both take. */
const copying = (final: boolean) => `STARTED="$(date +%s)"
${makeBeside}rm -f "$WORK/dumped" "$WORK/restored"
cat > "$WORK/copy" <<'SH'
{ pg_dump -Fc -w --snapshot="$SNAPSHOT" && : > "$WORK/dumped"; } | {
  export PGHOST="$TARGET_HOST" PGPORT="$TARGET_PORT" PGUSER="$TARGET_USER" PGPASSWORD="$TARGET_PASSWORD"
  unset PGSSLMODE PGSSLROOTCERT PGDATABASE
  pg_restore -w --exit-on-error --single-transaction --no-owner --no-acl --no-publications --no-subscriptions \\
    --no-security-labels --no-tablespaces -d "$RESTORED" && : > "$WORK/restored"
}
SH
at_source query > /dev/null <<'SQL' || fail "the source could not be read"
${session}\\getenv rows SOURCE_ROWS
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_export_snapshot() AS snapshot \\gset
\\setenv SNAPSHOT :snapshot
\\! sh "$WORK/copy"
\\o :rows
${content(final)}\\o
COMMIT;
SQL
[ -f "$WORK/restored" ] || fail "what the source has could not be copied"
[ -f "$WORK/dumped" ] || fail "the source was not read to its end"
PGDATABASE="$RESTORED" query > "$WORK/rows" <<'SQL'
${session}ANALYZE;
${content(final)}SQL
`;

const compared = `cmp -s "$SOURCE_ROWS" "$WORK/rows" || fail "the copy is not what the source has: $(diff "$SOURCE_ROWS" "$WORK/rows" | sed -n 2p)"
`;

const copied = `awk -F '|' -v seconds="$(($(date +%s) - STARTED))" '$3 ~ /^table / { tables++; rows += $1 }
  END { printf "{\\"tables\\":%d,\\"rows\\":%.0f,\\"seconds\\":%d}", tables, rows, seconds }' "$WORK/rows" > "$TERMINATION_LOG"
`;

const rows = `SOURCE_ROWS="$WORK/source.rows"
export SOURCE_ROWS
`;

const copy = `${withSource}${rows}${copying(false)}${compared}${copied}`;

/** Whose sessions a login may end, of those that are connected to the same database: not a superuser's, unless it is one. */
const ending = `PERFORM pg_terminate_backend(a.pid)
  FROM pg_stat_activity a JOIN pg_roles they ON they.oid = a.usesysid JOIN pg_roles me ON me.rolname = current_user
  WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
    AND coalesce(a.backend_type, 'client backend') = 'client backend'
    AND (me.rolsuper OR (NOT they.rolsuper
      AND (pg_has_role(they.oid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE'))));`;

/** Ends them, and waits until they have ended. */
const endSessions = `DO $do$ BEGIN
  FOR i IN 1..200 LOOP
    PERFORM pg_stat_clear_snapshot();
    ${ending}
    EXIT WHEN NOT FOUND;
    PERFORM pg_sleep(0.1);
  END LOOP;
END $do$;
`;

/** As the login itself, not as a role that it acts as; and able to write, whatever an earlier try has set. */
const asItself = `\\set ON_ERROR_STOP on
\\set VERBOSITY terse
SET default_transaction_read_only TO off;
SET client_min_messages TO error;
SET search_path TO pg_catalog;
SET ROLE NONE;
SELECT current_database() AS database, pg_has_role(datdba, 'USAGE') AS is_owner
  FROM pg_database WHERE datname = current_database() \\gset
`;

const readOnlyNow = `at_source query <<'SQL'
SELECT CASE WHEN pg_is_in_recovery() THEN 'on' ELSE current_setting('default_transaction_read_only') END;
SQL
`;

/** A default of the database, and of the login in it: whoever is connected has another one, and is sent away. */
const close = `${withSource}[ "$SOURCE_WAS" = writable ] || exit 0
at_source query > "$WORK/closed" <<'SQL' || fail "the source could not be made read-only"
${asItself}\\if :is_owner
ALTER DATABASE :"database" SET default_transaction_read_only TO on;
\\endif
ALTER ROLE SESSION_USER IN DATABASE :"database" SET default_transaction_read_only TO on;
${endSessions}SELECT :'is_owner',
  (SELECT count(*) FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
    AND a.usesysid IS NOT NULL AND coalesce(a.backend_type, 'client backend') = 'client backend'),
  (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database());
SQL
IFS='|' read -r WHOLE LEFT PREPARED < "$WORK/closed"
[ "$PREPARED" = 0 ] || fail "the source has $PREPARED prepared transactions, which may yet be committed"
[ "$(${readOnlyNow})" = on ] || fail "the source does not stay read-only for the login of the import"
[ "$WHOLE" = t ] && WHOLE=true || WHOLE=false
printf '{"whole":%s,"left":%s}' "$WHOLE" "$LEFT" > "$TERMINATION_LOG"
`;

/** It is a default only: who sets it aside writes all the same, so the source is looked at once more at the end. */
const final = `${withSource}${rows}[ "$(${readOnlyNow})" = on ] || fail "the source is not read-only any more: somebody has opened it"
${copying(true)}at_source query > "$WORK/rows.now" <<'SQL' || fail "the source could not be read once more"
${session}BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
${content(true)}COMMIT;
SQL
cmp -s "$SOURCE_ROWS" "$WORK/rows.now" || fail "somebody wrote to the source while it was read-only: $(diff "$SOURCE_ROWS" "$WORK/rows.now" | sed -n 2p)"
${compared}${copied}`;

/** Whoever was connected when it was read-only stays so until they connect again. */
const open = `${withSource}[ "$SOURCE_WAS" = writable ] || exit 0
at_source query > /dev/null <<'SQL' || fail "the source could not be made writable again"
${asItself}\\if :is_owner
ALTER DATABASE :"database" RESET default_transaction_read_only;
\\endif
ALTER ROLE SESSION_USER IN DATABASE :"database" RESET default_transaction_read_only;
SQL
if [ "$(${readOnlyNow})" = on ]; then
at_source query > /dev/null <<'SQL'
${asItself}ALTER ROLE SESSION_USER IN DATABASE :"database" SET default_transaction_read_only TO off;
SQL
fi
at_source query > /dev/null <<'SQL'
${asItself}${endSessions}SQL
`;

/** What was kept has to be empty still, now that nobody finds it any more: else the service has written to it. */
const swap = `${common}${swapping}query <<'SQL'
${names}ALTER DATABASE :"before" ALLOW_CONNECTIONS true;
SQL
FOUND="$(PGDATABASE="$BEFORE" query <<'SQL'
${contents}SQL
)"
[ -z "$FOUND" ] || fail "the service has written to its own database meanwhile: it had $FOUND"
`;

const scripts: Readonly<Record<ImportAction, string>> = {
  prove,
  copy,
  close,
  final,
  swap,
  drop,
  open,
  undo,
};

/** The program of a Job. Its surroundings are in its environment; see `import-job.ts`. */
export function importCommand(action: ImportAction): readonly string[] {
  return ["sh", "-c", scripts[action]];
}
