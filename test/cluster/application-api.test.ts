import { readFile } from "node:fs/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { wholeSpec } from "../../src/application/application.ts";
import { labels } from "../../src/application/names.ts";
import { apply, type Cluster } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import { resources } from "../../src/cluster/resource.ts";
import { systemTiming } from "../../src/cluster/timing.ts";
import { runCommands } from "../../src/commands/program.ts";
import { installDirectly } from "../../src/installation/directly.ts";
import { standardsSchema } from "../../src/standards/standards.ts";
import { memoryTerminal, noSandbox } from "../unit/commands/memory-terminal.ts";
import { skipped, testConnection, uniqueName } from "./connection.ts";

const connection = testConnection();
if (connection === undefined) console.warn(skipped);
const kubeconfig = process.env.PLATFORM_TEST_KUBECONFIG ?? "";

async function platform(...argv: string[]) {
  const terminal = memoryTerminal();
  const code = await runCommands(["--kubeconfig", kubeconfig, ...argv], {
    terminal,
    sandbox: noSandbox,
    version: "0",
  });
  return { code, ...terminal.written };
}

async function kubectl(args: readonly string[], input = "") {
  const { all, exitCode } = await execa("kubectl", ["--kubeconfig", kubeconfig, ...args], {
    input,
    all: true,
    reject: false,
  });
  return { code: exitCode, said: all };
}

describe.skipIf(connection === undefined)("the Application API on a real API server", () => {
  const namespace = uniqueName("managed");
  const made = [namespace];
  let cluster: Cluster;
  let example = "";

  beforeAll(async () => {
    if (connection === undefined) return;
    cluster = await connect(connection);
    const prices = { cpu: 20, memoryGib: 4, storageGib: 0.1 };
    const standards = standardsSchema.parse({
      images: { registries: ["gcr.io/company"] },
      prices: { currency: "EUR", cluster: prices },
    });
    await installDirectly(cluster, { standards, clock: systemTiming });
    expect(
      await platform("namespace", "manage", namespace, "--yes", "--team", await anyTeam()),
    ).toMatchObject({ code: 0 });
    const document = await readFile(new URL("../application.yaml", import.meta.url), "utf8");
    example = document.replace("namespace: production", `namespace: ${namespace}`);
    expect(example).toContain(namespace);
  });
  afterAll(async () => {
    await Promise.all(made.map((name) => cluster.delete(resources.namespaces, { name }).catch(() => {})));
    await cluster.close();
  });

  async function anyTeam(): Promise<string> {
    const { out } = await platform("standards", "show", "-o", "json");
    return Object.keys(JSON.parse(out).standards.teams)[0] ?? "";
  }

  const ref = { namespace, name: "api-gateway" };

  test("the document of the manual works unchanged, and what is stored is whole but for the team", async () => {
    expect(await kubectl(["apply", "-f", "-"], example)).toMatchObject({
      code: 0,
      said: expect.stringContaining("created"),
    });
    const { spec } = await cluster.get(resources.applications, ref);
    expect(spec).toEqual({
      image: "gcr.io/company/api-gateway:v1.2.3",
      replicas: 3,
      language: "go",
      starter: false,
      exposure: "internal",
      resources: {
        requests: { cpu: "100m", memory: "256Mi" },
        limits: { cpu: "500m", memory: "512Mi" },
      },
      database: { type: "postgres", size: "db-custom-2-8192", user: "api_gateway_user" },
      cache: { type: "redis", version: "7.0" },
      monitoring: { enabled: true, alerts: ["high-error-rate", "high-latency"] },
    });
    expect(wholeSpec(spec, "payments")).toEqual({ ...Object(spec), team: "payments" });
    const least = await kubectl(
      ["apply", "-f", "-"],
      `---\n{apiVersion: platform.company.com/v1, kind: Application, metadata: {name: least, namespace: ${namespace}}, spec: {image: "gcr.io/company/b:1"}}`,
    );
    expect(least).toMatchObject({ code: 0 });
    expect(await cluster.get(resources.applications, { namespace, name: "least" })).toMatchObject({
      spec: { replicas: 2, language: "go", monitoring: { enabled: true } },
    });
  });

  test.each([
    ["postgres", /are the database's own: choose another user/],
    ["CloudSQLsuperuser", /are the database's own/],
    ["pg_monitor", /are the database's own/],
    ["api-gateway", /letters, digits and underscores/],
    ["1st", /starts with a letter or an underscore/],
    ["u".repeat(64), /63/],
    ["a b; DROP", /letters, digits and underscores/],
  ])("kubectl is told why %s cannot be a database's user", async (user, reason) => {
    const document = example
      .replace("api_gateway_user", JSON.stringify(user))
      .replace("name: api-gateway", "name: refused");
    const { code, said } = await kubectl(["apply", "-f", "-"], document);
    expect(code).toBe(1);
    expect(said).toMatch(/spec\.database\.user/);
    expect(said).toMatch(reason);
  });

  test("what cannot change is refused with the reason, what can is taken", async () => {
    const change = (spec: object) =>
      cluster.patch(resources.applications, ref, { type: "merge", body: { spec } }, { dryRun: true });
    await expect(change({ database: { user: "other" } })).rejects.toThrow(/user of a database/);
    await expect(change({ database: { user: null } })).rejects.toThrow(/user of a database/);
    await expect(change({ language: "typescript" })).rejects.toThrow(/language cannot be changed/);
    await expect(change({ autoscaling: { minReplicas: 5, maxReplicas: 4 } })).rejects.toThrow(
      /minReplicas is above/,
    );
    await expect(change({ team: "payments" })).resolves.toBeDefined();
    await expect(change({ database: null, cache: { version: "7.4" } })).resolves.toBeDefined();
    for (const version of ["7.10", "10.0", "8", "7"]) {
      await expect(change({ cache: { version } })).resolves.toBeDefined();
    }
    for (const version of ["6.9", "6", null]) {
      await expect(change({ cache: { version } })).rejects.toThrow(
        /version of a cache in the cluster is not lowered/,
      );
    }
    await expect(change({ cache: null })).resolves.toBeDefined();
    await expect(change({ autoscaling: { maxReplicas: 4 } })).resolves.toMatchObject({
      spec: { autoscaling: { minReplicas: 2, maxReplicas: 4, cpuPercent: 70 } },
    });
  });

  test("an edit that a data store at Google would not follow is refused", async () => {
    const at = { namespace, name: "at-google" };
    const database = { type: "postgres", provider: "cloudsql", size: "db-custom-1-3840" };
    const cache = { type: "redis", provider: "memorystore" };
    const spec = wholeSpec({ image: "gcr.io/company/web:1", database, cache }, await anyTeam());
    const kind = { apiVersion: "platform.company.com/v1", kind: "Application" } as const;
    await cluster.create(resources.applications, { ...kind, metadata: at, spec });
    const change = (edit: object) =>
      cluster.patch(resources.applications, at, { type: "merge", body: { spec: edit } }, { dryRun: true });
    const larger = change({ database: { size: "db-custom-2-7680" } });
    await expect(larger).rejects.toThrow(/size of a database at Google/);
    await expect(change({ cache: { version: "7.2" } })).rejects.toThrow(/version of a cache at Google/);
    await expect(change({ replicas: 4 })).resolves.toBeDefined();
  });

  test("kubectl explains fields, prints the columns and scales; the short name is known", async () => {
    const explained = await kubectl(["explain", "applications.platform.company.com.spec.database"]);
    expect(explained.said).toContain("User the service connects as");
    // Argo CD calls its Applications so too: what the short name means is then the cluster's choice.
    const known = await kubectl(["get", "--raw", "/apis/platform.company.com/v1"]);
    expect(known.said).toContain('"shortNames":["app"]');
    const columns = await kubectl(["get", "applications.platform.company.com", "-n", namespace]);
    expect(columns.said).toMatch(/NAME +READY +REASON +REPLICAS +IMAGE +TEAM +AGE/);
    const scaled = await kubectl([
      ...["scale", "applications.platform.company.com/api-gateway"],
      ...["-n", namespace, "--replicas", "4"],
    ]);
    expect(scaled).toMatchObject({ code: 0 });
    expect(await cluster.get(resources.applications, ref)).toMatchObject({ spec: { replicas: 4 } });
  });

  test("managing a namespace twice writes nothing, and one with Applications stays managed", async () => {
    const again = await platform("namespace", "manage", namespace, "--team", await anyTeam(), "-o", "json");
    const { items } = JSON.parse(again.out);
    expect(new Set(items.map(({ outcome }: { outcome: string }) => outcome))).toEqual(new Set(["unchanged"]));
    const refused = await platform("namespace", "unmanage", namespace, "--yes");
    expect(refused).toMatchObject({ code: 4 });
    expect(refused.err).toContain("applications.platform.company.com/api-gateway");
  });

  test("a tier decides the quota; unmanaged, a namespace is what it was before", async () => {
    const name = uniqueName("managed");
    made.push(name);
    const before = await apply(cluster, resources.namespaces, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name },
    });
    await cluster.patch(
      resources.namespaces,
      { name },
      { type: "merge", body: { metadata: { labels: { ours: "1" } } } },
    );
    const team = await anyTeam();
    expect(
      await platform("namespace", "manage", name, "--team", team, "--tier", "production", "--yes"),
    ).toMatchObject({ code: 0 });
    expect(await cluster.get(resources.namespaces, { name })).toMatchObject({
      metadata: { labels: { [labels.managed]: "true", [labels.tier]: "production", [labels.team]: team } },
    });
    expect(await cluster.get(resources.resourceQuotas, { name: "quota", namespace: name })).toMatchObject({
      spec: { hard: { "requests.cpu": expect.anything() } },
    });
    expect(await platform("namespace", "unmanage", name, "--yes")).toMatchObject({ code: 0 });
    const after = await cluster.get(resources.namespaces, { name });
    expect(after.metadata.labels).toEqual({ ...before.metadata.labels, ours: "1" });
    for (const resource of [resources.networkPolicies, resources.resourceQuotas, resources.roleBindings]) {
      expect((await cluster.list(resource, { namespace: name })).items).toEqual([]);
    }
  });

  test("a namespace with a pod that would be refused is left alone, and the pod named", async () => {
    const name = uniqueName("managed");
    made.push(name);
    await apply(cluster, resources.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    await cluster.create(resources.serviceAccounts, {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "rooted", namespace: name },
    });
    await cluster.create(resources.pods, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "rooted", namespace: name },
      spec: { serviceAccountName: "rooted", containers: [{ name: "shell", image: "busybox" }] },
    });
    const refused = await platform("namespace", "manage", name, "--team", await anyTeam(), "--yes");
    expect(refused).toMatchObject({ code: 4 });
    expect(refused.err).toContain("rooted: container shell does not rule out privilege escalation");
    expect((await cluster.get(resources.namespaces, { name })).metadata.labels).not.toHaveProperty([
      labels.managed,
    ]);
  });
});
