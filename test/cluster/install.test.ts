import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { applicationFinalizer } from "../../src/application/names.ts";
import { apply, type Cluster } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import { find } from "../../src/cluster/find.ts";
import { resources } from "../../src/cluster/resource.ts";
import { runCommands } from "../../src/commands/program.ts";
import { memoryTerminal, noSandbox } from "../unit/commands/memory-terminal.ts";
import { testConnection, uniqueName } from "./connection.ts";

const connection = testConnection();
const kubeconfig = process.env.PLATFORM_TEST_KUBECONFIG ?? "";
const image = "registry.example.internal/platform/platform:1.2.3";

/** Runs a command line on the real cluster, in this process. */
async function platform(...argv: string[]) {
  const terminal = memoryTerminal();
  const code = await runCommands(["--kubeconfig", kubeconfig, ...argv], {
    terminal,
    sandbox: noSandbox,
    version: "1.2.3",
  });
  return { code, ...terminal.written };
}

async function done(...argv: string[]) {
  const ended = await platform(...argv);
  expect(ended.code, ended.err).toBe(0);
  return ended;
}

/** `kubectl apply --server-side -f -`, as a GitOps tool would. */
function kubectl(manifests: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const args = ["--kubeconfig", kubeconfig, "apply", "--server-side", "--force-conflicts", "-f", "-"];
    const child = execFile("kubectl", args, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(stderr)),
    );
    child.stdin?.end(manifests);
  });
}

const documentSchema = z.object({
  items: z.array(z.object({ area: z.string(), name: z.string(), state: z.string(), text: z.string() })),
});

/** What the doctor says of the platform's parts: `rights: ok`. */
async function health(...flags: string[]): Promise<readonly string[]> {
  const { out } = await platform(...flags, "doctor", "-o", "json");
  return documentSchema
    .parse(JSON.parse(out))
    .items.filter(({ area }) => area === "platform")
    .map(({ name, state }) => `${name}: ${state}`);
}

const well = [
  "standards",
  "types",
  "namespace",
  "rights",
  "manifests",
  "guardrails",
  "operator",
  "lease",
].map((name) => `${name}: ok`);

describe.skipIf(connection === undefined)("the platform's own installation, on a real API server", () => {
  const name = uniqueName("kept");
  let cluster: Cluster;
  let folder: string;
  /** Whether guardrails were in force before: the cluster is left as it was found. */
  let hadGuardrails = false;

  beforeAll(async () => {
    if (connection === undefined) return;
    cluster = await connect(connection);
    folder = await mkdtemp(join(tmpdir(), "platform-install-"));
    hadGuardrails = (await policies()).length > 0;
    await done("install", "--yes", "--operator-image", image);
  });
  afterAll(async () => {
    if (connection === undefined) return;
    await cluster.delete(resources.namespaces, { name }).catch(() => undefined);
    await done(...(hadGuardrails ? ["install", "--yes"] : ["uninstall", "--yes"]));
    await cluster.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function policies(): Promise<readonly string[]> {
    const { items } = await cluster.list(resources.validatingAdmissionPolicies);
    return items.map(({ metadata }) => metadata.name).filter((each) => each.startsWith("platform-"));
  }

  const standards = async () => (await cluster.get(resources.standards, { name: "platform" })).spec;

  test("installed, all is well; again, nothing is written", async () => {
    expect(await health()).toEqual(well);
    const runs = (await cluster.list(resources.runs)).items.length;
    expect((await done("install")).err).toContain("nothing was written");
    expect((await cluster.list(resources.runs)).items).toHaveLength(runs);
  });

  test("who may not install is told so with 4, and nothing is written; the doctor still answers", async () => {
    const before = (await cluster.list(resources.runs)).items.length;
    const refused = await platform("--context", "developer", "install", "--yes");
    expect(refused.code, refused.err).toBe(4);
    expect(refused.err).toMatch(/developer may not .* and \d+ more/);
    expect(refused.err).toContain("Nothing was written");
    expect((await platform("--context", "developer", "uninstall", "--yes")).code).toBe(4);
    expect((await cluster.list(resources.runs)).items).toHaveLength(before);
    const seen = await health("--context", "developer");
    expect(seen).toContain("standards: ok");
    expect(seen).toContain("rights: unseen");
  });

  test("drift is found and repaired, and what another version left is removed", async () => {
    const role = await cluster.get(resources.clusterRoles, { name: "platform-developer" });
    await apply(cluster, resources.clusterRoles, {
      apiVersion: role.apiVersion,
      kind: role.kind,
      metadata: {
        name: "platform-of-another-version",
        labels: { ...role.metadata.labels },
      },
    });
    const [policy = ""] = await policies();
    await cluster.delete(resources.validatingAdmissionPolicyBindings, { name: policy });
    const sick = await health();
    expect(sick).toContain("rights: warn");
    expect(sick).toContain("guardrails: fail");
    // Who could not type the command is told whom to ask for it.
    expect((await platform("doctor")).out).toMatch(/→ platform .*install/);
    expect((await platform("--context", "developer", "doctor")).out).toMatch(
      /→ ask .* to run: platform .*install/,
    );
    await done("install", "--yes");
    expect(await health()).toEqual(well);
    const old = { name: "platform-of-another-version" };
    expect(await find(cluster, resources.clusterRoles, old)).toBeUndefined();
  });

  test("an upgrade with other standards is rolled back to what was", async () => {
    const before = await standards();
    const file = join(folder, "platform.yaml");
    await writeFile(
      file,
      "organization: upgraded\nteams: { payments: { groups: [team-payments] } }\nimages: { registries: [registry.example.internal] }\n",
    );
    const { out } = await done("--standards", file, "install", "--dry-run");
    expect(out).toMatch(/ClusterRoleBinding +platform-developer +changed/);
    expect(await standards()).toEqual(before);
    const { err } = await done("--standards", file, "install", "--yes");
    expect(await standards()).toMatchObject({ organization: "upgraded" });
    const run = /run (platform-install-\w+)/.exec(err)?.[1] ?? "";
    await done("run", "rollback", run, "--yes");
    expect(await standards()).toEqual(before);
    expect(await health()).toEqual(well);
  });

  test("an uninstallation keeps Applications, standards and types; what is printed for GitOps brings back the rest", async () => {
    await apply(cluster, resources.namespaces, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name },
    });
    const ref = { namespace: name, name };
    await apply(cluster, resources.applications, {
      apiVersion: "platform.company.com/v1",
      kind: "Application",
      metadata: { ...ref, finalizers: [applicationFinalizer] },
      spec: { image: "registry.example.internal/a/b:v1", team: "platform" },
    });
    await done("uninstall", "--yes");
    expect(await policies()).toEqual([]);
    const operator = { namespace: "platform-system", name: "platform-operator" };
    expect(await find(cluster, resources.deployments, operator)).toBeUndefined();
    expect((await cluster.get(resources.applications, ref)).metadata.finalizers ?? []).toEqual([]);
    expect(await standards()).toBeDefined();

    const file = join(folder, "current.json");
    await writeFile(file, JSON.stringify(await standards()));
    const print = ["--standards", file, "install", "--print"];
    await kubectl((await platform(...print, "types")).out);
    await kubectl((await platform(...print, "--operator-image", image)).out);
    // Printed without asking any cluster what it serves: a ServiceMonitor is not among it.
    const { err } = await done("install", "--yes");
    const preview = err.slice(0, err.indexOf("objects unchanged"));
    expect(preview.split("\n").filter((line) => /\b(created|changed|deleted)\b/.test(line))).toEqual([
      expect.stringMatching(/^operator +ServiceMonitor +platform-operator +created/),
    ]);
    expect((await done("install")).err).toContain("nothing was written");
    expect(await health()).toEqual(well);
  });
});
