import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { namespaceOf, serviceNameSchema } from "../../src/application/names.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import { isClusterError } from "../../src/cluster/errors.ts";
import { resources } from "../../src/cluster/resource.ts";
import { runCommands } from "../../src/commands/program.ts";
import { externalValues, personsSecret } from "../provisioning/external-secret.ts";
import { memoryTerminal, noSandbox } from "../unit/commands/memory-terminal.ts";
import { skipped, testConnection, uniqueName } from "./connection.ts";
import { type Operated, openOperated } from "./guardrails/operated.ts";

const connection = testConnection();
if (connection === undefined) console.warn(skipped);

/** With the shipped roles and guardrails: the developer reads no Secret, the operator those of the service alone. */
describe.skipIf(connection === undefined)("a database that exists already, on a real API server", () => {
  const service = serviceNameSchema.parse(uniqueName("theirs"));
  const namespace = namespaceOf(service);
  const ref = { namespace, name: service };
  let operated: Operated;
  let admin: Cluster;
  let path: string;

  beforeAll(async () => {
    if (connection?.kind !== "kubeconfig" || connection.path === undefined) return;
    path = connection.path;
    operated = await openOperated(path);
    admin = await connect({ kind: "kubeconfig", path, context: "admin" });
    await allow(["10.30.0.0/16"]);
  }, 180_000);
  afterAll(async () => {
    await allow([]);
    await admin?.close();
    await operated?.close([service]);
  }, 120_000);

  const allow = (ranges: readonly string[]) =>
    admin.patch(
      resources.standards,
      { name: "platform" },
      { type: "merge", body: { spec: { dataStores: { external: { ranges } } } } },
    );
  const asDeveloper = async (...words: readonly string[]) => {
    const terminal = memoryTerminal();
    const argv = ["--kubeconfig", path, "--context", "developer", ...words];
    const code = await runCommands(argv, { terminal, sandbox: noSandbox, version: "1.2.3" });
    return { code, ...terminal.written };
  };
  const theirs = ["--database-secret", "their-login", "--database-address", "db.acme.example:5432"];

  test("is asked for by a developer, waited for and proven by the operator", async () => {
    const words = ["--language", "go", "--replicas", "1", "--team", "payments", "--database", "postgres"];
    const created = asDeveloper("service", "create", service, ...words, ...theirs);
    const values = externalValues("database");
    await expect
      .poll(
        () =>
          admin
            .create(resources.secrets, personsSecret(namespace, "their-login", values))
            .then(({ metadata }) => metadata.name)
            .catch((error: unknown) => {
              if (isClusterError(error, "not-found")) return undefined;
              throw error;
            }),
        { timeout: 60_000 },
      )
      .toBe("their-login");
    const { code, out, err } = await created;
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(out + err).not.toContain(values.password);
    expect(await admin.get(resources.applications, ref)).toMatchObject({
      spec: {
        database: {
          provider: "external",
          external: { secret: "their-login", host: "db.acme.example", port: 5432 },
        },
      },
    });
    expect(JSON.stringify(await admin.get(resources.deployments, ref))).toContain('"their-login"');
  });

  test("is told whole or not at all, and stays what it is, whoever writes the Application", async () => {
    const edit = (spec: object) =>
      admin.patch(resources.applications, ref, { type: "merge", body: { spec } }).then(
        () => "taken",
        (error: unknown) => (error instanceof Error ? error.message : ""),
      );
    expect(await edit({ database: { external: null } })).toContain(
      "external is given where the provider is external",
    );
    expect(await edit({ database: { provider: null, external: null } })).toContain(
      "the provider of a database that exists cannot be changed",
    );
    expect(await edit({ database: { size: "db-custom-1-3840" } })).toContain("leave them out");
    expect(await edit({ database: { external: { secret: "a.b" } } })).toContain("should match");
    expect(await edit({ database: { external: { port: 70_000 } } })).toContain("65535");
  });

  test("leads nowhere that the standards do not allow, whatever a developer asks for", async () => {
    const words = ["service", "set", service, "--yes", "--database-address", "192.0.2.1:443"];
    expect(await asDeveloper(...words)).toMatchObject({
      code: 4,
      err: expect.stringContaining("192.0.2.1 is nowhere the standards allow"),
    });
  });
});
