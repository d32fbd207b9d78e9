import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { applicationOf } from "../../../src/application/from-request.ts";
import { serviceNameSchema } from "../../../src/application/names.ts";
import { applicationSpecSchema } from "../../../src/application/schema.ts";
import { loginObjects } from "../../../src/secrets/login-job.ts";
import { cloudStandards } from "../../provisioning/cloud-stage.ts";
import { postgresPrograms } from "./postgres.ts";
import { firstThere, folder, freePort, run, start, unprivileged, until } from "./processes.ts";
import { redisPrograms } from "./redis.ts";

const openssl = firstThere(["/usr/bin/openssl", "/usr/local/bin/openssl", "/opt/homebrew/bin/openssl"]);

const application = applicationOf(
  serviceNameSchema.parse("shop"),
  applicationSpecSchema.parse({
    team: "platform",
    image: "registry.example.internal/shop:1",
    database: { type: "postgres", provider: "cloudsql" },
    cache: { type: "redis", provider: "memorystore" },
  }),
);
const jobSchema = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.tuple([
          z.object({
            command: z.tuple([z.string(), z.string(), z.string()]),
            env: z.array(z.object({ name: z.string() })),
          }),
        ]),
      }),
    }),
  }),
});

/** The same service on data stores that exist already. */
const elsewhere = applicationOf(
  serviceNameSchema.parse("shop"),
  applicationSpecSchema.parse({
    team: "platform",
    image: "registry.example.internal/shop:1",
    database: {
      type: "postgres",
      provider: "external",
      external: { secret: "shop-login", host: "127.0.0.1", port: 5432 },
    },
    cache: {
      type: "redis",
      provider: "external",
      external: { secret: "shop-login", host: "127.0.0.1", port: 6379 },
    },
  }),
);

/** Variables that are left out where the Secret has no such key. */
const mayMiss = ["PGCONNECT_TIMEOUT", "CA", "SSLMODE"];

/** What the Job runs, with the values that its Secret would give; files are in a folder of the test's own. */
function login(
  store: "database" | "cache",
  path: string,
  values: Readonly<Record<string, string>>,
  service = application,
) {
  const { job } = loginObjects(service, cloudStandards, store);
  const [{ command, env }] = jobSchema.parse(job).spec.template.spec.containers;
  const missing = env.filter(({ name }) => values[name] === undefined && !mayMiss.includes(name));
  expect(missing, "variables that this test does not give").toEqual([]);
  return run("sh", ["-c", command[2].replaceAll("/tmp/ca.crt", `${path}/ca.crt`)], {
    environment: {
      PATH: `${postgresPrograms ?? ""}:${redisPrograms ?? ""}:${process.env.PATH ?? ""}`,
      ...values,
    },
  });
}

/** An authority and a certificate of its own, as Google makes one for each instance. */
async function certificates(path: string, name: string) {
  const of = (file: string) => join(path, `${name}-${file}`);
  const [key, cert] = [of("key.pem"), of("cert.pem")];
  const made = await run(openssl ?? "openssl", [
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", `/CN=${name}`],
    ...["-keyout", key, "-out", cert],
  ]);
  expect(made.code, made.err).toBe(0);
  await chmod(key, 0o644);
  return { key, cert, pem: (await run("cat", [cert])).out };
}

async function place(): Promise<string> {
  const { path, remove } = await folder();
  await chmod(path, 0o777);
  onTestFinished(remove);
  return path;
}

describe("the login that proves a data store at Google", () => {
  test.skipIf(postgresPrograms === undefined || openssl === undefined)(
    "gets into a PostgreSQL with TLS, and not with another password or another authority",
    async () => {
      const path = await place();
      const { key, cert, pem } = await certificates(path, "server");
      const stranger = await certificates(path, "stranger");
      const [data, port] = [join(path, "data"), await freePort()];
      await writeFile(join(path, "password"), "correct-horse");
      const bin = postgresPrograms ?? "";
      const initialised = await run(
        join(bin, "initdb"),
        [
          `--pgdata=${data}`,
          "--username=app_shop",
          "--no-sync",
          "--auth-host=scram-sha-256",
          `--pwfile=${path}/password`,
        ],
        { unprivileged: true, cwd: path },
      );
      expect(initialised.code, initialised.err).toBe(0);
      await run("sh", ["-c", `cp ${key} ${data}/key.pem && chmod 600 ${data}/key.pem`], {
        unprivileged: true,
      });
      const server = start(
        unprivileged([
          ...[join(bin, "postgres"), "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", `port=${port}`],
          ...["-c", `unix_socket_directories=${path}`, "-c", "fsync=off", "-c", "shared_buffers=8MB"],
          ...["-c", "ssl=on", "-c", `ssl_cert_file=${cert}`, "-c", `ssl_key_file=${data}/key.pem`],
        ]),
        {},
        path,
      );
      onTestFinished(() => server.stop());
      const ready = ["-q", "-h", "127.0.0.1", "-p", String(port)];
      await until(`PostgreSQL answers (${server.output()})`, async () => {
        return (await run(join(bin, "pg_isready"), ready)).code === 0;
      });
      const values = {
        ...{ PGHOST: "127.0.0.1", PGPORT: String(port), PGDATABASE: "postgres", PGUSER: "app_shop" },
        ...{ PGPASSWORD: "correct-horse", CA: pem },
      };
      const right = await login("database", path, values);
      expect(right.code, right.err).toBe(0);
      expect((await login("database", path, { ...values, PGPASSWORD: "another" })).code).not.toBe(0);
      expect((await login("database", path, { ...values, CA: stranger.pem })).err).toContain("certificate");

      const { CA: _, ...open } = values;
      const there = (more: Readonly<Record<string, string>>) =>
        login("database", path, { ...open, ...more }, elsewhere);
      expect((await there({})).code, "encrypted, by whatever certificate").toBe(0);
      expect((await there({ CA: pem, SSLMODE: "verify-ca" })).code).toBe(0);
      expect((await there({ CA: stranger.pem })).err).toContain("certificate");
      expect((await there({ PGPASSWORD: "another" })).err).toContain("authentication failed");
      expect((await there({ SSLMODE: "verify-full" })).code, "no authority").not.toBe(0);
    },
  );

  test.skipIf(redisPrograms === undefined || openssl === undefined)(
    "gets into a Redis with TLS, and not with another password or another authority",
    async () => {
      const path = await place();
      const { key, cert, pem } = await certificates(path, "server");
      const stranger = await certificates(path, "stranger");
      const port = await freePort();
      const server = start(
        [
          ...[join(redisPrograms ?? "", "redis-server"), "--port", "0", "--tls-port", String(port)],
          ...[
            "--bind",
            "127.0.0.1",
            "--tls-cert-file",
            cert,
            "--tls-key-file",
            key,
            "--tls-ca-cert-file",
            cert,
          ],
          ...["--tls-auth-clients", "no", "--requirepass", "correct-horse", "--save", "", "--dir", path],
        ],
        {},
        path,
      );
      onTestFinished(() => server.stop("SIGTERM"));
      const values = {
        ...{ STORE_HOST: "127.0.0.1", STORE_PORT: String(port), STORE_USER: "default" },
        ...{ REDISCLI_AUTH: "correct-horse", CA: pem },
      };
      await until("Redis answers", async () => (await login("cache", path, values)).code === 0);
      expect((await login("cache", path, { ...values, REDISCLI_AUTH: "another" })).code).not.toBe(0);
      expect((await login("cache", path, { ...values, CA: stranger.pem })).code).not.toBe(0);

      const there = (more: Readonly<Record<string, string>>) =>
        login("cache", path, { ...values, STORE_URI: "rediss://there", ...more }, elsewhere);
      expect((await there({})).code).toBe(0);
      expect((await there({ REDISCLI_AUTH: "another" })).code).not.toBe(0);
      expect((await there({ CA: stranger.pem })).code).not.toBe(0);
      expect((await there({ STORE_URI: "redis://there" })).code, "without TLS").not.toBe(0);
    },
  );
});
