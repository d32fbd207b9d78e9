/**
 * Run once by the image's entrypoint, over the pod's own socket, in the service's database. Two logins take turns, so
 * that a password can change without a moment in which none is right: the first owns the database, the second acts
 * as the first from its first statement on, so that what either makes is the same role's. One of them may log in, the
 * one that the Secret names. Neither is a superuser, and the superuser has no password afterwards: only a shell in
 * the pod is one.
 *
 * What a rotation needs of a superuser is in database `postgres`, out of the way of dumps: functions that touch the
 * other one of the two logins and nothing else; and, for a restore's time, the right to make the database beside into
 * which it restores. A password reaches them as what SCRAM stores of it, so that no log can hold it.
 */
export const initialiseSql = `\\set ON_ERROR_STOP on
SET log_min_error_statement TO panic;
\\set username \`cat "$CREDENTIALS/username"\`
\\set password \`cat "$CREDENTIALS/password"\`
\\getenv first DATABASE_FIRST_LOGIN
\\getenv second DATABASE_SECOND_LOGIN
SELECT current_database() AS database \\gset
CREATE ROLE :"first" NOLOGIN;
CREATE ROLE :"second" NOLOGIN IN ROLE :"first";
ALTER ROLE :"second" SET role TO :'first';
ALTER ROLE :"username" LOGIN PASSWORD :'password';
ALTER DATABASE :"database" OWNER TO :"first";
REVOKE ALL ON DATABASE :"database", postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE postgres TO :"first";
ALTER ROLE CURRENT_USER PASSWORD NULL;
\\connect postgres
CREATE SCHEMA platform;
CREATE TABLE platform.logins (first name NOT NULL, second name NOT NULL);
INSERT INTO platform.logins VALUES (:'first', :'second');
CREATE FUNCTION platform.other_login() RETURNS name
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  logins platform.logins;
BEGIN
  SELECT * INTO STRICT logins FROM platform.logins;
  IF session_user = logins.first THEN RETURN logins.second; END IF;
  IF session_user = logins.second THEN RETURN logins.first; END IF;
  RAISE EXCEPTION 'only the logins of the service may do this';
END $$;
CREATE FUNCTION platform.enable_other(verifier text) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF verifier !~ '^SCRAM-SHA-256[$]4096:[A-Za-z0-9+/]{22}==[$][A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$' THEN
    RAISE EXCEPTION 'the password is not given as what SCRAM-SHA-256 stores of it';
  END IF;
  EXECUTE format('ALTER ROLE %I LOGIN PASSWORD %L', platform.other_login(), verifier);
END $$;
CREATE FUNCTION platform.sessions_of_other() RETURNS bigint
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(*) FROM pg_stat_activity WHERE usename = platform.other_login() AND backend_type = 'client backend'
$$;
CREATE FUNCTION platform.disable_other() RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('ALTER ROLE %I NOLOGIN PASSWORD NULL', platform.other_login());
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = platform.other_login();
END $$;
CREATE FUNCTION platform.make_databases(allowed boolean) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM platform.other_login();
  EXECUTE format('ALTER ROLE %I %s', (SELECT first FROM platform.logins),
    CASE WHEN allowed THEN 'CREATEDB' ELSE 'NOCREATEDB' END);
END $$;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA platform FROM PUBLIC;
GRANT USAGE ON SCHEMA platform TO :"first";
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA platform TO :"first";
`;
