import { describe, expect, test } from "vitest";
import { storeOfEffect, workspaceEffect } from "../../../src/provisioning/data-stores/cloud-store.ts";
import { type Effect, effectKey } from "../../../src/provisioning/effect.ts";
import type { EffectOutcome, RunEvent } from "../../../src/provisioning/event.ts";
import type { StepId } from "../../../src/provisioning/plan.ts";
import { isReversible, planRollback, previewRollback } from "../../../src/provisioning/rollback.ts";
import { runName } from "../../../src/provisioning/run-record.ts";
import { replay } from "../../../src/provisioning/run-reducer.ts";

const run = runName("ledger-create-7f3k2");
const at = "2026-01-01T00:00:00.000Z";
const record: Effect = {
  kind: "object",
  apiVersion: "v1",
  type: "ConfigMap",
  namespace: "app-ledger",
  name: "ledger-db",
};
const workspace = {
  kind: "workspace",
  provider: "cloudsql",
  name: "ledger-d69ffc2a53-db",
  namespace: "app-ledger",
  store: "ledger-db",
  project: "acme-prod",
  region: "us-central1",
  network: "projects/acme-prod/global/networks/main",
  instance: "ledger-0123456789ab",
} as const;

/** A run that made, found or began with the data store; `outcome` left out: it died at it. */
function stateWith(
  recorded: EffectOutcome,
  outcome: EffectOutcome | undefined,
  { step = "provision_database" as StepId, ready = false } = {},
) {
  const events: RunEvent[] = [
    {
      type: "RunStarted",
      at,
      epoch: 1,
      holder: "h",
      standardsHash: "x",
      plan: {
        operation: step === "provision_database" ? "create" : "delete",
        service: "ledger",
        steps: [
          { id: step, title: step, needs: [], effects: [], notes: [] },
          { id: "apply_kubernetes", title: "Workload", needs: [step], effects: [], notes: [] },
        ],
      },
    },
    { type: "StepStarted", at, step, attempt: 1 },
    {
      type: "EffectsRecorded",
      at,
      step,
      results: [{ effect: record, outcome: recorded, uid: "uid-record" }],
    },
    { type: "EffectsIntended", at, step, effects: [workspace] },
    ...(outcome === undefined
      ? []
      : [{ type: "EffectsRecorded" as const, at, step, results: [{ effect: workspace, outcome }] }]),
    ...(ready
      ? [{ type: "StepSucceeded" as const, at, step: "apply_kubernetes" as const, summary: "", warnings: [] }]
      : []),
  ];
  const request = { operation: "create", service: "ledger", team: "platform" } as const;
  return replay({ ...request, name: run, requestedBy: "ann", requestedAt: at }, events);
}

const facts = {
  objects: new Map([
    [effectKey(record), { uid: "uid-record", madeBy: run, foreign: false, protected: true }],
  ]),
  repositories: new Map(),
  foreign: [],
  usedByOthers: false,
};

function action(...args: Parameters<typeof planRollback>): string | undefined {
  return planRollback(...args).find(({ effect }) => effect.kind === "workspace")?.action;
}

describe("what a rollback does with a data store outside of the cluster", () => {
  test("what its run made, or began to make, and nobody used, goes", () => {
    expect(action(stateWith("created", "created"), facts, "keep-used")).toBe("delete");
    expect(action(stateWith("created", undefined), facts, "keep-used")).toBe("delete");
  });

  test("what says where it is may be gone: what its run began to make goes all the same", () => {
    const nothing = { ...facts, objects: new Map() };
    expect(action(stateWith("created", undefined), nothing, "keep-used")).toBe("delete");
  });

  test("what was there before stays, whatever is asked for and wherever its run died", () => {
    for (const outcome of ["unchanged", "changed", undefined] as const) {
      for (const choice of ["keep-used", "delete"] as const) {
        expect(action(stateWith("unchanged", outcome), facts, choice), `${outcome} ${choice}`).toBe("keep");
      }
    }
  });

  test("what a service has run on stays, until somebody says otherwise and names it", () => {
    const state = stateWith("created", "created", { ready: true });
    expect(action(state, facts, "keep-used")).toBe("keep");
    expect(action(state, facts, "delete")).toBe("delete");
    expect(previewRollback(state, facts, "delete")).toMatchObject({
      destroysData: true,
      protectedStores: ["ledger-db"],
    });
  });

  test("a removal that has begun is lost, whether or not it was recorded", () => {
    const step = "delete_data_stores";
    expect(action(stateWith("unchanged", undefined, { step }), facts, "keep-used")).toBe("lost");
    const deleted = stateWith("unchanged", "deleted", { step });
    expect(action(deleted, facts, "keep-used")).toBe("lost");
    expect(isReversible(deleted)).toBe(false);
  });

  test("the journal alone has what a removal needs", () => {
    expect(workspaceEffect(storeOfEffect(workspace))).toEqual({
      ...workspace,
      name: workspaceEffect(storeOfEffect(workspace)).name,
    });
    expect(storeOfEffect({ ...workspace, provider: "memorystore", store: "ledger-cache" })).toMatchObject({
      identity: { name: "ledger", store: "cache" },
      variables: { name: "ledger-0123456789ab", project: "acme-prod" },
    });
  });
});
