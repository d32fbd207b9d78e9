import { describe, expect, it } from "vitest";
import {
  applicationFacts,
  namespaceFacts,
  type OperatorWord,
  runFacts,
  workloadFacts,
} from "../../../src/services/facts.ts";
import { byUrgency, type Parts, rowOf } from "../../../src/services/row.ts";
import type { Service } from "../../../src/services/service.ts";

const parts = (over: Partial<Parts> = {}): Parts => ({
  name: "ledger",
  namespace: {
    name: "app-ledger",
    service: "ledger",
    team: "payments",
    createdAt: "2026-01-01T00:00:00Z",
    terminating: false,
  },
  application: {
    name: "ledger",
    namespace: "app-ledger",
    team: "payments",
    image: "ghcr.io/acme/ledger:1",
    starter: false,
    replicas: 3,
    database: false,
    cache: false,
    monitored: true,
    createdAt: "2026-01-02T00:00:00Z",
    terminating: false,
  },
  workload: workload(3, 3),
  database: undefined,
  cache: undefined,
  run: undefined,
  scraping: {
    state: "answered",
    targets: new Map([
      [
        "app-ledger",
        [
          {
            namespace: "app-ledger",
            service: "ledger-metrics",
            health: "up",
            lastError: "",
            scrapeUrl: "http://x",
          },
        ],
      ],
    ]),
    firing: new Map(),
  },
  problem: "",
  complete: true,
  ...over,
});

const workload = (ready: number, wanted: number, over: Partial<NonNullable<Parts["workload"]>> = {}) => ({
  name: "ledger",
  namespace: "app-ledger",
  component: "workload",
  pods: { ready, wanted },
  image: "ghcr.io/acme/ledger:1",
  settled: true,
  problem: "",
  ...over,
});

const run = (phase: NonNullable<Parts["run"]>["phase"], message = "") => ({
  name: "ledger-create-1",
  service: "ledger",
  operation: "create" as const,
  phase,
  message,
  at: "2026-01-01T00:00:00Z",
});

describe("a row of the dashboard", () => {
  it("is quiet when all is well", () => {
    expect(rowOf(parts())).toMatchObject({
      name: "ledger",
      team: "payments",
      verdict: "healthy",
      reason: "",
      replicas: { ready: 3, wanted: 3 },
      database: { type: "none" },
      monitoring: { status: "proven", targets: 1 },
    });
  });

  it("says why pods are not ready, in the cluster's own words", () => {
    const problem = "image ghcr.io/acme/ledger:2 cannot be pulled: not found";
    expect(rowOf(parts({ workload: workload(1, 3, { settled: false }), problem }))).toMatchObject({
      verdict: "degraded",
      reason: problem,
    });
    expect(rowOf(parts({ workload: workload(0, 3), problem })).verdict).toBe("failed");
  });

  it("tells a rollout from pods that were lost", () => {
    expect(rowOf(parts({ workload: workload(1, 3, { settled: false }) }))).toMatchObject({
      verdict: "working",
      reason: "1 of 3 pods ready",
    });
    expect(rowOf(parts({ workload: workload(1, 3) })).verdict).toBe("degraded");
  });

  it.each([
    ["Held", "failed", "create is held: Pipeline: push refused"],
    ["RollbackFailed", "failed", "the roll back of create failed: Pipeline: push refused"],
    ["Running", "working", "Pipeline: push refused"],
    ["Interrupted", "degraded", "create was interrupted, go on with: platform run resume ledger-create-1"],
  ] as const)("with a run that is %s is %s", (phase, verdict, reason) => {
    expect(rowOf(parts({ run: run(phase, "Pipeline: push refused") }))).toMatchObject({ verdict, reason });
  });

  it("shows a data store that is wanted and not there as not ready", () => {
    const application = { ...parts().application, database: true } as Parts["application"];
    expect(rowOf(parts({ application })).database).toEqual({ type: "postgres", ready: false });
  });

  it("is degraded while Prometheus cannot scrape it, and not while nobody can be asked", () => {
    const down = {
      namespace: "app-ledger",
      service: "ledger-metrics",
      health: "down" as const,
      lastError: "connection refused",
      scrapeUrl: "http://x",
    };
    const scraping = {
      state: "answered" as const,
      targets: new Map([["app-ledger", [down]]]),
      firing: new Map(),
    };
    expect(rowOf(parts({ scraping }))).toMatchObject({
      verdict: "degraded",
      monitoring: { status: "broken" },
    });
    expect(rowOf(parts({ scraping: { state: "failed", reason: "no answer" } }))).toMatchObject({
      verdict: "healthy",
      monitoring: { status: "unproven", reason: "no answer" },
    });
  });

  it("does not call a service half-made before everything was read", () => {
    const nothing = { application: undefined, workload: undefined };
    expect(rowOf(parts({ ...nothing, complete: false })).verdict).toBe("healthy");
    expect(rowOf(parts(nothing)).verdict).toBe("degraded");
  });

  it("that is gone and left its data says what was kept, and what to type", () => {
    const run = (over: Partial<NonNullable<Parts["run"]>>) => ({
      name: "ledger-delete-1",
      service: "ledger",
      operation: "delete" as const,
      phase: "Succeeded" as const,
      message: "",
      at: "2026-01-02T00:00:00Z",
      ...over,
    });
    const left = { application: undefined, workload: undefined };
    const database = workload(1, 1, { name: "ledger-db", component: "database" });
    for (const over of [{}, { operation: "create", phase: "RolledBack" }] as const) {
      const row = rowOf(parts({ ...left, database, run: run(over) }));
      expect(row.verdict).toBe("kept");
      expect(row.reason).toContain("platform service create ledger");
      expect(row.reason).toContain("platform service delete ledger --data-stores delete");
    }
    expect(rowOf(parts({ ...left, run: run({ phase: "RolledBack" }) })).verdict).toBe("kept");
    expect(rowOf(parts({ ...left, database, run: run({ operation: "scale" }) })).verdict).toBe("degraded");
    expect(rowOf(parts({ ...left, database, run: undefined })).verdict).toBe("degraded");
  });

  it("comes the earlier the more it needs a person", () => {
    const row = (name: string, verdict: Service["verdict"]): Service => ({
      ...rowOf(parts()),
      name,
      verdict,
    });
    const rows = [row("b", "healthy"), row("a", "healthy"), row("z", "failed"), row("y", "degraded")];
    expect(rows.sort(byUrgency).map(({ name }) => name)).toEqual(["z", "y", "a", "b"]);
  });
});

describe("a service that shares its namespace", () => {
  const shared = (operator: OperatorWord, over: Partial<Parts> = {}): Parts => ({
    ...parts(),
    namespace: { ...parts().namespace, name: "production", service: "", team: "platform" },
    application: told(operator),
    ...over,
  });
  const told = (operator: OperatorWord): NonNullable<Parts["application"]> => ({
    name: "ledger",
    namespace: "production",
    team: "payments",
    image: "ghcr.io/acme/ledger:1",
    starter: false,
    replicas: 3,
    database: true,
    cache: false,
    monitored: true,
    createdAt: "2026-01-02T00:00:00Z",
    terminating: false,
    operator,
  });
  const target = (service: string, health: "up" | "down") => ({
    namespace: "production",
    service,
    health,
    lastError: "refused",
    scrapeUrl: `http://${service}`,
  });

  it("has its own age, team, proof and alerts, not those of who is beside it", () => {
    const scraping: Parts["scraping"] = {
      state: "answered",
      targets: new Map([["production", [target("ledger-metrics", "up"), target("shop-metrics", "down")]]]),
      firing: new Map([
        [
          "production",
          [
            { namespace: "production", service: "shop", alert: "high-latency" },
            { namespace: "production", service: "ledger", alert: "high-error-rate" },
          ],
        ],
      ]),
    };
    const database = workload(1, 1, { name: "ledger-db", component: "database" });
    expect(rowOf(shared({ state: "ready", message: "" }, { scraping, database }))).toMatchObject({
      name: "ledger",
      namespace: "production",
      team: "payments",
      createdAt: "2026-01-02T00:00:00Z",
      verdict: "healthy",
      database: { type: "postgres", ready: true },
      monitoring: { status: "proven", targets: 1 },
      firing: ["high-error-rate"],
      lastRun: undefined,
    });
  });

  it.each([
    ["degraded", "image cannot be pulled", "failed", "image cannot be pulled"],
    ["progressing", "waits for the database", "working", "waits for the database"],
    ["silent", "", "working", "waits for the operator; platform doctor tells whether there is one"],
  ] as const)("is as the operator says: %s", (state, message, verdict, reason) => {
    expect(rowOf(shared({ state, message }, { workload: undefined }))).toMatchObject({ verdict, reason });
  });

  it("has the run that makes its data stores, of which the operator tells", () => {
    const message = "run ledger-provision-1 is held: quota; see platform run show ledger-provision-1";
    const held = { ...run("Held", "Database: quota"), operation: "provision" as const };
    const row = rowOf(shared({ state: "degraded", message }, { workload: undefined, run: held }));
    expect(row).toMatchObject({
      verdict: "failed",
      reason: message,
      lastRun: { operation: "provision", phase: "Held" },
    });
  });

  it.each([
    ["Running", "working", "Data stores: in use"],
    ["Held", "failed", "delete is held: Data stores: in use"],
    ["Interrupted", "degraded", "delete was interrupted, go on with: platform run resume ledger-create-1"],
    ["Succeeded", "kept", "kept: data stores of ledger; "],
  ] as const)("that is being deleted is as the run says: %s", (phase, verdict, reason) => {
    const deletion = { ...run(phase, "Data stores: in use"), operation: "delete" as const };
    const over = { application: undefined, workload: undefined, run: deletion };
    const row = rowOf(shared({ state: "silent", message: "" }, over));
    expect(row.verdict).toBe(verdict);
    expect(row.reason).toContain(reason);
  });

  it("is told by its pods where they say more", () => {
    const over = { workload: workload(1, 3), problem: "the process ends with code 1" };
    expect(rowOf(shared({ state: "progressing", message: "1 of 3" }, over))).toMatchObject({
      verdict: "degraded",
      reason: "the process ends with code 1",
    });
  });

  it("that is gone and left its data says how it is used again", () => {
    const database = workload(1, 1, { name: "ledger-db", component: "database" });
    const gone = { application: undefined, workload: undefined, database };
    const row = rowOf(shared({ state: "silent", message: "" }, gone));
    expect(row).toMatchObject({ verdict: "kept" });
    expect(row.reason).toContain("an Application ledger in production uses them again");
    expect(row.reason).toContain("platform service delete production/ledger --data-stores delete");
  });
});

describe("facts", () => {
  const conditions = (generation: number, ready: string, degraded: string) => ({
    conditions: [
      { type: "Ready", status: ready, message: "no\u001b[2J quota", observedGeneration: generation },
      { type: "Degraded", status: degraded, message: "exceeded quota", observedGeneration: generation },
    ],
  });
  it.each([
    ["nothing yet", undefined, { state: "silent", message: "" }],
    ["what was before the last change", conditions(1, "True", "False"), { state: "silent", message: "" }],
    ["that it is ready", conditions(2, "True", "False"), { state: "ready", message: "" }],
    ["what it waits for", conditions(2, "False", "False"), { state: "progressing", message: "no quota" }],
    ["what is wrong", conditions(2, "False", "True"), { state: "degraded", message: "exceeded quota" }],
  ])("of an Application in a shared namespace say what the operator says: %s", (_, status, operator) => {
    const object = {
      apiVersion: "platform.company.com/v1",
      kind: "Application",
      metadata: { name: "ledger", namespace: "production", generation: 2 },
      ...(status === undefined ? {} : { status }),
    };
    expect(applicationFacts(object)).toMatchObject({ operator });
  });

  it.each([
    ["app-ledger", undefined, true],
    ["production", undefined, false],
    ["production", "False", false],
    ["production", "True", true],
  ])(
    "of a data store outside of the cluster say whether it is there: in %s, %s",
    (namespace, ready, there) => {
      const facts = applicationFacts({
        apiVersion: "platform.company.com/v1",
        kind: "Application",
        metadata: { name: "ledger", namespace, generation: 2 },
        spec: { database: { type: "postgres", provider: "cloudsql" } },
        ...(ready === undefined
          ? {}
          : { status: { conditions: [{ type: "DatabaseReady", status: ready }] } }),
      });
      expect(facts.elsewhere).toEqual(there ? ["database"] : undefined);
    },
  );

  it("of runs have the key of the row that each is about", () => {
    const titles = ["Service", "Operation", "Phase", "Message", "Attempts", "Namespace"];
    const rows = [
      ["ledger", "delete", "Running", "", 1, "production"],
      ["ledger", "scale", "Succeeded", "", 1, null],
    ].map((cells, index) => ({ cells, metadata: { name: `run-${index}` } }));
    const columns = titles.map((name) => ({ name, type: "string", priority: 0 }));
    const table = { resourceVersion: "1", columns, rows };
    expect(runFacts(table).map(({ service }) => service)).toEqual(["production/ledger", "ledger"]);
    const older = { ...table, columns: columns.slice(0, 5) };
    expect(runFacts(older).map(({ service }) => service)).toEqual(["ledger", "ledger"]);
  });

  it("of a namespace without labels still name the service", () => {
    expect(namespaceFacts({ name: "app-ledger" })).toMatchObject({ service: "ledger", team: "" });
    expect(namespaceFacts({ name: "production" })).toMatchObject({ service: "" });
  });

  it("of a Deployment say what its controller complains about", () => {
    const facts = workloadFacts({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "ledger", namespace: "app-ledger", generation: 2 },
      spec: { replicas: 2 },
      status: {
        observedGeneration: 2,
        conditions: [
          {
            type: "ReplicaFailure",
            status: "True",
            reason: "FailedCreate",
            message: "exceeded quota: platform\u001b[2J",
          },
        ],
      },
    });
    expect(facts).toMatchObject({
      pods: { ready: 0, wanted: 2 },
      problem: "pods cannot be created: exceeded quota: platform",
    });
  });
});
