import fc from "fast-check";
import { expect, test } from "vitest";
import { ClusterError } from "../../../src/cluster/errors.ts";
import { resources } from "../../../src/cluster/resource.ts";
import type { RunEvent } from "../../../src/provisioning/runs/event.ts";
import { Journal } from "../../../src/provisioning/runs/journal.ts";
import { type RunRecord, readRun } from "../../../src/provisioning/runs/run-record.ts";
import { replay } from "../../../src/provisioning/runs/run-reducer.ts";
import { type Call, memoryCluster } from "./memory-cluster.ts";
import { requestedRun, started } from "./run-examples.ts";

const at = "2026-01-01T00:00:00.000Z";
const ref = { namespace: "platform-system", name: "ledger-create-7f3k2" };
const timeless = { now: () => new Date(0), sleep: async () => {} };

/** What one engine said, and how much of it it knows to be on the server. */
interface Engine {
  readonly name: string;
  readonly said: string[];
  durable: number;
  /** Why it stopped before it was done. */
  lost: unknown;
}

function took(name: string, epoch: number, record: RunRecord): RunEvent {
  if (record.state.phase === "Pending") return started(epoch, name);
  return { type: "RunTaken", at, epoch, holder: name, by: "ben", verb: "resume" };
}

/** Texts of the log lines, each written by the engine it names, between those by whom the run was taken. */
function told(events: readonly RunEvent[]): readonly { readonly by: string; readonly text: string }[] {
  let by = "nobody";
  return events.flatMap((event) => {
    if (event.type === "RunStarted" || event.type === "RunTaken") by = event.holder;
    return event.type === "StepLogged" ? [{ by, text: event.line }] : [];
  });
}

test("however two or three engines and their lost answers interleave, each epoch's events are its owner's alone", {
  timeout: 60_000,
}, async () => {
  const faults = fc.infiniteStream(fc.constantFrom("none", "none", "none", "before", "after"));
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.nat(6), { minLength: 2, maxLength: 3 }),
      faults,
      async (scheduler, workloads, luck) => {
        const network = async (when: "before" | "after", { verb, resource }: Call) => {
          await scheduler.schedule(Promise.resolve(), `${when} ${verb}`);
          if (resource.plural !== "runs" || verb !== "replace") return;
          const { value } = luck.next();
          if (value === when) throw new ClusterError("unreachable", "the connection was reset");
        };
        const cluster = memoryCluster({
          before: (call) => network("before", call),
          after: (call) => network("after", call),
        });
        const creating = cluster.create(resources.runs, requestedRun());
        await scheduler.waitFor(creating);

        const work = async (name: string, appends: number): Promise<Engine> => {
          const engine: Engine = { name, said: [], durable: 0, lost: undefined };
          try {
            const record = readRun(await cluster.get(resources.runs, ref));
            const journal = new Journal({ cluster, clock: timeless, record, holder: name, token: name });
            await journal.append(took(name, journal.epoch, record));
            for (let index = 0; index < appends; index += 1) {
              const line = `${name} ${index}`;
              // By turns durable at once, and with whatever comes next.
              const event: RunEvent = { type: "StepLogged", at, step: "create_namespace", line };
              engine.said.push(line);
              if (index % 2 === 1) {
                journal.note(event);
                continue;
              }
              await journal.append(event);
              engine.durable = engine.said.length;
            }
            await journal.flush();
            engine.durable = engine.said.length;
          } catch (error) {
            engine.lost = error;
          }
          return engine;
        };
        const working = Promise.all(workloads.map((appends, index) => work(`engine-${index}`, appends)));
        const engines = await scheduler.waitFor(working);

        const reading = cluster.get(resources.runs, ref);
        const { events, state, epoch } = readRun(await scheduler.waitFor(reading));
        const lines = told(events);
        // Nobody wrote in another's epoch, nothing twice, nothing out of order.
        for (const { by, text } of lines) expect(text.split(" ")[0]).toBe(by);
        expect(new Set(lines.map(({ text }) => text)).size).toBe(lines.length);
        const takings = events.flatMap((event) =>
          event.type === "RunStarted" || event.type === "RunTaken" ? [event.epoch] : [],
        );
        expect(takings).toEqual(Array.from({ length: takings.length }, (_, index) => index + 1));
        expect(epoch).toBe(takings.length);
        expect(replay(state, events).phase).toBe("Running");
        for (const { name, said, durable, lost } of engines) {
          const mine = lines.filter(({ by }) => by === name).map(({ text }) => text);
          expect(mine).toEqual(said.slice(0, mine.length));
          // What an engine was told is on the server is there, whoever came after.
          expect(mine.length).toBeGreaterThanOrEqual(durable);
          if (lost !== undefined) expect(lost).toMatchObject({ kind: "lost-epoch" });
        }
        // Of all who tried, the last to take the run was never overtaken.
        expect(engines.some(({ lost }) => lost === undefined)).toBe(true);
      },
    ),
    { numRuns: 150 },
  );
});
