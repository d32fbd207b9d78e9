import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { labels } from "../../../src/application/names.ts";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { systemTiming } from "../../../src/cluster/timing.ts";
import { selfExecutedAnnotation } from "../../../src/provisioning/operations/request-run.ts";
import { type RunSpec, runName, runObject } from "../../../src/provisioning/runs/run-record.ts";
import { composition, testStandards } from "../../provisioning/composition.ts";
import { type Operating, operating } from "../../provisioning/operating.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

const [team = ""] = Object.keys(testStandards.teams);
const deletion = {
  operation: "delete",
  service: "ledger",
  sharedNamespace: "shared",
  team,
  parameters: {},
  requestedBy: "somebody",
} as const satisfies RunSpec;

// The sandbox has no admission policies: what the executor itself refuses shows here.
describe("a Run that somebody has written by hand", () => {
  let stage: Awaited<ReturnType<typeof sandboxStage>>;
  let made: Awaited<ReturnType<typeof composition>>;
  let operator: Operating;
  beforeAll(async () => {
    stage = await sandboxStage();
    made = await composition(stage.cluster);
    operator = await operating(stage.cluster, made);
    const { cluster } = stage;
    for (const [name, managed] of [
      ["shared", { [labels.managed]: "true", [labels.team]: team }],
      ["theirs", { [labels.managed]: "true", [labels.team]: "search" }],
      ["free", {}],
    ] as const) {
      await cluster.create(resources.namespaces, {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name, labels: managed },
      });
      await cluster.create(resources.applications, {
        apiVersion: "platform.company.com/v1",
        kind: "Application",
        metadata: { namespace: name, name: "ledger" },
        spec: {
          image: "registry.example.internal/ledger:1",
          language: "go",
          database: { type: "postgres", provider: "cloudsql" },
        },
      });
    }
  });
  afterAll(async () => {
    await operator?.stop();
    await made?.close();
    await stage?.close();
  });

  /** What becomes of it, and why. */
  async function outcome(spec: RunSpec) {
    const name = runName(`${spec.service}-${spec.operation}-${crypto.randomUUID().slice(0, 5)}`);
    await stage.cluster.create(resources.runs, runObject(name, spec));
    const watched = made.provisioner().watch(name, AbortSignal.timeout(30_000));
    for await (const { phase, refusal } of watched) {
      if (phase !== "Pending") return `${phase}: ${refusal?.message ?? ""}`;
    }
    throw new Error(`nothing becomes of ${name}`);
  }

  test.each<[what: string, spec: RunSpec, why: string]>([
    [
      "scales in a namespace that it names",
      { ...deletion, operation: "scale", parameters: { replicas: 2 } },
      "a scale of ledger in its own namespace names none, and this run names shared",
    ],
    [
      "names the service's own namespace",
      { ...deletion, sharedNamespace: "app-ledger" },
      "a delete of ledger in its own namespace names none, and this run names app-ledger",
    ],
    [
      "is about a namespace that nobody manages",
      { ...deletion, sharedNamespace: "free" },
      "namespace free is not the platform's; it was left as it is",
    ],
    [
      "is about a namespace of another team",
      { ...deletion, sharedNamespace: "theirs" },
      `theirs/ledger is not of team ${team}, as the run says`,
    ],
    [
      "makes data stores in a namespace of another team",
      { ...deletion, operation: "provision", sharedNamespace: "theirs" },
      `namespace theirs is of team search, and theirs/ledger of team ${team}`,
    ],
  ])("is refused where it %s", async (_, spec, why) => {
    expect(await outcome(spec)).toContain(`Refused: ${why}`);
    const { items } = await stage.cluster.list(resources.applications);
    expect(
      items.map(({ metadata: { namespace, deletionTimestamp } }) => [namespace, deletionTimestamp]),
    ).toEqual(["free", "shared", "theirs"].map((namespace) => [namespace, undefined]));
  });

  test("does not stand in the way of a service of its name where nobody can read it", async () => {
    const spec = { ...deletion, service: "books", parameters: { migrate: ["\u0007"] } };
    await stage.cluster.create(resources.runs, runObject(runName("books-delete-unread"), spec));
    const request = serviceRequestSchema.parse({ name: "books", language: "go", replicas: 1 });
    const creation = await made.provisioner({ clock: systemTiming }).create(request, { onFailure: "hold" });
    expect(await creation.finished).toMatchObject({ phase: "Succeeded" });
  });

  test("does not hold up a service of the same name in another namespace", async () => {
    const object = runObject(runName("ledger-delete-waits"), deletion);
    const annotations = { [selfExecutedAnnotation]: "true" };
    await stage.cluster.create(resources.runs, { ...object, metadata: { ...object.metadata, annotations } });
    const request = serviceRequestSchema.parse({ name: "ledger", language: "go", replicas: 1 });
    const creation = await made.provisioner({ clock: systemTiming }).create(request, { onFailure: "hold" });
    expect(await creation.finished).toMatchObject({ phase: "Succeeded" });
    const { status } = await stage.cluster.get(resources.runs, {
      namespace: "platform-system",
      name: "ledger-delete-waits",
    });
    expect(status).toBeUndefined();
  });
});
