import { cacheAdmin } from "../application/credentials.ts";
import { cacheLoginRights } from "../application/objects/cache.ts";
import type { Rotatable } from "./rotation.ts";

/**
 * What a rotation does in a data store. `enable`: the login whose turn it is not may log in too, with its new password.
 * `prove`: the login in the service's Secret works, and nobody is connected as the other. `revoke`: the other cannot
 * log in any more, and its connections end. Each can be repeated.
 */
export type TurnAction = "enable" | "prove" | "revoke";

/** How long connections of the old login are waited for, in seconds. */
export const proofPatience = 90;

const quiet = "\\set ON_ERROR_STOP on\n\\set VERBOSITY terse\n\\set QUIET on\n";

const databaseScripts: Readonly<Record<TurnAction, string>> = {
  enable: `${quiet}\\getenv verifier NEXT_VERIFIER
SELECT platform.enable_other(:'verifier');
`,
  prove: `${quiet}DO $$
DECLARE
  left_over bigint;
BEGIN
  FOR second IN 0..${proofPatience} LOOP
    PERFORM pg_stat_clear_snapshot();
    left_over := platform.sessions_of_other();
    EXIT WHEN left_over = 0;
    PERFORM pg_sleep(1);
  END LOOP;
  IF left_over > 0 THEN
    RAISE EXCEPTION '% connections still use the old login, %', left_over, platform.other_login();
  END IF;
END $$;
`,
  revoke: `${quiet}SELECT platform.disable_other();
DO $$
BEGIN
  IF (SELECT rolcanlogin FROM pg_roles WHERE rolname = platform.other_login()) THEN
    RAISE EXCEPTION 'the login % is not taken away', platform.other_login();
  END IF;
END $$;
`,
};

const other = `if [ "$LOGIN_USERNAME" = "$FIRST_LOGIN" ]; then other="$SECOND_LOGIN"; else other="$FIRST_LOGIN"; fi`;

/** Commands go by standard input: arguments could be read by every process in the pod. */
const asAdmin = `admin() { REDISCLI_AUTH="$ADMIN_PASSWORD" redis-cli -h "$STORE_HOST" -p "$STORE_PORT" --user ${cacheAdmin}; }`;

const failed = `fail() { echo "$1" >&2; exit 1; }`;

const cacheScripts: Readonly<Record<TurnAction, string>> = {
  enable: `set -eu
${asAdmin}
${failed}
digest="$(printf %s "$NEXT_PASSWORD" | sha256sum | cut -c 1-64)"
answer="$(printf 'ACL SETUSER %s reset on #%s ${cacheLoginRights}\\n' "$NEXT_USERNAME" "$digest" | admin)"
[ "$answer" = OK ] || fail "the cache has not taken the login $NEXT_USERNAME"
`,
  prove: `set -eu
${asAdmin}
${failed}
${other}
answer="$(echo PING | REDISCLI_AUTH="$LOGIN_PASSWORD" redis-cli -h "$STORE_HOST" -p "$STORE_PORT" --user "$LOGIN_USERNAME")"
[ "$answer" = PONG ] || fail "the cache refuses the login $LOGIN_USERNAME"
second=0
while left="$(echo 'CLIENT LIST' | admin | grep -c " user=$other " || true)"; [ "$left" != 0 ]; do
  [ "$second" -lt ${proofPatience} ] || fail "$left connections still use the old login, $other"
  second=$((second + 1))
  sleep 1
done
`,
  revoke: `set -eu
${asAdmin}
${failed}
${other}
answer="$(echo "ACL DELUSER $other" | admin)"
case "$answer" in 0|1) ;; *) fail "the cache has not taken the login $other away" ;; esac
`,
};

/** The program of a rotation's Job. Its surroundings are in its environment; see `rotation-job.ts`. */
export function turnCommand(store: Rotatable, action: TurnAction): readonly string[] {
  // psql reads a program from standard input only: with -c its variables would not be known.
  return store === "database"
    ? ["sh", "-c", 'printf %s "$SQL" | exec psql -X -q -t -A -w -f -']
    : ["sh", "-c", cacheScripts[action]];
}

/** SQL for `SQL` of a database's Job; undefined for a cache. */
export function turnSql(store: Rotatable, action: TurnAction): string | undefined {
  return store === "database" ? databaseScripts[action] : undefined;
}
