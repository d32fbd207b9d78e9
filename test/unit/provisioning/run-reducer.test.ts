import { expect, test } from "vitest";
import type { Effect } from "../../../src/provisioning/runs/effect.ts";
import type { RunEvent } from "../../../src/provisioning/runs/event.ts";
import { runName } from "../../../src/provisioning/runs/run-record.ts";
import { replay } from "../../../src/provisioning/runs/run-reducer.ts";

const step = "create_namespace";
const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, "0")}.000Z`;
const namespace: Effect = { kind: "object", apiVersion: "v1", type: "Namespace", name: "app-ledger" };
const error = { class: "refused" as const, message: "no", mend: "" };

function stateAfter(...events: RunEvent[]) {
  const started: RunEvent = {
    type: "RunStarted",
    at: at(0),
    epoch: 1,
    holder: "ann@here:1",
    standardsHash: "x",
    plan: {
      operation: "create",
      service: "ledger",
      steps: [{ id: step, title: "Namespace", needs: [], effects: [], notes: [] }],
    },
  };
  return replay(
    {
      name: runName("ledger-create-7f3k2"),
      operation: "create",
      service: "ledger",
      team: "platform",
      requestedBy: "ann",
      requestedAt: at(0),
    },
    [started, ...events],
  );
}

test("what a run created stays its own, though a later attempt finds it unchanged", () => {
  const state = stateAfter(
    { type: "StepStarted", at: at(1), step, attempt: 1 },
    { type: "EffectsIntended", at: at(1), step, effects: [namespace] },
    {
      type: "EffectsRecorded",
      at: at(2),
      step,
      results: [{ effect: namespace, outcome: "created", uid: "u" }],
    },
    { type: "StepFailed", at: at(3), step, attempt: 1, error },
    { type: "RunHeld", at: at(3) },
    { type: "RunTaken", at: at(9), epoch: 2, holder: "ben@there:2", by: "ben" },
    { type: "StepStarted", at: at(9), step, attempt: 2 },
    { type: "EffectsIntended", at: at(9), step, effects: [namespace] },
    {
      type: "EffectsRecorded",
      at: at(9),
      step,
      results: [{ effect: namespace, outcome: "unchanged", uid: "u" }],
    },
  );
  expect(state.steps[0]?.effects).toEqual([{ effect: namespace, state: "created", uid: "u" }]);
  expect(state.holder).toBe("ben@there:2");
});

test("a failure is told until the step is tried again, also while the run is rolled back", () => {
  const failed: RunEvent[] = [
    { type: "StepStarted", at: at(1), step, attempt: 1 },
    { type: "StepFailed", at: at(3), step, attempt: 1, error },
  ];
  const rollback: RunEvent = { type: "RollbackStarted", at: at(3), by: "ann", dataStores: "keep-used" };
  expect(stateAfter(...failed, rollback, { type: "RolledBack", at: at(4) }).failure).toEqual({ step, error });
  const taken: RunEvent = { type: "RunTaken", at: at(9), epoch: 2, holder: "h", by: "ben" };
  const again: RunEvent = { type: "StepStarted", at: at(9), step, attempt: 2 };
  expect(stateAfter(...failed, { type: "RunHeld", at: at(3) }, taken, again).failure).toBeUndefined();
});

test("a step that is tried anew is timed anew; tries by itself count together", () => {
  const first: RunEvent[] = [
    { type: "StepStarted", at: at(1), step, attempt: 1 },
    { type: "StepFailed", at: at(3), step, attempt: 1, error, retryAt: at(5) },
    { type: "StepStarted", at: at(5), step, attempt: 2 },
  ];
  expect(stateAfter(...first).steps[0]?.startedAt).toBe(at(1));
  const anew: RunEvent[] = [
    { type: "StepFailed", at: at(6), step, attempt: 2, error },
    { type: "RunHeld", at: at(6) },
    { type: "RunTaken", at: at(30), epoch: 2, holder: "h", by: "ben" },
    { type: "StepStarted", at: at(31), step, attempt: 3 },
  ];
  expect(stateAfter(...first, ...anew).steps[0]?.startedAt).toBe(at(31));
});
