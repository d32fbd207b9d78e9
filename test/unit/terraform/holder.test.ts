import { describe, expect, test } from "vitest";
import { endedSince } from "../../../src/terraform/cluster-holders.ts";
import { type Holder, judgeHolder, type Look } from "../../../src/terraform/holder.ts";
import { type LockInfo, lockIn } from "../../../src/terraform/lock.ts";

const lock: LockInfo = {
  id: "1",
  operation: "OperationTypeApply",
  who: "root@laptop",
  created: "2026-11-23T08:00:01.000Z",
};
const holder: Holder = {
  run: "demo-create-1",
  operation: "the plan",
  host: "laptop",
  machine: "boot-1",
  since: "2026-11-23T08:00:00.000Z",
  engine: { pid: 10, start: "100" },
  terraform: { pid: 11, start: "110" },
};
const { terraform: _, ...unstarted } = holder;
const { engine: __, ...unknown } = unstarted;
const pod = { namespace: "platform-system", name: "operator-1", uid: "uid-1" };
const inPod: Holder = { ...holder, pod, machine: "boot-0" };

/** A machine with these processes, by pid. */
function looking(processes: Readonly<Record<number, string>>, more: Partial<Look> = {}): Look {
  return {
    machine: async () => "boot-1",
    startOf: async (pid) => processes[pid],
    anyIn: async () => false,
    podUid: async () => undefined,
    ...more,
  };
}

describe("the holder of a lock", () => {
  test.each<[string, readonly Holder[], Look, string]>([
    ["nobody is recorded", [], looking({}), "unknown"],
    ["its process is there", [holder], looking({ 11: "110" }), "alive"],
    ["its process is gone", [holder], looking({ 10: "100" }), "dead"],
    ["its pid is another's by now", [holder], looking({ 11: "999" }), "dead"],
    ["who was to start it is there", [unstarted], looking({ 10: "100" }), "alive"],
    ["who was to start it is gone, and nothing works there", [unstarted], looking({}), "dead"],
    [
      "who was to start it is gone, something works there",
      [unstarted],
      looking({}, { anyIn: async () => true }),
      "alive",
    ],
    [
      "who was to start it is gone, and one cannot look",
      [unstarted],
      looking({}, { anyIn: async () => undefined }),
      "unknown",
    ],
    ["no process is recorded", [unknown], looking({}), "unknown"],
    [
      "the machine has started anew, or is another",
      [{ ...holder, machine: "boot-0" }],
      looking({}),
      "unknown",
    ],
    [
      "the system does not tell which machine it is",
      [{ ...holder, machine: "" }],
      looking({}, { machine: async () => "" }),
      "unknown",
    ],
    ["the lock is of another machine", [{ ...holder, host: "tower" }], looking({}), "unknown"],
    [
      "the lock is older than what is recorded",
      [{ ...holder, since: "2026-11-23T09:00:00.000Z" }],
      looking({}),
      "unknown",
    ],
    ["its pod is there", [inPod], looking({}, { podUid: async () => "uid-1" }), "alive"],
    ["its pod was made anew", [inPod], looking({}, { podUid: async () => "uid-2" }), "dead"],
    ["its pod is gone", [inPod], looking({}, { podUid: async () => "gone" }), "dead"],
    ["one cannot see its pod", [inPod], looking({}), "unknown"],
    [
      "this is its pod, and its process is gone",
      [{ ...holder, pod }],
      looking({}, { podUid: async () => "uid-1" }),
      "dead",
    ],
    [
      "this is its pod, and its process is there",
      [{ ...holder, pod }],
      looking({ 11: "110" }, { podUid: async () => "uid-1" }),
      "alive",
    ],
  ])("where %s", async (_case, holders, look, state) => {
    expect((await judgeHolder(lock, holders, "/workspace", look)).state).toBe(state);
  });

  test("is whoever began last before the lock was taken", async () => {
    const older = {
      ...holder,
      run: "older",
      since: "2026-11-23T07:00:00.000Z",
      terraform: { pid: 5, start: "1" },
    };
    const later = {
      ...holder,
      run: "later",
      since: "2026-11-23T08:30:00.000Z",
      terraform: { pid: 6, start: "1" },
    };
    const verdict = await judgeHolder(
      lock,
      [later, holder, older],
      "/workspace",
      looking({ 5: "1", 6: "1" }),
    );
    expect(verdict).toMatchObject({ state: "dead", because: expect.stringContaining("demo-create-1") });
  });
});

describe("what ran in a pod", () => {
  const moment = "2026-11-23T08:00:00.500Z";
  const before = "2026-11-23T08:00:00Z";
  const after = "2026-11-23T08:00:01Z";
  const running = (startedAt: string) => ({ state: { running: { startedAt } }, lastState: {} });

  test.each<[string, readonly object[], boolean]>([
    ["its container was started again", [running(after)], true],
    [
      "its container ended, and waits to be started again",
      [{ state: { waiting: {} }, lastState: { terminated: { finishedAt: after } } }],
      true,
    ],
    ["its container ended for good", [{ state: { terminated: { finishedAt: after } } }], true],
    ["its container runs since before", [running(before)], false],
    [
      "its container had been started again before",
      [{ ...running(before), lastState: { terminated: { finishedAt: before } } }],
      false,
    ],
    ["one of two containers runs since before", [running(after), running(before)], false],
    [
      "its container does not run yet, as far as is known",
      [{ state: { waiting: {} }, lastState: {} }],
      false,
    ],
    ["nothing is known of its containers", [], false],
  ])("is gone or not where %s", (_case, containerStatuses, gone) => {
    expect(endedSince({ status: { containerStatuses } }, moment)).toBe(gone);
  });
});

describe("a message about a lock", () => {
  test("says who holds it, and since when", () => {
    expect(
      lockIn(`Error message: the state is already locked by another terraform client
Lock Info:
  ID:        07d3a0fb-8a3c-0cd5-d8ae-8f5e8c4a0a0d
  Path:      
  Operation: OperationTypeApply
  Who:       root@laptop
  Version:   1.11.4
  Created:   2026-11-23 09:48:49.311107123 +0100 CET
  Info:      

Terraform acquires a state lock`),
    ).toEqual({
      id: "07d3a0fb-8a3c-0cd5-d8ae-8f5e8c4a0a0d",
      operation: "OperationTypeApply",
      who: "root@laptop",
      created: "2026-11-23T08:48:49.311Z",
    });
  });

  test("that says nothing of one has none", () => {
    expect(lockIn("connection refused")).toBeUndefined();
  });
});
