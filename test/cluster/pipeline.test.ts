import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { runCommands } from "../../src/commands/program.ts";
import { memoryTerminal, noSandbox } from "../unit/commands/memory-terminal.ts";
import { skipped, testConnection } from "./connection.ts";
import { pathOf, workload } from "./guardrails/objects.ts";
import { type Operated, openOperated } from "./guardrails/operated.ts";
import { type Asked, type Person, person, refusedBy } from "./guardrails/requests.ts";
import { runObject, type Scene } from "./guardrails/scene.ts";

const connection = testConnection();
if (connection === undefined) console.warn(skipped);

const tokenSchema = z.object({ status: z.object({ token: z.string(), expirationTimestamp: z.string() }) });
const image = `gcr.io/company/tool@sha256:${"c".repeat(64)}`;
const runs = "/apis/platform.company.com/v1/namespaces/platform-system/runs";

/** The ServiceAccount that the operator has made for a service, by a token of ten minutes. */
describe.skipIf(connection === undefined)("a service's pipeline, on a real API server", () => {
  let operated: Operated;
  let scene: Scene;
  let pipeline: Person;

  async function platform(...argv: readonly string[]) {
    const terminal = memoryTerminal();
    const code = await runCommands(["--kubeconfig", join(operated.folder, "pipeline"), ...argv], {
      terminal,
      sandbox: noSandbox,
      version: "0",
    });
    return { code, ...terminal.written };
  }

  beforeAll(async () => {
    if (connection?.kind !== "kubeconfig" || connection.path === undefined) return;
    operated = await openOperated(connection.path);
    scene = operated.scene;
    const answer = await scene.ask("admin", {
      method: "POST",
      path: `/api/v1/namespaces/${scene.own}/serviceaccounts/pipeline/token`,
      body: {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: { expirationSeconds: 600 },
      },
    });
    const { token } = tokenSchema.parse(answer.body).status;
    pipeline = person(connection.path, { token });
    await operated.kubeconfigOf("pipeline", token);
  }, 180_000);

  afterAll(async () => {
    pipeline?.close();
    await operated?.close([]);
  }, 120_000);

  test("deploys its own service by digest, and sees what becomes of it", async () => {
    const { service, own } = scene;
    const deployed = await platform(
      ...["service", "deploy", service, "--image", image, "--commit", "0123456789abcdef", "--wait", "--yes"],
      ...["-o", "json"],
    );
    expect(deployed.err).toBe("");
    expect(deployed.code, deployed.out).toBe(0);
    expect(deployed.out).toContain(`"requestedBy":"system:serviceaccount:${own}:pipeline"`);
    expect(deployed.out).toContain('"phase":"Succeeded"');
    const path = `/apis/platform.company.com/v1/namespaces/${own}/applications/${service}`;
    const { body } = await scene.ask("admin", { method: "GET", path });
    expect(body).toMatchObject({ spec: { image } });
    // The same once more changes nothing, and is no failure.
    const again = await platform("service", "deploy", service, "--image", image, "--yes");
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining("nothing to change") });
  });

  test("what it may not do it is told in words", async () => {
    const { service } = scene;
    const scaled = await platform("service", "scale", service, "--replicas", "5", "--yes");
    expect(scaled.code).toBe(4);
    expect(scaled.err).toContain("runs");
    const other = await platform("service", "deploy", "checkout", "--image", image, "--yes");
    expect(other.code).not.toBe(0);
    const tagged = await platform("service", "deploy", service, "--image", "gcr.io/company/tool:v1", "--yes");
    expect(tagged).toMatchObject({ code: 2, err: expect.stringContaining("digest") });
  });

  test("does nothing else, whatever it asks", async () => {
    const { service, own, run, shared } = scene;
    const me = `system:serviceaccount:${own}:pipeline`;
    const core = `/api/v1/namespaces/${own}`;
    const applications = "/apis/platform.company.com/v1/namespaces";
    const mine = `${applications}/${own}/applications/${service}`;
    const ask = (spec: Partial<Parameters<typeof runObject>[0]>): Asked => ({
      method: "POST",
      path: runs,
      body: runObject(
        {
          operation: "deploy",
          service,
          team: "payments",
          requestedBy: me,
          ...spec,
          parameters: { image },
        },
        { name: `${spec.service ?? service}-${spec.operation ?? "deploy"}-55555` },
      ),
    });
    const get = (path: string): Asked => ({ method: "GET", path });
    const attempts: readonly (readonly [what: string, by: string, asked: Asked])[] = [
      ...["scale", "set", "rollback", "delete", "cleanup"].map(
        (operation) => [`ask for ${operation} of its service`, "run-ownership", ask({ operation })] as const,
      ),
      ["ask for a new service", "run-(teams|ownership)", ask({ operation: "create" })],
      ["ask for an installation", "run(s|-ownership)", ask({ operation: "install" })],
      ["deploy another service", "run-ownership", ask({ service: "checkout" })],
      ["ask in somebody else's name", "runs", ask({ requestedBy: "developer" })],
      ["list runs", "RBAC", get(runs)],
      [
        "cancel a run",
        "RBAC",
        { method: "PATCH", path: `${runs}/${run}`, body: { spec: { action: "cancel" } } },
      ],
      ["delete a run", "RBAC", { method: "DELETE", path: `${runs}/${run}` }],
      ["write a journal", "RBAC", { method: "PATCH", path: `${runs}/${run}/status`, body: { status: {} } }],
      ["edit its Application", "RBAC", { method: "PATCH", path: mine, body: { spec: { replicas: 9 } } }],
      ["list Applications", "RBAC", get(`${applications}/${own}/applications`)],
      ["see another namespace's", "RBAC", get(`${applications}/${shared}/applications/any`)],
      ["read the service's credentials", "RBAC", get(`${core}/secrets/${service}-db`)],
      ["see pods", "RBAC", get(`${core}/pods`)],
      ["run a pod", "RBAC", { method: "POST", path: pathOf("Pod", own), body: workload("Pod", "mine") }],
      [
        "give itself another token",
        "RBAC",
        {
          method: "POST",
          path: `${core}/serviceaccounts/pipeline/token`,
          body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} },
        },
      ],
      [
        "bind a role",
        "RBAC",
        {
          method: "POST",
          path: `/apis/rbac.authorization.k8s.io/v1/namespaces/${own}/rolebindings`,
          body: {
            apiVersion: "rbac.authorization.k8s.io/v1",
            kind: "RoleBinding",
            metadata: { name: "mine" },
            roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "platform-team" },
            subjects: [{ kind: "ServiceAccount", name: "pipeline", namespace: own }],
          },
        },
      ],
      ["list namespaces", "RBAC", get("/api/v1/namespaces")],
      ["read the guardrails' exceptions", "RBAC", get(`${applications}/${own}/guardrails/guardrails`)],
      [
        "write the standards",
        "RBAC",
        {
          method: "PATCH",
          path: "/apis/platform.company.com/v1/standards/platform",
          body: { spec: { organization: "mine" } },
        },
      ],
    ];
    for (const [what, by, asked] of attempts) {
      expect(refusedBy(await pipeline.ask(asked)), what).toMatch(new RegExp(`^(${by})$`));
    }
  });
});
