import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  adoptedAnnotation,
  instanceAnnotation,
  labels,
  protectionAnnotation,
  providerAnnotation,
} from "../../../../src/application/names.ts";
import type { ObjectEffect } from "../../../../src/provisioning/objects/objects.ts";
import { judge, type Seen, type SeenObject } from "../../../../src/provisioning/orphans/judge.ts";
import type { Operation, StepId } from "../../../../src/provisioning/plan.ts";
import { type Effect, effectKey } from "../../../../src/provisioning/runs/effect.ts";
import type { RunEvent } from "../../../../src/provisioning/runs/event.ts";
import type { RunPhase, RunState } from "../../../../src/provisioning/runs/run.ts";
import { runName } from "../../../../src/provisioning/runs/run-record.ts";
import { replay } from "../../../../src/provisioning/runs/run-reducer.ts";

const at = "2026-01-01T00:00:00.000Z";
const namespaceName = "app-ledger";

function effectOf(apiVersion: string, type: string, name: string, namespace?: string): ObjectEffect {
  return { kind: "object", apiVersion, type, name, ...(namespace === undefined ? {} : { namespace }) };
}
const namespace = effectOf("v1", "Namespace", namespaceName);
const policy = effectOf("networking.k8s.io/v1", "NetworkPolicy", "deny-all", namespaceName);
const store = effectOf("apps/v1", "StatefulSet", "ledger-db", namespaceName);
const claim = effectOf("v1", "PersistentVolumeClaim", "data-ledger-db-0", namespaceName);
const secret = effectOf("v1", "Secret", "ledger-db", namespaceName);
const deployment = effectOf("apps/v1", "Deployment", "ledger", namespaceName);
const all = [namespace, policy, store, claim, secret, deployment] as const;

const components = new Map<ObjectEffect, string>([
  [namespace, "namespace"],
  [policy, "namespace"],
  [store, "database"],
  [claim, "database"],
  [secret, "database"],
  [deployment, "workload"],
]);

function seenObject(
  effect: ObjectEffect,
  over: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly owner?: { readonly kind: string; readonly name: string };
    readonly run?: string;
  } = {},
): SeenObject {
  const { annotations = {}, owner, run = "ledger-create-1" } = over;
  return {
    effect,
    metadata: {
      name: effect.name,
      uid: `uid-${effect.name}`,
      creationTimestamp: at,
      labels: {
        [labels.managed]: "true",
        [labels.service]: "ledger",
        [labels.component]: components.get(effect) ?? "",
        [labels.run]: run,
      },
      annotations,
      ...(owner === undefined ? {} : { ownerReferences: [{ apiVersion: "v1", uid: "u", ...owner }] }),
    },
  };
}

function run(
  name: string,
  operation: Operation,
  phase: RunPhase,
  over: {
    readonly steps?: readonly StepId[];
    readonly kept?: readonly Effect[];
    readonly remains?: readonly Effect[];
  } = {},
): RunState {
  const { steps = ["create_namespace"], kept = [], remains = [] } = over;
  const events: RunEvent[] = [
    {
      type: "RunStarted",
      at,
      epoch: 1,
      holder: "h",
      standardsHash: "x",
      plan: {
        operation,
        service: "ledger",
        steps: steps.map((id) => ({ id, title: id, needs: [], effects: [], notes: [] })),
      },
    },
    {
      type: "EffectsReleased",
      at,
      step: "create_namespace",
      results: kept.map((effect) => ({ effect, outcome: "kept", reason: "it holds data" })),
    },
  ];
  const request = {
    name: runName(name),
    operation,
    service: "ledger",
    team: "payments",
    requestedBy: "p",
    requestedAt: at,
  };
  return { ...replay(request, events), phase, orphans: remains };
}

function world(over: Partial<Seen> = {}): Seen {
  return {
    objects: all.map((effect) => seenObject(effect)),
    repositories: [],
    applications: new Map(),
    sharing: new Set(),
    runs: [],
    runNames: new Set(["ledger-create-1"]),
    ...over,
  };
}

const asked = new Map([["ledger", new Set(all.map(effectKey))]]);
const names = (seen: Seen, state: "orphan" | "kept") =>
  judge(seen)
    .filter((orphan) => orphan.state === state)
    .map(({ name }) => name);

describe("nothing is an orphan that", () => {
  test("a service's Application asks for, claims of its data stores included", () => {
    expect(judge(world({ applications: asked }))).toEqual([]);
  });

  test("an unfinished run may still need, whatever else is known", () => {
    const unfinished = fc.constantFrom<RunPhase>("Pending", "Running", "RollingBack", "Held", "Interrupted");
    const operation = fc.constantFrom<Operation>("create", "scale", "set", "delete", "cleanup");
    fc.assert(
      fc.property(unfinished, operation, fc.subarray([...all]), (phase, of, objects) => {
        const seen = world({
          objects: objects.map((effect) => seenObject(effect)),
          runs: [run("ledger-x-1", of, phase)],
        });
        expect(judge(seen)).toEqual([]);
      }),
    );
  });

  test("depends on another object, or was adopted by a service that lives", () => {
    const dependent = seenObject(deployment, { owner: { kind: "Application", name: "ledger" } });
    expect(judge(world({ objects: [dependent] }))).toEqual([]);
    const adopted = seenObject(secret, { annotations: { [adoptedAnnotation]: "for ledger by p at then" } });
    const lives = new Map([["ledger", new Set<string>()]]);
    expect(judge(world({ objects: [adopted], applications: lives }))).toEqual([]);
    // With its service gone there is nothing that accounts for it.
    expect(names(world({ objects: [adopted] }), "orphan")).toEqual(["app-ledger/secret/ledger-db"]);
  });
});

describe("what a run kept on purpose is no orphan:", () => {
  const deletion = run("ledger-delete-1", "delete", "Succeeded", {
    steps: ["preflight", "delete_kubernetes"],
  });

  test("data stores and what guards them, after a deletion; the rest is an orphan of it", () => {
    const seen = world({ runs: [deletion] });
    expect(names(seen, "orphan")).toEqual(["app-ledger/deployment/ledger"]);
    expect(names(seen, "kept")).toHaveLength(all.length - 1);
  });

  test("what a rolled-back run released as kept, with its reason", () => {
    const rolledBack = run("ledger-create-1", "create", "RolledBack", { kept: [namespace, store] });
    const found = judge(
      world({ objects: [namespace, store].map((effect) => seenObject(effect)), runs: [rolledBack] }),
    );
    expect(found.map(({ state, reason }) => [state, reason])).toEqual([
      ["kept", "kept by ledger-create-1: it holds data"],
      ["kept", "kept by ledger-create-1: it holds data"],
    ]);
  });

  test("a deletion that took the data stores leaves nothing on purpose", () => {
    const whole = run("ledger-delete-1", "delete", "Succeeded", {
      steps: ["delete_data_stores", "delete_namespace"],
    });
    expect(names(world({ runs: [whole] }), "orphan")).toHaveLength(all.length);
  });

  test("what came before the deletion does not count any more", () => {
    const held = run("ledger-create-1", "create", "Held");
    expect(names(world({ runs: [deletion, held] }), "orphan")).toEqual(["app-ledger/deployment/ledger"]);
  });
});

describe("an orphan is told", () => {
  test("by the run whose rollback could not undo it", () => {
    const failed = run("ledger-create-1", "create", "RollbackFailed", { remains: [policy] });
    const [orphan] = judge(world({ objects: [seenObject(policy)], runs: [failed] }));
    expect(orphan).toMatchObject({ state: "orphan", run: "ledger-create-1" });
    expect(orphan?.reason).toBe("the roll back of ledger-create-1 could not undo it");
  });

  test("with the data it holds and whether that is protected", () => {
    const guarded = seenObject(claim, { annotations: { [protectionAnnotation]: "true" } });
    const found = judge(world({ objects: [seenObject(namespace), guarded] }));
    expect(found.find(({ effect }) => effect === namespace)).toMatchObject({
      data: ["volume claim data-ledger-db-0"],
      protected: true,
    });
  });

  test("where the run it belonged to is gone: Leases and log chunks", () => {
    const lease = effectOf("coordination.k8s.io/v1", "Lease", "ledger-create-9", "platform-system");
    const chunk = effectOf("v1", "ConfigMap", "ledger-create-9-log-1", "platform-system");
    const of = (name: string) =>
      [lease, chunk].map((effect) => seenObject(effect, { owner: { kind: "Run", name }, run: name }));
    expect(names(world({ objects: of("ledger-create-9") }), "orphan")).toHaveLength(2);
    expect(judge(world({ objects: of("ledger-create-1") }))).toEqual([]);
  });

  test("for a repository, unless its service lives or its deletion kept it", () => {
    const repository = {
      url: "file:///r/payments/ledger.git",
      path: "payments/ledger",
      run: "r",
      foreignCommits: 2,
    };
    const seen = world({ objects: [], repositories: [repository] });
    expect(judge(seen)).toMatchObject([
      {
        state: "orphan",
        name: "repository/payments/ledger",
        data: ["2 commits that are not the platform's"],
      },
    ]);
    expect(judge({ ...seen, applications: asked })).toEqual([]);
    const runs = [run("ledger-delete-1", "delete", "Succeeded")];
    expect(names({ ...seen, runs }, "kept")).toEqual(["repository/payments/ledger"]);
  });
});

describe("of a service that shares its namespace", () => {
  const record = effectOf("v1", "ConfigMap", "ledger-db", "production");
  const database = effectOf(
    "postgresql.cnpg.io/v1",
    "Cluster",
    "production-ledger-1a2b",
    "platform-databases",
  );
  const annotations = {
    [providerAnnotation]: "cloudnative-pg",
    [instanceAnnotation]: "production-ledger-1a2b",
  };
  const objects = [seenObject(record, { annotations }), seenObject(database)];

  test("a database outside of the cluster is accounted for by its Application, and kept where that is gone", () => {
    expect(judge(world({ objects, sharing: new Set(["production/ledger"]) }))).toEqual([]);
    // Another of its name, in a namespace of its own, has nothing to do with it.
    expect(judge(world({ objects, applications: asked }))).toMatchObject([
      {
        name: "production/configmap/ledger-db",
        state: "kept",
        reason: expect.stringContaining("platform service delete production/ledger --data-stores delete"),
        data: ["cloudnative-pg of ledger-db"],
      },
    ]);
    const busy = { ...run("ledger-delete-1", "delete", "Running"), sharedNamespace: "production" };
    expect(judge(world({ objects, runs: [busy] }))).toEqual([]);
  });

  test("runs say nothing about a service of the same name that has a namespace of its own", () => {
    const kept = run("ledger-delete-1", "delete", "Succeeded", { steps: ["delete_kubernetes"] });
    const other = { ...run("ledger-delete-2", "delete", "Succeeded"), sharedNamespace: "production" };
    const alone = judge(world({ runs: [kept] }));
    expect(alone.length).toBeGreaterThan(0);
    expect(judge(world({ runs: [other, kept] }))).toEqual(alone);
  });
});

test("every object is judged by itself: what else is there takes nothing away and adds nothing", () => {
  const runs = fc.constantFrom(
    [],
    [run("ledger-delete-1", "delete", "Succeeded", { steps: ["delete_kubernetes"] })],
    [run("ledger-create-1", "create", "RolledBack", { kept: [namespace, store, claim] })],
    [run("ledger-create-1", "create", "RollbackFailed", { remains: [secret] })],
  );
  fc.assert(
    fc.property(fc.subarray([...all]), fc.boolean(), runs, (objects, lives, history) => {
      const base = world({ runs: history, applications: lives ? asked : new Map() });
      const verdicts = (effects: readonly ObjectEffect[]) =>
        judge({ ...base, objects: effects.map((effect) => seenObject(effect)) }).map(
          ({ name, state, reason }) => `${name} ${state} ${reason}`,
        );
      expect(verdicts(objects).sort()).toEqual(objects.flatMap((effect) => verdicts([effect])).sort());
    }),
  );
});
