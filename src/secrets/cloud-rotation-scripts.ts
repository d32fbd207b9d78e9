import { proofPatience, type TurnAction } from "./rotation-scripts.ts";

/**
 * The first major version of PostgreSQL in which nobody may give a login's rights to another without being its
 * administrator (ADMIN OPTION), which at Cloud SQL nobody is. It is refused there.
 */
export const firstVersionWithoutTurns = 16;

/**
 * Whose turn it is not, and whether the second login is there, and the platform's: whoever is of that name and no member of
 * the first is not, and is left alone. Settings too, since psql puts no variable into a body.
 */
const begin = `\\set ON_ERROR_STOP on
\\set VERBOSITY terse
\\set QUIET on
\\getenv first FIRST_LOGIN
\\getenv second SECOND_LOGIN
SELECT CASE session_user WHEN :'first' THEN :'second' WHEN :'second' THEN :'first' END AS other \\gset
SELECT set_config('platform.first', :'first', false) AS first,
  set_config('platform.other', :'other', false) AS other,
  EXISTS (SELECT FROM pg_roles WHERE rolname = :'second') AS there,
  EXISTS (
    SELECT FROM pg_auth_members
    WHERE roleid = (SELECT oid FROM pg_roles WHERE rolname = :'first')
      AND member = (SELECT oid FROM pg_roles WHERE rolname = :'second')
  ) AS ours,
  current_setting('server_version_num')::int >= ${firstVersionWithoutTurns}0000 AS upgraded \\gset
`;

const sessionsOfOther = `count(*) FROM pg_stat_activity WHERE usename = current_setting('platform.other')`;

/**
 * What a rotation does in a database at Cloud SQL, as the service's own login: it may make roles there, and nobody of the
 * platform's is a superuser. What serves a database in the cluster as functions is plain SQL here, and the other login is
 * made by the first rotation. Each can be repeated.
 */
const scripts: Readonly<Record<TurnAction, string>> = {
  enable: `${begin}\\getenv verifier NEXT_VERIFIER
SELECT set_config('platform.scram', (:'verifier' ~ '^SCRAM-SHA-256[$]4096:[A-Za-z0-9+/]{22}==[$][A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$')::text, false) AS scram,
  set_config('platform.upgraded', :'upgraded', false) AS upgraded,
  set_config('platform.taken', (:'there' AND NOT :'ours')::text, false) AS taken \\gset
DO $$
BEGIN
  IF current_setting('platform.upgraded')::boolean THEN
    RAISE EXCEPTION 'PostgreSQL ${firstVersionWithoutTurns} and later let no login of Cloud SQL give another its rights: no two can take turns, see the runbook on rotation';
  END IF;
  IF NOT current_setting('platform.scram')::boolean THEN
    RAISE EXCEPTION 'the password is not given as what SCRAM-SHA-256 stores of it';
  END IF;
  IF current_setting('platform.taken')::boolean THEN
    RAISE EXCEPTION 'there is a login % already, which is not the platform''s: it was left as it is', current_setting('platform.other');
  END IF;
END $$;
BEGIN;
\\if :there
\\else
CREATE ROLE :"second" NOLOGIN;
GRANT :"first" TO :"second";
\\endif
ALTER ROLE :"second" SET role TO :'first';
ALTER ROLE :"other" LOGIN PASSWORD :'verifier';
COMMIT;
`,
  prove: `${begin}DO $$
DECLARE
  left_over bigint;
BEGIN
  IF current_user <> current_setting('platform.first') THEN
    RAISE EXCEPTION 'the login % does not act as %', session_user, current_setting('platform.first');
  END IF;
  FOR second IN 0..${proofPatience} LOOP
    PERFORM pg_stat_clear_snapshot();
    SELECT ${sessionsOfOther} INTO left_over;
    EXIT WHEN left_over = 0;
    PERFORM pg_sleep(1);
  END LOOP;
  IF left_over > 0 THEN
    RAISE EXCEPTION '% connections still use the old login, %', left_over, current_setting('platform.other');
  END IF;
END $$;
`,
  // Without a password nobody logs in at Cloud SQL. NOLOGIN would take the first from the users that Google lists, and
  // Terraform would make it anew. In an instance that was upgraded since it last took turns nothing was enabled.
  revoke: `${begin}SELECT :'ours' AND (:'other' = :'first' OR NOT :'upgraded') AS may_end \\gset
\\if :may_end
ALTER ROLE :"other" PASSWORD NULL;
DO $$
DECLARE
  left_over bigint;
BEGIN
  FOR second IN 0..${proofPatience} LOOP
    PERFORM pg_stat_clear_snapshot();
    SELECT ${sessionsOfOther} INTO left_over;
    EXIT WHEN left_over = 0;
    BEGIN
      PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_setting('platform.other');
    EXCEPTION WHEN insufficient_privilege THEN
      -- The first may not end what the second began: it is waited for.
    END;
    PERFORM pg_sleep(1);
  END LOOP;
  IF left_over > 0 THEN
    RAISE EXCEPTION '% connections still use the login %, which can log in no more', left_over, current_setting('platform.other');
  END IF;
END $$;
\\endif
`,
};

/** SQL for an action of a rotation at Cloud SQL; psql reads it, in the service's database. */
export function cloudTurnSql(action: TurnAction): string {
  return scripts[action];
}
