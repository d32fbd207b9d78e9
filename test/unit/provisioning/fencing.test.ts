import fc from "fast-check";
import { expect, test } from "vitest";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { ClusterError } from "../../../src/cluster/errors.ts";
import { resources } from "../../../src/cluster/resource.ts";
import type { Clock } from "../../../src/provisioning/clock.ts";
import { observeHolder, startHeartbeat } from "../../../src/provisioning/engine/heartbeat.ts";
import { clusterForStep } from "../../../src/provisioning/engine/step-cluster.ts";
import { JournalError } from "../../../src/provisioning/errors.ts";
import { Journal } from "../../../src/provisioning/runs/journal.ts";
import { type RunRecord, readRun } from "../../../src/provisioning/runs/run-record.ts";
import { forwarding } from "../../provisioning/fault.ts";
import { memoryCluster } from "./memory-cluster.ts";
import { requestedRun, started, taken } from "./run-examples.ts";
import { VirtualTime } from "./virtual-time.ts";

const end = 150_000;

/** A process and its way to the cluster, as luck has it. */
interface Fate {
  /** How long each message takes, each way, in milliseconds. */
  readonly latency: readonly number[];
  /** Which answers get lost, by turns. */
  readonly lost: readonly boolean[];
  /** When the process is stopped, and for how long. */
  readonly stops: readonly { readonly at: number; readonly ms: number }[];
  /** How far its time of day is off. */
  readonly skew: number;
}

const fates: fc.Arbitrary<Fate> = fc.record({
  latency: fc.array(fc.oneof({ weight: 4, arbitrary: fc.nat(50) }, fc.nat(6_000)), {
    minLength: 1,
    maxLength: 40,
  }),
  lost: fc.array(
    fc.nat(9).map((luck) => luck === 0),
    { minLength: 1, maxLength: 20 },
  ),
  stops: fc.array(fc.record({ at: fc.nat(end), ms: fc.nat(40_000) }), { maxLength: 3 }),
  skew: fc.integer({ min: -3_600_000, max: 3_600_000 }),
});

/** One write of a step, and who had the run when the server carried it out. */
interface Write {
  readonly by: string;
  readonly owner: unknown;
}

class Process {
  readonly name: string;
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly #time: VirtualTime;
  readonly #fate: Fate;
  #messages = 0;

  constructor(name: string, time: VirtualTime, fate: Fate, cluster: Cluster, carriedOut: () => void) {
    this.name = name;
    this.#time = time;
    this.#fate = fate;
    this.clock = {
      now: () => new Date(time.now + fate.skew),
      sleep: async (ms, signal) => {
        await time.sleep(ms);
        await this.#running();
        signal?.throwIfAborted();
      },
    };
    const send = <T>(call: () => Promise<T>, timeoutMs = 30_000) => this.#send(call, timeoutMs);
    this.cluster = {
      ...forwarding(cluster),
      get: (...args) => send(() => cluster.get(...args)),
      replace: (resource, object, options) =>
        send(() => cluster.replace(resource, object, options), options?.timeoutMs),
      patch: (resource, at, patch, options) =>
        send(() => cluster.patch(resource, at, patch, options), options?.timeoutMs),
      create: (resource, object, options) =>
        send(() => {
          carriedOut();
          return cluster.create(resource, object, options);
        }, options?.timeoutMs),
    };
  }

  moments = () => ({ wall: this.clock.now().getTime(), steady: this.#time.now });

  /** A stopped process sees nothing, and does nothing, until it is continued. */
  async #running(): Promise<void> {
    for (;;) {
      const stop = this.#fate.stops.find(({ at, ms }) => at <= this.#time.now && this.#time.now < at + ms);
      if (stop === undefined) return;
      await this.#time.sleep(stop.at + stop.ms - this.#time.now);
    }
  }

  async #send<T>(call: () => Promise<T>, timeoutMs: number): Promise<T> {
    const { latency, lost } = this.#fate;
    const message = this.#messages++;
    const there = latency[(2 * message) % latency.length] ?? 0;
    const back = latency[(2 * message + 1) % latency.length] ?? 0;
    if (there >= timeoutMs) {
      await this.clock.sleep(timeoutMs);
      throw new ClusterError("unreachable", "no answer in time");
    }
    await this.#time.sleep(there);
    const result = await call().then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error;
      },
    );
    const late = there + back >= timeoutMs || lost[message % lost.length] === true;
    await this.clock.sleep(late ? timeoutMs - there : back);
    if (late) throw new ClusterError("unreachable", "no answer in time");
    return result();
  }
}

/** Works on a run as long as it is its own: a write, a pause, now and then a line in the journal. */
async function works(process: Process, record: RunRecord, pauses: readonly number[]): Promise<void> {
  const { cluster, clock, name, moments } = process;
  const journal = new Journal({ cluster, clock, record, holder: `${name}@here:1`, token: name, moments });
  const pending = record.state.phase === "Pending";
  const holder = `${name}@here:1`;
  const [heartbeat, first] = await Promise.allSettled([
    startHeartbeat(cluster, clock, record.object, holder, journal.lost, journal.ownership, async () => ""),
    journal.append(pending ? started(journal.epoch, holder) : taken(journal.epoch)),
  ]);
  if (first.status === "rejected") throw first.reason;
  if (heartbeat.status === "rejected") throw heartbeat.reason;
  const fenced = clusterForStep(cluster, "create_namespace", journal.ownership);
  for (let index = 0; !journal.lost.aborted; index += 1) {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: `${name}-${index}` } };
    await fenced.create(resources.configMaps, object).catch((error: unknown) => {
      if (!(error instanceof ClusterError)) throw error;
    });
    if (index % 5 === 4) {
      const at = clock.now().toISOString();
      journal.line({ type: "StepLogged", at, step: "create_namespace", line: "still here" });
    }
    await clock.sleep(pauses[index % pauses.length] ?? 1_000);
  }
}

test("however messages linger, answers get lost and processes stop, nobody writes in a run that is another's", {
  timeout: 60_000,
}, async () => {
  let takeovers = 0;
  await fc.assert(
    fc.asyncProperty(
      fates,
      fates,
      fc.array(fc.nat(8_000), { minLength: 1, maxLength: 10 }),
      fc.nat(60_000),
      async (fate, otherFate, pauses, arrival) => {
        const time = new VirtualTime();
        const server = memoryCluster();
        const writes: Write[] = [];
        const process = (name: string, as: Fate): Process =>
          new Process(name, time, as, server, () => {
            const run = [...server.objects.values()].find(({ kind }) => kind === "Run");
            writes.push({ by: name, owner: Object(run?.status).token });
          });
        const record = readRun(await server.create(resources.runs, requestedRun()));
        const first = process("first", fate);
        const second = process("second", { ...otherFate, stops: [] });
        const broken: unknown[] = [];
        const lives = [
          works(first, record, pauses),
          (async () => {
            await time.sleep(arrival);
            for (;;) {
              const holding = await observeHolder(second.cluster, second.clock, record.name).catch(
                () => undefined,
              );
              if (holding?.alive === false && holding.record.state.phase !== "Pending") {
                await works(second, holding.record, pauses);
              }
              await second.clock.sleep(1_000);
            }
          })(),
        ];
        for (const life of lives) {
          life.catch((error: unknown) => {
            if (!(error instanceof JournalError || error instanceof ClusterError)) broken.push(error);
          });
        }
        await time.runUntil(end);
        for (const { by, owner } of writes) expect(owner).toBe(by);
        if (writes.some(({ by }) => by === "second")) takeovers += 1;
        expect(broken).toEqual([]);
      },
    ),
    // A smaller world would say no more, and takes long to find.
    { numRuns: 60, endOnFailure: true },
  );
  expect(takeovers).toBeGreaterThan(0);
});
