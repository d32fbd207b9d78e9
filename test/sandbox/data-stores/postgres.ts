import { readdirSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { storePod } from "./pod.ts";
import { firstThere, folder, freePort, type Ran, run, start, unprivileged, until } from "./processes.ts";

/** The folder of PostgreSQL's programs; undefined where it is not installed. */
export const postgresPrograms = firstThere([
  ...versions("/usr/lib/postgresql").map((version) => `/usr/lib/postgresql/${version}/bin/postgres`),
  "/opt/homebrew/opt/postgresql@15/bin/postgres",
  "/usr/local/bin/postgres",
])?.replace(/\/postgres$/, "");

function versions(path: string): readonly string[] {
  try {
    return readdirSync(path).sort((one, other) => Number(other) - Number(one));
  } catch {
    return [];
  }
}

export interface Login {
  readonly user: string;
  readonly password: string;
  /** Left out: the service's. */
  readonly database?: string;
}

export interface RunningPostgres {
  readonly port: number;
  /** psql over TCP, as the service's pods connect. Answers with rows, unaligned. */
  sql(login: Login, statement: string, environment?: Readonly<Record<string, string>>): Promise<Ran>;
  /** psql with nothing but a URI. */
  byUri(uri: string, statement: string): Promise<Ran>;
  /** psql as whoever has a shell in the pod. */
  asSuperuser(statement: string): Promise<Ran>;
  probe(which: "startup" | "liveness" | "readiness"): Promise<Ran>;
  /** What the kubelet does some time after a Secret has changed. */
  mount(secrets: readonly KubeObject[]): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

/**
 * Does what the official image's entrypoint and a kubelet do with the pod of a database: initdb with the given
 * arguments, the database, the scripts of its ConfigMap, then the server, on a port of its own. Only paths differ.
 */
export async function startPostgres(
  objects: readonly KubeObject[],
  secrets: readonly KubeObject[],
  override: Readonly<Record<string, string>> = {},
): Promise<RunningPostgres> {
  const programs = postgresPrograms;
  if (programs === undefined) throw new Error("PostgreSQL is not installed");
  const pod = storePod(objects);
  const { path, remove } = await folder();
  await chmod(path, 0o777);
  const [data, sockets, credentials] = [join(path, "data"), join(path, "run"), join(path, "credentials")];
  await Promise.all([sockets, credentials].map((each) => mkdir(each)));
  await chmod(sockets, 0o777);
  await pod.mountCredentials(credentials, secrets);
  const port = await freePort();
  const inPod: Readonly<Record<string, string>> = {
    ...pod.environment,
    ...override,
    CREDENTIALS: credentials,
  };
  const environment = {
    ...inPod,
    PATH: `${programs}:${process.env.PATH ?? ""}`,
    PGHOST: sockets,
    PGPORT: String(port),
    HOME: path,
  };
  const database = inPod.POSTGRES_DB ?? "";
  const step = async (program: string, args: readonly string[], input?: string) => {
    const { code, err } = await run(program, args, {
      environment,
      unprivileged: true,
      cwd: path,
      ...(input === undefined ? {} : { input }),
    });
    if (code !== 0) throw new Error(`${program} failed: ${err}`);
  };
  const server = (addresses: string, fsync: string) =>
    start(
      unprivileged([
        join(programs, "postgres"),
        ...["-D", data, "-c", `listen_addresses=${addresses}`, "-c", `port=${port}`],
        ...["-c", `unix_socket_directories=${sockets}`, "-c", `fsync=${fsync}`, "-c", "shared_buffers=8MB"],
      ]),
      environment,
      path,
    );
  const psql = ["-X", "-v", "ON_ERROR_STOP=1", "--no-password", "--username", "postgres"];
  await step("initdb", [
    `--pgdata=${data}`,
    "--username=postgres",
    "--no-sync",
    `--pwfile=${join(credentials, "password")}`,
    ...(inPod.POSTGRES_INITDB_ARGS ?? "").split(" "),
  ]);
  const initial = server("", "off");
  await until("initialised", async () => {
    const { code } = await run("pg_isready", ["-q"], { environment });
    return code === 0;
  });
  await step("psql", [...psql, "--dbname", "postgres", "--set", `db=${database}`], 'CREATE DATABASE :"db";');
  for (const [name, script] of scriptsOf(objects)) {
    const file = join(path, name);
    await writeFile(file, script);
    await step("psql", [...psql, "--no-psqlrc", "--dbname", connection(database), "-f", file]);
  }
  await initial.stop();
  await run("sh", ["-c", `echo 'host all all all scram-sha-256' >> ${data}/pg_hba.conf`]);
  const running = server("127.0.0.1", "off");
  await until("the server answers", async () => {
    const { code } = await run("pg_isready", ["-q", "-h", "127.0.0.1"], { environment });
    return code === 0;
  });
  return {
    port,
    sql: ({ user, password, database: other = database }, statement, more = {}) =>
      run("psql", ["-X", "-A", "-t", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-f", "-"], {
        environment: {
          ...{ PATH: environment.PATH, PGHOST: "127.0.0.1", PGPORT: String(port), PGUSER: user },
          ...{ PGPASSWORD: password, PGDATABASE: other, ...more },
        },
        input: statement,
      }),
    byUri: (uri, statement) =>
      run("psql", ["-X", "-A", "-t", "-q", "-w", uri, "-c", statement], {
        environment: { PATH: environment.PATH },
      }),
    asSuperuser: (statement) =>
      run("psql", ["-X", "-A", "-t", "-q", "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-f", "-"], {
        environment: { ...environment, PGDATABASE: database },
        input: statement,
      }),
    probe: (which) => run("sh", ["-c", pod.probes[which]], { environment }),
    mount: (changed) => pod.mountCredentials(credentials, changed),
    log: () => initial.output() + running.output(),
    async stop() {
      await running.stop();
      await remove();
    },
  };
}

/** A database's name that is nothing but a name, whatever is in it. */
function connection(database: string): string {
  return `dbname='${database.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function scriptsOf(objects: readonly KubeObject[]): readonly (readonly [string, string])[] {
  const map = objects.find(({ kind }) => kind === "ConfigMap");
  return Object.entries(map?.data ?? {}).map(([name, script]) => [name, String(script)] as const);
}
