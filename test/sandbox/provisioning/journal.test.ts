import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { ClusterError } from "../../../src/cluster/errors.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { systemTiming } from "../../../src/cluster/timing.ts";
import { livingHolder, startHeartbeat } from "../../../src/provisioning/engine/heartbeat.ts";
import { JournalError } from "../../../src/provisioning/errors.ts";
import type { Effect } from "../../../src/provisioning/runs/effect.ts";
import type { RunEvent } from "../../../src/provisioning/runs/event.ts";
import { Journal, maxJournalBytes } from "../../../src/provisioning/runs/journal.ts";
import { chunkLines, mostChunks, readLog } from "../../../src/provisioning/runs/log-archive.ts";
import { newRunName, type RunRecord, readRun, runObject } from "../../../src/provisioning/runs/run-record.ts";
import { keptLogLines } from "../../../src/provisioning/runs/run-reducer.ts";
import { composition } from "../../provisioning/composition.ts";
import { forwarding } from "../../provisioning/fault.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

let stage: Awaited<ReturnType<typeof sandboxStage>>;
let made: Awaited<ReturnType<typeof composition>>;
beforeAll(async () => {
  stage = await sandboxStage();
  made = await composition(stage.cluster);
});
afterAll(async () => {
  await made?.close();
  await stage?.close();
});

const at = "2026-01-01T00:00:00.000Z";
const started = (epoch: number): RunEvent => ({
  type: "RunStarted",
  at,
  epoch,
  holder: "h",
  standardsHash: "x",
  plan: {
    operation: "create",
    service: "ledger",
    steps: [{ id: "preflight", title: "Preflight", needs: [], effects: [], notes: [] }],
  },
});
const line = (text: string): RunEvent & { readonly type: "StepLogged" } => ({
  type: "StepLogged",
  at,
  step: "preflight",
  line: text,
});

async function requested(): Promise<RunRecord> {
  const request = serviceRequestSchema.parse({ name: "ledger", language: "go" });
  const name = newRunName("ledger", "create", randomBytes);
  const object = runObject(name, {
    operation: "create",
    service: "ledger",
    team: "platform",
    parameters: { request },
    requestedBy: "ann",
  });
  return readRun(await stage.cluster.create(resources.runs, object));
}

function journalOf(record: RunRecord, token: string, cluster: Cluster = stage.cluster): Journal {
  return new Journal({ cluster, clock: systemTiming, record, holder: `${token}@here:1`, token });
}

async function stored(record: RunRecord): Promise<RunRecord> {
  return readRun(
    await stage.cluster.get(resources.runs, { namespace: "platform-system", name: record.name }),
  );
}

test("many events of a moment are few writes, in order, and all there", async () => {
  const record = await requested();
  let writes = 0;
  const counting: Cluster = {
    ...forwarding(stage.cluster),
    replace: (...args) => {
      writes += 1;
      return stage.cluster.replace(...args);
    },
  };
  const journal = journalOf(record, "a", counting);
  await Promise.all([
    journal.append(started(1)),
    ...Array.from({ length: 50 }, (_, index) => journal.append(line(`line ${index}`))),
  ]);
  expect(writes).toBeLessThanOrEqual(2);
  const { events, state } = await stored(record);
  expect(events.map((event) => (event.type === "StepLogged" ? event.line : event.type))).toEqual([
    "RunStarted",
    ...Array.from({ length: 50 }, (_, index) => `line ${index}`),
  ]);
  expect(state).toEqual(journal.durable);
});

test("an engine that was overtaken writes nothing more, and knows by whom", async () => {
  const record = await requested();
  const first = journalOf(record, "first");
  await first.append(started(1));
  const second = journalOf(await stored(record), "second");
  await second.append({ type: "RunTaken", at, epoch: 2, holder: "second@here:1", by: "ben" });
  const error = await first
    .append({ type: "StepStarted", at, step: "preflight", attempt: 1 })
    .catch((e) => e);
  expect(error).toBeInstanceOf(JournalError);
  expect(error).toMatchObject({ kind: "lost-epoch", message: expect.stringContaining("second@here:1") });
  expect(first.lost.aborted).toBe(true);
  await second.append({ type: "RunHeld", at });
  expect((await stored(record)).events.map(({ type }) => type)).toEqual([
    "RunStarted",
    "RunTaken",
    "RunHeld",
  ]);
});

test("of two engines that take a run at the same moment, one has it", async () => {
  const record = await requested();
  const engines = ["one", "two", "three"].map((token) => journalOf(record, token));
  const results = await Promise.allSettled(engines.map((journal) => journal.append(started(1))));
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect((await stored(record)).events).toHaveLength(1);
});

test("a write whose answer was lost is recognised, and nothing is written twice", async () => {
  const record = await requested();
  let lose = true;
  const losing: Cluster = {
    ...forwarding(stage.cluster),
    replace: async (...args) => {
      const answer = await stage.cluster.replace(...args);
      if (!lose) return answer;
      lose = false;
      throw new ClusterError("unreachable", "connection reset");
    },
  };
  const journal = journalOf(record, "a", losing);
  await journal.append(started(1));
  await journal.append({ type: "RunHeld", at });
  expect((await stored(record)).events.map(({ type }) => type)).toEqual(["RunStarted", "RunHeld"]);
});

test("somebody who labels the run meanwhile takes nothing away", async () => {
  const record = await requested();
  const journal = journalOf(record, "a");
  await journal.append(started(1));
  await stage.cluster.patch(
    resources.runs,
    { namespace: "platform-system", name: record.name },
    { type: "merge", body: { metadata: { labels: { note: "seen" } } } },
  );
  await journal.append({ type: "RunHeld", at });
  const { object, state } = await stored(record);
  expect(object.metadata.labels?.note).toBe("seen");
  expect(state.phase).toBe("Held");
});

test("a run is a request: its parameters cannot be changed afterwards", async () => {
  const record = await requested();
  const change = stage.cluster.patch(
    resources.runs,
    { namespace: "platform-system", name: record.name },
    { type: "merge", body: { spec: { service: "other" } } },
  );
  await expect(change).rejects.toMatchObject({ kind: "invalid" });
});

const textsOf = async (record: RunRecord) => {
  const texts: string[] = [];
  for await (const { line } of readLog(stage.cluster, record.name)) texts.push(line);
  return texts;
};

test("a long log gives way in the Run, and is read whole all the same", async () => {
  const record = await requested();
  const journal = journalOf(record, "a");
  await journal.append(started(1));
  for (let index = 0; index < 1_000; index += 1) journal.line(line(`${index} ${"x".repeat(2_000)}`));
  await journal.flush();
  // Another engine goes on with it, in the same log.
  const other = journalOf(await stored(record), "b");
  await other.append({ type: "RunTaken", at, epoch: 2, holder: "b@here:1", by: "ben" });
  for (let index = 1_000; index < 1_500; index += 1) other.line(line(`${index} ${"é".repeat(2_000)}`));
  await other.append({ type: "RunHeld", at });
  const { events, state } = await stored(record);
  expect(events.filter(({ type }) => type === "StepLogged").length).toBeLessThan(2 * keptLogLines);
  expect(state.log.at(-1)?.line).toMatch(/^1499 é+…$/);
  expect(Buffer.byteLength(JSON.stringify(events))).toBeLessThan(maxJournalBytes);
  expect(state.phase).toBe("Held");
  expect((await textsOf(record)).map((text) => Number(text.split(" ")[0]))).toEqual(
    Array.from({ length: 1_500 }, (_, index) => index),
  );
});

test("what is kept of a log is bounded, and goes with its run", async () => {
  const record = await requested();
  const journal = journalOf(record, "a");
  await journal.append(started(1));
  const lines = (mostChunks + 3) * chunkLines;
  for (let index = 0; index < lines; index += 1) journal.line(line(String(index)));
  await journal.flush();
  const { items } = await stage.cluster.list(resources.configMaps, { namespace: "platform-system" });
  const chunks = items.filter(({ metadata }) => metadata.name.startsWith(`${record.name}-log-`));
  expect(chunks).toHaveLength(mostChunks);
  const owners = chunks.flatMap(({ metadata }) => metadata.ownerReferences?.map(({ uid }) => uid) ?? []);
  expect(new Set(owners)).toEqual(new Set([record.object.metadata.uid]));
  const texts = await textsOf(record);
  expect(texts.at(0)).toBe(String(2 * chunkLines));
  expect(texts.at(-1)).toBe(String(lines - 1));
  expect(texts).toHaveLength(lines - 2 * chunkLines);
});

test("a log that cannot be put aside fails no run", async () => {
  const record = await requested();
  const refusing: Cluster = {
    ...forwarding(stage.cluster),
    patch: async (resource, ...rest) => {
      if (resource.plural === "configmaps") throw new ClusterError("forbidden", "no", { status: 403 });
      return stage.cluster.patch(resource, ...rest);
    },
  };
  const journal = journalOf(record, "a", refusing);
  await journal.append(started(1));
  for (let index = 0; index < 1_000; index += 1) journal.line(line(String(index)));
  await journal.append({ type: "RunHeld", at });
  expect((await stored(record)).state.phase).toBe("Held");
  expect((await textsOf(record)).at(-1)).toBe("999");
});

test("a Run that is full takes on no more effects, and has room to undo those it has", async () => {
  const record = await requested();
  const journal = journalOf(record, "a");
  await journal.append(started(1));
  const step = "preflight" as const;
  const made: Effect[] = [];
  const refusal = await (async () => {
    for (let index = 0; ; index += 1) {
      const name = `map-${index}`;
      const effects: Effect[] = Array.from({ length: 20 }, (_, part) => ({
        kind: "object",
        apiVersion: "v1",
        type: "ConfigMap",
        namespace: "app-ledger",
        name: `${name}-${part}`,
      }));
      const object = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name },
        data: { text: "x".repeat(100_000) },
      };
      const before = effects.slice(0, 1).map((effect) => ({ effect, object }));
      const intent: RunEvent = { type: "EffectsIntended", at, step, effects, before };
      try {
        await journal.append(intent);
      } catch (error) {
        return error;
      }
      made.push(...effects);
      journal.line(line("y".repeat(400)));
      journal.note({
        type: "EffectsRecorded",
        at,
        step,
        results: effects.map((effect) => ({ effect, outcome: "changed", uid: "u".repeat(36) })),
      });
    }
  })();
  expect(refusal).toMatchObject({ class: "refused", message: expect.stringContaining("is full") });
  const results = made.map((effect) => ({
    effect,
    outcome: "restored" as const,
    reason: "as it was before",
  }));
  await journal.append(
    { type: "RollbackStarted", at, by: "ann", dataStores: "keep-used" },
    { type: "EffectsReleased", at, step, results },
    { type: "RolledBack", at },
  );
  const { state, object } = await stored(record);
  expect(state.phase).toBe("RolledBack");
  expect(state.steps[0]?.effects.every(({ state: now }) => now === "restored")).toBe(true);
  expect(JSON.stringify(object).length).toBeLessThan(1_400_000);
});

test("a deleted run stops its engine", async () => {
  const record = await requested();
  const journal = journalOf(record, "a");
  await journal.append(started(1));
  await stage.cluster.delete(resources.runs, { namespace: "platform-system", name: record.name });
  await expect(journal.append({ type: "RunHeld", at })).rejects.toMatchObject({ kind: "gone" });
});

test("a holder is alive while it renews, and dead by our own clock when it does not", async () => {
  const record = await requested();
  // The holder lives in another time; it renews when this test says so.
  let renew: () => void = () => {};
  const holdersClock = {
    now: () => new Date(Date.now() - 86_400_000),
    sleep: (_: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        renew = resolve;
        signal?.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  let renewed: () => void = () => {};
  const telling: Cluster = {
    ...forwarding(stage.cluster),
    patch: async (...args) => {
      const answer = await stage.cluster.patch(...args);
      renewed();
      return answer;
    },
  };
  let now = 0;
  let onWait: () => Promise<void> = async () => {};
  const observersClock = {
    now: () => new Date(now),
    sleep: async (ms: number) => {
      now += ms;
      await onWait();
    },
  };
  const never = new AbortController().signal;
  const stop = await startHeartbeat(telling, holdersClock, record.object, "ann@elsewhere:7", never);
  expect(await livingHolder(stage.cluster, observersClock, record.name)).toBeUndefined();

  onWait = () =>
    new Promise((resolve) => {
      renewed = resolve;
      renew();
    });
  expect(await livingHolder(stage.cluster, observersClock, record.name)).toBe("ann@elsewhere:7");
  await stop();
  expect(await livingHolder(stage.cluster, observersClock, record.name)).toBeUndefined();
});
