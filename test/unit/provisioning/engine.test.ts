import { expect, test } from "vitest";
import { ClusterError } from "../../../src/cluster/errors.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { Engine, type EngineOptions } from "../../../src/provisioning/engine/engine.ts";
import type { Effect } from "../../../src/provisioning/runs/effect.ts";
import type { RunEvent } from "../../../src/provisioning/runs/event.ts";
import { Journal } from "../../../src/provisioning/runs/journal.ts";
import { readRun } from "../../../src/provisioning/runs/run-record.ts";
import type { Step } from "../../../src/provisioning/step.ts";
import { memoryCluster } from "./memory-cluster.ts";
import { requestedRun, started } from "./run-examples.ts";

const step = "create_namespace" as const;
const namespace: Effect = { kind: "object", apiVersion: "v1", type: "Namespace", name: "app-ledger" };
const busy = (retryAfterMs?: number) => new ClusterError("throttled", "busy", { status: 429, retryAfterMs });

/** An engine whose one step does what the test says; time stands still but for those who wait long enough. */
async function engineOf(work: {
  readonly apply?: (journal: Journal, signal: AbortSignal) => Promise<void>;
  readonly compensate?: (journal: Journal) => Promise<void>;
  /** Whether the journal can be written now. */
  readonly writable?: () => boolean;
  /** Whether time passes for those who wait. */
  readonly passes?: () => boolean;
}) {
  let now = Date.parse("2026-01-01T00:00:00Z");
  const cluster = memoryCluster({
    before: async ({ verb }) => {
      if (verb === "replace" && work.writable?.() === false)
        throw new ClusterError("unreachable", "connection refused");
    },
  });
  const clock = {
    now: () => new Date(now),
    async sleep(ms: number, signal?: AbortSignal) {
      for (let turns = 0; turns === 0 || (ms >= 100 && work.passes?.() === false); turns += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        signal?.throwIfAborted();
      }
      now += ms;
    },
  };
  const record = readRun(await cluster.create(resources.runs, requestedRun()));
  const journal = new Journal({ cluster, clock, record, holder: "ann@here:1", token: "a" });
  await journal.append(started(journal.epoch));
  const told: RunEvent[] = [];
  journal.subscribe((event) => told.push(event));
  const theStep: Pick<Step, "id" | "apply"> = {
    id: step,
    apply: async ({ signal }) => {
      await work.apply?.(journal, signal);
      return { summary: "" };
    },
  };
  const options: Omit<EngineOptions, "steps" | "contextFor"> = {
    journal,
    clock,
    random: () => 0.5,
    onFailure: "hold",
    actor: "ann",
    compensate: async () => work.compensate?.(journal),
    done: new Map(),
  };
  return { engine: engineWith(options, theStep), journal, told, clock };
}

/** The step gets its signal and nothing else: it needs nothing else. */
function engineWith(
  options: Omit<EngineOptions, "steps" | "contextFor">,
  theStep: Pick<Step, "id" | "apply">,
): Engine {
  return new Engine({
    ...options,
    steps: [Object.assign({ title: "", needs: [], when: () => true, describe: unused }, theStep)],
    contextFor: (_, signal) => Object.assign(Object.create(null), { signal }),
  });
}
const unused = (): never => {
  throw new Error("no plan is made here");
};

const made = (journal: Journal) => {
  const at = "2026-01-01T00:00:00.000Z";
  return journal.append(
    { type: "EffectsIntended", at, step, effects: [namespace] },
    { type: "EffectsRecorded", at, step, results: [{ effect: namespace, outcome: "created", uid: "u" }] },
  );
};
const released = (journal: Journal) =>
  journal.append({
    type: "EffectsReleased",
    at: "2026-01-01T00:00:01.000Z",
    step,
    results: [{ effect: namespace, outcome: "deleted", reason: "" }],
  });

test("a step is tried again no sooner than the server said, and the time is in the journal", async () => {
  let tries = 0;
  const { engine, told } = await engineOf({
    apply: async () => {
      tries += 1;
      if (tries < 3) throw busy(7_000);
    },
  });
  expect((await engine.run()).phase).toBe("Succeeded");
  const failures = told.filter((event) => event.type === "StepFailed");
  expect(failures.map(({ at, retryAt = "" }) => Date.parse(retryAt) - Date.parse(at))).toEqual([
    7_500, 8_000,
  ]);
  const starts = told.filter((event) => event.type === "StepStarted");
  for (const [index, { retryAt = "" }] of failures.entries()) {
    expect(Date.parse(starts[index + 1]?.at ?? "")).toBeGreaterThanOrEqual(Date.parse(retryAt));
  }
});

test("a compensation that fails waits in the open for its next try, and a person need not wait", async () => {
  let tries = 0;
  let patient = false;
  const { engine, journal, told } = await engineOf({
    apply: async () => {
      await made(journal);
      throw new ClusterError("invalid", "no", { status: 422 });
    },
    compensate: async () => {
      tries += 1;
      if (tries === 1) throw busy();
      await released(journal);
    },
    passes: () => patient,
  });
  const running = engine.run();
  await expect.poll(() => journal.durable.phase).toBe("Held");
  await running;
  expect(told.at(-1)?.type).toBe("RunHeld");
  await journal.append({
    type: "RollbackStarted",
    at: "2026-01-01T00:00:02.000Z",
    by: "ann",
    dataStores: "keep",
  });
  const back = engine.run();
  await expect
    .poll(() => journal.durable.steps[0])
    .toMatchObject({
      phase: "Retrying",
      retryAt: expect.any(String),
      error: { class: "transient" },
    });
  expect(tries).toBe(1);
  engine.retryNow();
  expect((await back).phase).toBe("RolledBack");
  expect(tries).toBe(2);
  patient = true;
});

test("a rollback asked of a living engine ends the step at work, and undoes what it made", async () => {
  const { engine, journal } = await engineOf({
    apply: async (_, signal) => {
      await made(journal);
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
    compensate: () => released(journal),
  });
  const running = engine.run();
  await expect.poll(() => journal.durable.steps[0]?.effects).toHaveLength(1);
  engine.rollBack("ben");
  const state = await running;
  expect(state.phase).toBe("RolledBack");
  expect(state.rollback?.by).toBe("ben");
  expect(state.failure).toBeUndefined();
});

test("while the journal cannot be written, no attempt is made", async () => {
  let tries = 0;
  let refusals = 0;
  const triesWhileDown: number[] = [];
  const { engine, told } = await engineOf({
    apply: async () => {
      tries += 1;
      if (tries > 1) return;
      refusals = 6;
      throw new ClusterError("unreachable", "connection refused");
    },
    writable: () => {
      if (refusals === 0) return true;
      refusals -= 1;
      triesWhileDown.push(tries);
      return false;
    },
  });
  const state = await engine.run();
  expect(triesWhileDown).toEqual([1, 1, 1, 1, 1, 1]);
  expect(told.filter(({ type }) => type === "StepFailed")).toHaveLength(1);
  expect(state.phase).toBe("Succeeded");
});
