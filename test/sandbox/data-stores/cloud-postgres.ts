import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import { postgresPrograms } from "./postgres.ts";
import { firstThere, folder, freePort, type Ran, run, start, unprivileged, until } from "./processes.ts";

/** OpenSSL's program; undefined where it is not installed. */
export const openssl = firstThere([
  "/usr/bin/openssl",
  "/usr/local/bin/openssl",
  "/opt/homebrew/bin/openssl",
]);

/** A PostgreSQL server as Cloud SQL has it, as far as a rotation can tell. */
export interface CloudPostgres {
  readonly port: number;
  /** Of the major version of what is installed: 15. */
  readonly version: number;
  /** What its certificate is signed by, PEM. */
  readonly certificate: string;
  /** psql over TLS, as the service's pods connect. */
  sql(login: { readonly user: string; readonly password: string }, statement: string): Promise<Ran>;
  /** psql as Google itself: nobody of the platform's is a superuser. */
  asGoogle(statement: string): Promise<Ran>;
  /** Everything the server has logged, every statement included. */
  log(): string;
  stop(): Promise<void>;
}

/**
 * A server with TLS, whose only superuser is Google's; a user as the API makes it (CREATEROLE, CREATEDB, a member of
 * cloudsqlsuperuser, which is no superuser), and a database that belongs to cloudsqlsuperuser.
 */
export async function startCloudPostgres(
  user: string,
  password: string,
  database: string,
): Promise<CloudPostgres> {
  const bin = postgresPrograms;
  if (bin === undefined || openssl === undefined) throw new Error("PostgreSQL or OpenSSL is not installed");
  const { path, remove } = await folder();
  await chmod(path, 0o777);
  const [data, key, cert] = [join(path, "data"), join(path, "key.pem"), join(path, "cert.pem")];
  const own = { unprivileged: true, cwd: path } as const;
  const succeed = async (ran: Promise<Ran>) => {
    const { code, out, err } = await ran;
    if (code !== 0) throw new Error(err);
    return out;
  };
  await succeed(
    run(
      openssl,
      [
        ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=google"],
        ...["-keyout", key, "-out", cert],
      ],
      own,
    ),
  );
  await chmod(key, 0o600);
  await succeed(
    run(
      join(bin, "initdb"),
      [
        ...[`--pgdata=${data}`, "--username=cloudsqladmin", "--no-sync"],
        ...["--auth-host=scram-sha-256", "--auth-local=trust"],
      ],
      own,
    ),
  );
  const port = await freePort();
  const server = start(
    unprivileged([
      ...[join(bin, "postgres"), "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", `port=${port}`],
      ...["-c", `unix_socket_directories=${path}`, "-c", "fsync=off", "-c", "shared_buffers=8MB"],
      ...["-c", "ssl=on", "-c", `ssl_cert_file=${cert}`, "-c", `ssl_key_file=${key}`],
      ...["-c", "log_statement=all"],
    ]),
    {},
    path,
  );
  await until(`the server answers (${server.output()})`, async () => {
    return (await run(join(bin, "pg_isready"), ["-q", "-h", path, "-p", String(port)])).code === 0;
  });
  const psql = ["-X", "-A", "-t", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-f", "-"];
  const asGoogle = (statement: string) =>
    run(join(bin, "psql"), psql, {
      environment: { PGHOST: path, PGPORT: String(port), PGUSER: "cloudsqladmin", PGDATABASE: "postgres" },
      input: statement,
    });
  await succeed(
    asGoogle(`SET log_statement = none;
CREATE ROLE cloudsqlsuperuser CREATEROLE CREATEDB;
GRANT pg_monitor TO cloudsqlsuperuser;
ALTER DATABASE postgres OWNER TO cloudsqlsuperuser;
CREATE ROLE "${user.replaceAll('"', '""')}" LOGIN CREATEROLE CREATEDB PASSWORD '${password}' IN ROLE cloudsqlsuperuser;
CREATE DATABASE "${database}" OWNER cloudsqlsuperuser;`),
  );
  const version = Number(
    await succeed(asGoogle("SELECT current_setting('server_version_num')::int / 10000")),
  );
  return {
    port,
    version,
    certificate: await readFile(cert, "utf8"),
    sql: ({ user, password }, statement) =>
      run(join(bin, "psql"), psql, {
        environment: {
          ...{ PGHOST: "127.0.0.1", PGPORT: String(port), PGUSER: user, PGPASSWORD: password },
          ...{ PGDATABASE: database, PGSSLMODE: "verify-ca", PGSSLROOTCERT: cert },
        },
        input: statement,
      }),
    asGoogle,
    log: () => server.output(),
    async stop() {
      await server.stop();
      await remove();
    },
  };
}
