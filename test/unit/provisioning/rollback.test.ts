import { describe, expect, test } from "vitest";
import type { StepId } from "../../../src/provisioning/plan.ts";
import {
  planRollback,
  previewRollback,
  type RollbackFacts,
} from "../../../src/provisioning/rollback/rollback.ts";
import { type Effect, effectKey } from "../../../src/provisioning/runs/effect.ts";
import type { RunEvent } from "../../../src/provisioning/runs/event.ts";
import { runName } from "../../../src/provisioning/runs/run-record.ts";
import { reduce, replay } from "../../../src/provisioning/runs/run-reducer.ts";

const run = runName("ledger-create-7f3k2");
const at = "2026-01-01T00:00:00.000Z";
const url = "file:///git/platform/ledger.git";
const namespace: Effect = { kind: "object", apiVersion: "v1", type: "Namespace", name: "app-ledger" };
const inside = (apiVersion: string, type: string, name: string): Effect => ({
  kind: "object",
  apiVersion,
  type,
  namespace: "app-ledger",
  name,
});
const quota = inside("v1", "ResourceQuota", "quota");
const database = inside("apps/v1", "StatefulSet", "ledger-db");
const deployment = inside("apps/v1", "Deployment", "ledger");
const repository: Effect = { kind: "repository", url };
const commit: Effect = { kind: "commit", url, branch: "main", title: "Skeleton" };

const steps: readonly (readonly [StepId, readonly StepId[], readonly Effect[]])[] = [
  ["create_namespace", [], [namespace, quota]],
  ["provision_database", ["create_namespace"], [database]],
  ["generate_manifests", [], [repository, commit]],
  ["apply_kubernetes", ["provision_database"], [deployment]],
];

function stateWith(
  options: { readonly ready?: boolean; readonly unknown?: Effect; readonly before?: Effect } = {},
) {
  const { ready = false, unknown, before } = options;
  const events: RunEvent[] = [
    {
      type: "RunStarted",
      at,
      epoch: 1,
      holder: "h",
      standardsHash: "x",
      plan: {
        operation: "create",
        service: "ledger",
        steps: steps.map(([id, needs]) => ({ id, title: id, needs: [...needs], effects: [], notes: [] })),
      },
    },
    ...steps.flatMap(([step, , effects]): RunEvent[] => [
      { type: "StepStarted", at, step, attempt: 1 },
      { type: "EffectsIntended", at, step, effects: [...effects] },
      {
        type: "EffectsRecorded",
        at,
        step,
        results: effects
          .filter((effect) => effect !== unknown)
          .map((effect) => ({
            effect,
            outcome: effect === before ? "unchanged" : "created",
            uid: `uid-${effectKey(effect)}`,
          })),
      },
      ...(step !== "apply_kubernetes" || ready
        ? [{ type: "StepSucceeded" as const, at, step, summary: "", warnings: [] }]
        : []),
    ]),
  ];
  return replay(
    {
      name: run,
      operation: "create",
      service: "ledger",
      team: "platform",
      requestedBy: "ann",
      requestedAt: at,
    },
    events,
  );
}

function facts(change: Partial<RollbackFacts> & { readonly without?: Effect } = {}): RollbackFacts {
  const objects = [namespace, quota, database, deployment].filter((effect) => effect !== change.without);
  return {
    objects: new Map(
      objects.map((effect) => [
        effectKey(effect),
        { uid: `uid-${effectKey(effect)}`, madeBy: run, foreign: false },
      ]),
    ),
    repositories: new Map([[url, { foreignCommits: 0 }]]),
    foreign: [],
    usedByOthers: false,
    ...change,
  };
}

function action(effect: Effect, ...args: Parameters<typeof planRollback>): string | undefined {
  return planRollback(...args).find((disposal) => effectKey(disposal.effect) === effectKey(effect))?.action;
}

describe("what a rollback deletes and keeps", () => {
  test("a run that never got ready goes whole: namespace, unused database, repository", () => {
    const state = stateWith();
    expect(planRollback(state, facts(), "keep-used").map(({ action: what }) => what)).toEqual([
      "delete",
      "with",
      "delete",
      "delete",
      "with",
      "delete",
    ]);
    const preview = previewRollback(state, facts(), "keep-used");
    expect(preview.destroysData).toBe(false);
    expect(preview.deletes.map(({ text, reason }) => [text, reason])).toEqual([
      ["namespace app-ledger and what is in it", "3 objects"],
      ["database ledger-db", "made by this run, never used"],
      ["repository platform/ledger", "made by this run, never used"],
    ]);
  });

  test("a database the service has run on is kept, with its namespace and guardrails", () => {
    const state = stateWith({ ready: true });
    const preview = previewRollback(state, facts(), "keep-used");
    expect(action(database, state, facts(), "keep-used")).toBe("keep");
    expect(action(namespace, state, facts(), "keep-used")).toBe("keep");
    expect(action(quota, state, facts(), "keep-used")).toBe("keep");
    expect(action(deployment, state, facts(), "keep-used")).toBe("delete");
    expect(preview.keeps.map(({ reason }) => reason)).toContain(
      "made by this run, and the service has run on it",
    );
  });

  test("deleting a used database is destroying data, and is said to be", () => {
    const state = stateWith({ ready: true });
    expect(previewRollback(state, facts(), "delete").destroysData).toBe(true);
    expect(action(database, state, facts(), "delete")).toBe("delete");
  });

  test("a database that another run has used since is kept", () => {
    expect(action(database, stateWith(), facts({ usedByOthers: true }), "keep-used")).toBe("keep");
  });

  test("somebody's objects keep the namespace and what guards it, not what this run made in it", () => {
    const state = stateWith();
    const found = facts({ foreign: ["configmap/notes"] });
    expect(action(namespace, state, found, "keep-used")).toBe("keep");
    expect(action(quota, state, found, "keep-used")).toBe("keep");
    expect(action(deployment, state, found, "keep-used")).toBe("delete");
    expect(previewRollback(state, found, "keep-used").keeps.map(({ reason }) => reason)).toEqual([
      expect.stringContaining("configmap/notes"),
      "guards the namespace, which stays",
    ]);
  });

  test("a repository with commits of others is kept, its history too", () => {
    const found = facts({ repositories: new Map([[url, { foreignCommits: 2 }]]) });
    expect(action(repository, stateWith(), found, "keep-used")).toBe("keep");
    expect(action(commit, stateWith(), found, "keep-used")).toBe("keep");
  });

  test("an intent without a result is looked at: this run's object goes, another's stays, none is gone", () => {
    const state = stateWith({ unknown: deployment });
    const madeBy = (maker: string | undefined) =>
      facts({
        objects: new Map([
          ...facts().objects,
          [effectKey(deployment), { uid: "u", madeBy: maker, foreign: false }],
        ]),
      });
    expect(action(deployment, state, madeBy(run), "keep-used")).toBe("delete");
    expect(action(deployment, state, madeBy("other-run"), "keep-used")).toBe("keep");
    expect(action(deployment, state, madeBy(undefined), "keep-used")).toBe("keep");
    expect(action(deployment, state, facts({ without: deployment }), "keep-used")).toBe("gone");
  });

  test("what existed before, and what was made anew by others, is never deleted", () => {
    expect(action(namespace, stateWith({ before: namespace }), facts(), "keep-used")).toBe("keep");
    const replaced = facts({
      objects: new Map([
        ...facts().objects,
        [effectKey(deployment), { uid: "another", madeBy: undefined, foreign: true }],
      ]),
    });
    expect(action(deployment, stateWith(), replaced, "keep-used")).toBe("keep");
  });
});

test("what guards the namespace is not in its way, once it can go after all", () => {
  const state = stateWith();
  const kept = reduce(reduce(state, { type: "RollbackStarted", at, by: "p", dataStores: "delete" }), {
    type: "EffectsReleased",
    at,
    step: "create_namespace",
    results: [{ effect: quota, outcome: "kept", reason: "guards the namespace, which stays" }],
  });
  expect(action(namespace, kept, facts(), "delete")).toBe("delete");
});

test("data stores that go and are protected are named, those that stay are not", () => {
  const found = facts();
  const objects = new Map(
    [...found.objects].map(([key, object]) => [key, { ...object, protected: key === effectKey(database) }]),
  );
  const guarded = { ...found, objects };
  const state = stateWith({ ready: true });
  expect(previewRollback(state, guarded, "delete").protectedStores).toEqual(["ledger-db"]);
  expect(previewRollback(state, guarded, "keep-used").protectedStores).toEqual([]);
});

test("a namespace stays where somebody else's object has taken the place of one of ours", () => {
  for (const taken of [deployment, quota]) {
    const found = facts();
    const objects = new Map([
      ...found.objects,
      [effectKey(taken), { uid: "another", madeBy: undefined, foreign: true }],
    ]);
    expect(action(taken, stateWith(), { ...found, objects }, "delete")).toBe("keep");
    expect(action(namespace, stateWith(), { ...found, objects }, "delete")).toBe("keep");
    const { deletes } = previewRollback(stateWith(), { ...found, objects }, "delete");
    expect(deletes.map(({ text }) => text)).not.toContain("namespace app-ledger and what is in it");
  }
});
