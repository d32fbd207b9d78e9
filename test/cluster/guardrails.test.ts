import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { connect } from "../../src/cluster/connect.ts";
import type { KubeObject } from "../../src/cluster/object.ts";
import { systemTiming } from "../../src/cluster/timing.ts";
import { runCommands } from "../../src/commands/program.ts";
import { guardrailObjects, guardrails } from "../../src/guardrails/index.ts";
import { operatorUser } from "../../src/guardrails/principals.ts";
import { ExceptionsController } from "../../src/operator/exceptions/exceptions-controller.ts";
import { createLog } from "../../src/operator/log.ts";
import { memoryTerminal, noSandbox } from "../unit/commands/memory-terminal.ts";
import { skipped, testConnection } from "./connection.ts";
import { type Attempt, attemptsIn } from "./guardrails/attempts.ts";
import { pathOf, podSpec, withVolumeOf, workload, workloadKinds } from "./guardrails/objects.ts";
import { refusedBy } from "./guardrails/requests.ts";
import { type Actor, eventually, openScene, runObject, type Scene } from "./guardrails/scene.ts";

const connection = testConnection();
if (connection === undefined) console.warn(skipped);

const runsPath = "/apis/platform.company.com/v1/namespaces/platform-system/runs";
const pinned = `gcr.io/company/tool@sha256:${"a".repeat(64)}`;

const podsSchema = z.object({
  items: z.array(
    z.object({ metadata: z.object({ name: z.string() }), status: z.object({ phase: z.string() }) }),
  ),
});

describe.skipIf(connection === undefined)("guardrails, on a real API server", () => {
  let scene: Scene;
  const quiet = createLog(() => undefined, { level: "error", now: () => new Date() });

  /** The cluster as the operator's own process sees it. */
  async function connectWith(token: string) {
    if (connection?.kind !== "kubeconfig" || connection.path === undefined) throw new Error("no kubeconfig");
    const folder = await mkdtemp(join(tmpdir(), "guardrails-"));
    const config = parse(await readFile(connection.path, "utf8"));
    config.users = config.users.map(({ name }: { name: string }) => ({ name, user: { token } }));
    await writeFile(join(folder, "kubeconfig"), stringify(config), { mode: 0o600 });
    const cluster = await connect({ kind: "kubeconfig", path: join(folder, "kubeconfig"), context: "admin" });
    await rm(folder, { recursive: true });
    return cluster;
  }
  beforeAll(async () => {
    if (connection?.kind !== "kubeconfig" || connection.path === undefined) return;
    scene = await openScene(connection.path);
    // A pod that keeps every rule, for attempts on living ones.
    await passes("namespace-admin", "POST", pathOf("Pod", scene.own), workload("Pod", "tool"));
  });
  afterAll(() => scene?.close());

  async function passes(actor: Actor, method: "POST" | "PATCH" | "DELETE", path: string, body?: unknown) {
    const answer = await scene.ask(actor, { method, path, body });
    expect(refusedBy(answer), `${actor}: ${method} ${path}`).toBeUndefined();
    return answer;
  }

  test("every attempt to get round them is refused, by what should refuse it", async () => {
    const attempts = attemptsIn(scene);
    const results: (Attempt & { readonly by: string })[] = [];
    for (const attempt of attempts) {
      const answer = await scene.ask(attempt.as, attempt.asked);
      const by = refusedBy(answer);
      const known =
        by !== undefined && answer.status === 422 && attempt.refusedBy === "schema" ? "schema" : by;
      results.push({ ...attempt, by: known ?? "NOBODY" });
    }
    const width = Math.max(...results.map(({ what }) => what.length));
    const table = results.map(({ what, as, by }) => `${what.padEnd(width)}  ${as.padEnd(15)}  ${by}`);
    process.stdout.write(
      `\n${"attempt".padEnd(width)}  ${"as".padEnd(15)}  refused by\n${table.join("\n")}\n`,
    );
    expect(results.filter(({ by, refusedBy: expected }) => by !== expected)).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(40);
    const unproven = guardrails.filter(({ name }) => !results.some(({ by }) => by === name));
    expect(unproven.map(({ name }) => name)).toEqual([]);
  });

  test("everything of a service that the operator wrote came up", async () => {
    const { own, service } = scene;
    await eventually("its pods run", async () => {
      const { body } = await scene.ask("admin", { method: "GET", path: `/api/v1/namespaces/${own}/pods` });
      const { items } = podsSchema.parse(body);
      const running = items
        .filter(({ status }) => status.phase === "Running")
        .map(({ metadata }) => metadata.name);
      const expected = [`${service}-db-0`, `${service}-`];
      return expected.every((start) => running.some((name) => name.startsWith(start))) ? true : undefined;
    });
  });

  test("what keeps the rules passes: people, pipelines and the operator do their work", async () => {
    const { own, shared, service, run } = scene;
    const dry = (path: string) => `${path}?dryRun=All`;
    for (const kind of workloadKinds) {
      await passes("namespace-admin", "POST", dry(pathOf(kind, own)), workload(kind, "other"));
      await passes(
        "namespace-admin",
        "POST",
        dry(pathOf(kind, shared)),
        workload(kind, "other", { image: pinned }),
      );
    }
    // A Job's containers end by themselves.
    const job = workload("Job", "once", {
      container: { readinessProbe: undefined, livenessProbe: undefined },
    });
    await passes("namespace-admin", "POST", dry(pathOf("Job", own)), job);
    const tag = { image: `gcr.io/company/tool:v1@sha256:${"b".repeat(64)}` };
    await passes("namespace-admin", "POST", dry(pathOf("Pod", shared)), workload("Pod", "tagged", tag));
    const mounted = { image: pinned, ...withVolumeOf(pinned) };
    await passes("namespace-admin", "POST", dry(pathOf("Pod", shared)), workload("Pod", "mounting", mounted));
    const { containers } = podSpec();
    const debugging = {
      ...containers[0],
      name: "debugger",
      resources: undefined,
      readinessProbe: undefined,
      livenessProbe: undefined,
    };
    const debugged = await scene.ask("namespace-admin", {
      method: "PATCH",
      patch: "strategic",
      path: dry(`/api/v1/namespaces/${own}/pods/tool/ephemeralcontainers`),
      body: { spec: { ephemeralContainers: [debugging] } },
    });
    expect(refusedBy(debugged)).toBeUndefined();
    const label = { metadata: { labels: { colour: "green" } } };
    await passes("namespace-admin", "PATCH", dry(`/api/v1/namespaces/${own}`), label);
    await passes("namespace-admin", "PATCH", dry(`/api/v1/namespaces/${own}/pods/tool`), label);
    const note = { metadata: { annotations: { "example.com/note": "hello" } } };
    await passes(
      "namespace-admin",
      "PATCH",
      dry(`/apis/apps/v1/namespaces/${own}/deployments/${service}`),
      note,
    );
    const plain = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "plain" },
      spec: { ports: [{ port: 80 }] },
    };
    await passes("namespace-admin", "POST", dry(`/api/v1/namespaces/${own}/services`), plain);
    // cert-manager copies a Certificate's labels.
    const request = {
      apiVersion: "cert-manager.io/v1",
      kind: "CertificateRequest",
      metadata: { name: "derived", labels: { "platform.company.com/managed": "true" } },
      spec: { request: "eA==", issuerRef: { name: "platform" } },
    };
    const requests = `/apis/cert-manager.io/v1/namespaces/${own}/certificaterequests`;
    await passes("namespace-admin", "POST", dry(requests), request);
    // The team edits its Application, by whatever way.
    const application = `/apis/platform.company.com/v1/namespaces/${own}/applications/${service}`;
    await passes("developer", "PATCH", dry(application), { spec: { image: "gcr.io/company/tool:v2" } });
    await passes("developer", "PATCH", dry(`${application}/scale`), { spec: { replicas: 3 } });
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      type: "Opaque",
      immutable: true,
      metadata: { name: `${scene.service}.stripe.stripe-key.1` },
      data: { STRIPE_KEY: "eA==" },
    };
    await passes("developer", "POST", dry(`/api/v1/namespaces/${own}/secrets`), secret);
    // Who may read Secrets anyway makes others too, as cert-manager does.
    const tls = { ...secret, type: "kubernetes.io/tls", metadata: { name: "shop-tls" }, immutable: false };
    const pair = { "tls.crt": "eA==", "tls.key": "eA==" };
    await passes("namespace-admin", "POST", dry(`/api/v1/namespaces/${own}/secrets`), { ...tls, data: pair });
    await passes("operator", "PATCH", dry(`${application}/status`), { status: { readyReplicas: 1 } });
    await passes("operator", "PATCH", dry(`${runsPath}/${run}/status`), { status: { phase: "Running" } });
    // Runs: of the team, of its pipeline, actions of on-call.
    const requestedBy = `system:serviceaccount:${own}:pipeline`;
    const ofPipeline = runObject({ operation: "deploy", service, team: "payments", requestedBy });
    const renamed = (object: ReturnType<typeof runObject>) => ({
      ...object,
      metadata: { ...object.metadata, name: `${object.metadata.name.slice(0, -5)}44444` },
    });
    await passes("pipeline", "POST", dry(runsPath), renamed(ofPipeline));
    const fresh = runObject({
      operation: "create",
      service: `${service}-new`,
      team: "payments",
      requestedBy: "developer",
    });
    await passes("developer", "POST", dry(runsPath), fresh);
    // Of a service beside others, in a namespace of theirs; and the operator, for an Application that somebody applied.
    const beside = { service: "ledger", sharedNamespace: shared, team: "payments" };
    const deletion = { ...beside, operation: "delete", requestedBy: "developer" };
    await passes("developer", "POST", dry(runsPath), runObject(deletion));
    const provision = {
      ...beside,
      operation: "provision",
      parameters: { application: { uid: "1", generation: 1, standards: "1" } },
      requestedBy: operatorUser,
    };
    await passes("operator", "POST", dry(runsPath), runObject(provision));
    const { sharedNamespace: _, ...alone } = provision;
    await passes("operator", "POST", dry(runsPath), runObject({ ...alone, service }));
    const annotations = { "platform.company.com/action-by": "oncall" };
    await passes("oncall", "PATCH", dry(`${runsPath}/${run}`), {
      metadata: { annotations },
      spec: { action: "rollback" },
    });
    await passes("oncall", "PATCH", dry(`${runsPath}/${run}`), { spec: { action: "cancel" } });
    // Who has asked for what nobody has begun with takes it back.
    await passes("developer", "DELETE", dry(`${runsPath}/${run}`));
  });

  test("who asked takes back what nobody has begun with, also where no operator lives", async () => {
    if (connection?.kind !== "kubeconfig" || connection.path === undefined) throw new Error("no kubeconfig");
    const { service } = scene;
    const request = runObject(
      { operation: "deploy", service, team: "payments", requestedBy: "developer" },
      { name: `${service}-deploy-66666` },
    );
    await passes("developer", "POST", runsPath, request);
    const cancel = async (context: string, name: string) => {
      const terminal = memoryTerminal();
      const argv = ["--kubeconfig", connection.path ?? "", "--context", context, "run", "cancel", name];
      const code = await runCommands(argv, { terminal, sandbox: noSandbox, version: "0" });
      return { code, ...terminal.written };
    };
    const { name } = request.metadata;
    expect((await cancel("developer2", name)).code).toBe(4);
    const cancelled = await cancel("developer", name);
    expect(cancelled.code, cancelled.err).toBe(0);
    expect(cancelled.err + cancelled.out).toContain("nothing was written");
    const { status } = await scene.ask("admin", { method: "GET", path: `${runsPath}/${name}` });
    expect(status).toBe(404);
  });

  test("an exception covers its workload, its rule and its time, and nothing else", async () => {
    const { own } = scene;
    const guardrails = `/apis/platform.company.com/v1/namespaces/${own}/guardrails/guardrails`;
    const foreign = { image: "elsewhere.example/legacy:v1" };
    const pod = (name: string, spoilt = foreign) =>
      scene.ask("namespace-admin", {
        method: "POST",
        path: `${pathOf("Pod", own)}?dryRun=All`,
        body: workload("Pod", name, spoilt),
      });
    const except = (expires: string) =>
      passes("engineer", "PATCH", guardrails, {
        spec: {
          exceptions: [
            {
              rule: "registry",
              workload: "legacy",
              owner: "payments",
              reason: "moves to our registry in March",
              expires,
            },
          ],
        },
      });
    await except("2099-01-01T00:00:00Z");
    await eventually("the exception is in force", async () =>
      (await pod("legacy-1")).status < 300 ? true : undefined,
    );
    expect(refusedBy(await pod("legacyx"))).toBe("pods");
    expect(refusedBy(await pod("legacy-1", { image: "elsewhere.example/legacy:latest" }))).toBe("pods");
    await passes(
      "namespace-admin",
      "POST",
      `${pathOf("CronJob", own)}?dryRun=All`,
      workload("CronJob", "legacy", foreign),
    );

    await except("2020-01-01T00:00:00Z");
    await eventually("the exception is over", async () =>
      refusedBy(await pod("legacy-1")) === "pods" ? true : undefined,
    );
  });

  test("the operator ends a pod whose exception is over, and leaves what keeps the rules", async () => {
    const { own } = scene;
    const guardrails = `/apis/platform.company.com/v1/namespaces/${own}/guardrails/guardrails`;
    const except = (expires: string) =>
      passes("engineer", "PATCH", guardrails, {
        spec: {
          exceptions: [
            { rule: "registry", workload: "old", owner: "payments", reason: "is moved in March", expires },
          ],
        },
      });
    await except("2099-01-01T00:00:00Z");
    await eventually("the exception is in force", async () => {
      const body = workload("Pod", "old-foreign", { image: "elsewhere.example/old:v1" });
      const answer = await scene.ask("namespace-admin", { method: "POST", path: pathOf("Pod", own), body });
      return answer.status < 300 ? true : undefined;
    });
    await passes("namespace-admin", "POST", pathOf("Pod", own), workload("Pod", "old-good"));
    await except("2020-01-01T00:00:00Z");

    const cluster = await connectWith(scene.operatorToken);
    const controller = new ExceptionsController({ cluster, timing: systemTiming, log: quiet });
    const stop = new AbortController();
    const asked = new Set<string>();
    await controller.start((key) => asked.add(key), stop.signal);
    const key = `${own}/guardrails`;
    expect([...asked]).toContain(key);
    await eventually("the pod is ended", async () => {
      await controller.reconcile(key, stop.signal);
      const path = `/api/v1/namespaces/${own}/pods/old-foreign`;
      const { status, body } = await scene.ask("admin", { method: "GET", path });
      return status === 404 || JSON.stringify(body).includes("deletionTimestamp") ? true : undefined;
    });
    const { body } = await scene.ask("admin", {
      method: "GET",
      path: `/api/v1/namespaces/${own}/pods/old-good`,
    });
    expect(JSON.stringify(body)).not.toContain("deletionTimestamp");
    stop.abort();
    await cluster.close();
  });

  test("a namespace that has lost its parameters starts nothing, and can be deleted", async () => {
    const { shared } = scene;
    const core = `/api/v1/namespaces/${shared}`;
    const held = { finalizers: ["example.com/held"] };
    const things: readonly (readonly [path: string, object: KubeObject])[] = [
      ...(["Pod", "Deployment", "Job", "CronJob"] as const).map(
        (kind) => [pathOf(kind, shared), workload(kind, "left", { image: pinned })] as const,
      ),
      [
        `${core}/services`,
        { apiVersion: "v1", kind: "Service", metadata: { name: "left" }, spec: { ports: [{ port: 80 }] } },
      ],
      [
        `/apis/platform.company.com/v1/namespaces/${shared}/applications`,
        {
          apiVersion: "platform.company.com/v1",
          kind: "Application",
          metadata: { name: "left" },
          spec: { image: pinned, language: "go" },
        },
      ],
    ];
    for (const [path, object] of things) {
      await passes("namespace-admin", "POST", path, {
        ...object,
        metadata: { ...object.metadata, ...held },
      });
    }
    await passes(
      "engineer",
      "DELETE",
      `/apis/platform.company.com/v1/namespaces/${shared}/guardrails/guardrails`,
    );
    await eventually("the parameters are gone", async () => {
      const asked = await scene.ask("admin", {
        method: "POST",
        path: `${pathOf("Pod", shared)}?dryRun=All`,
        body: workload("Pod", "tool", { image: pinned }),
      });
      if (refusedBy(asked) === undefined) return undefined;
      expect(asked.message).toContain("no params found");
      return true;
    });
    const byWhom: Readonly<Record<string, string>> = { Pod: "pods", Job: "jobs", CronJob: "cronjobs" };
    for (const kind of workloadKinds) {
      for (const spoilt of [{ image: pinned }, { image: "evil.example/miner:v1" }]) {
        const answer = await scene.ask("namespace-admin", {
          method: "POST",
          path: pathOf(kind, shared),
          body: workload(kind, "miner", spoilt),
        });
        expect(refusedBy(answer), `${kind} ${spoilt.image}`).toBe(byWhom[kind] ?? "workloads");
      }
    }
    const evil = await scene.ask("namespace-admin", {
      method: "PATCH",
      patch: "strategic",
      path: `${core}/pods/left`,
      body: { spec: { containers: [{ name: "tool", image: "evil.example/miner:v1" }] } },
    });
    expect(refusedBy(evil)).toBe("pod-images");

    await passes("admin", "DELETE", core);
    // Whoever put a finalizer there takes it off; the namespace waits for all of them.
    for (const [path, { metadata }] of things) {
      await passes("namespace-admin", "PATCH", `${path}/${metadata.name}`, {
        metadata: { finalizers: null },
      });
    }
    await eventually("the namespace is gone", async () => {
      const { status } = await scene.ask("admin", { method: "GET", path: core });
      return status === 404 ? true : undefined;
    });
  });

  test("the API server finds no fault with any policy, whatever the standards' contact is", async () => {
    for (const object of guardrailObjects({ contact: 'a "friend" \\ of ours, #platform' })) {
      const plural = object.kind.endsWith("Binding")
        ? "validatingadmissionpolicybindings"
        : "validatingadmissionpolicies";
      const path = `/apis/admissionregistration.k8s.io/v1/${plural}/${object.metadata.name}`;
      await passes("admin", "PATCH", `${path}?dryRun=All`, { spec: object.spec });
    }
    const answer = await scene.ask("admin", {
      method: "GET",
      path: "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    });
    expect(JSON.stringify(answer.body)).not.toContain("expressionWarnings");
  });
});
