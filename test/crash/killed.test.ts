import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { all } from "./crash-test.ts";
import { type Arena, type Kill, killsOf, suffer, writesOf } from "./kills.ts";
import { creation, deletion, deployment, rollback, type Subject } from "./operations.ts";
import { inProcesses } from "./processes.ts";
import { sampleOf, seeded, seedOfRun } from "./random.ts";
import { type Made, makeServices, withGround } from "./stage.ts";

/** Kills of each operation on what exists, where not all are asked for. */
const sampled = 4;

const seed = seedOfRun();
const random = seeded(seed);

/** Where one step ends and the next may begin. */
function atBorders(writes: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return writes.filter((names) => names.some((name) => /^journal (StepSucceeded|Run)/.test(name)));
}

type Choose = (kills: readonly Kill[], writes: readonly (readonly string[])[]) => readonly Kill[];

async function killed(subject: Subject, choose: Choose, made?: Made): Promise<void> {
  const arena: Arena = (work) => withGround(made, (ground) => work(inProcesses(ground)));
  const writes = await writesOf(subject, arena);
  const chosen = all
    ? killsOf(writes, subject.recoveries, { all })
    : choose(killsOf(writes, subject.recoveries, { all: false }), writes);
  const { kills, problems } = await suffer(subject, chosen, arena);
  console.log(`${subject.title}: ${kills} times SIGKILL (PLATFORM_CRASH_SEED=${seed})`);
  expect(problems, `PLATFORM_CRASH_SEED=${seed}`).toEqual([]);
}

describe("the program, ended by SIGKILL at a request, and another one going on", () => {
  test("create, at every step's borders and elsewhere", async () => {
    await killed(creation, (kills, writes) => {
      const borders = new Set(atBorders(writes).flat());
      const elsewhere = kills.filter(({ write }) => !borders.has(write));
      return [...kills.filter(({ write }) => borders.has(write)), ...sampleOf(elsewhere, sampled, random)];
    });
  });

  describe("on a service that exists", () => {
    let made: Made;
    beforeAll(async () => {
      made = await makeServices("database", all ? undefined : sampled);
    });
    afterAll(() => made?.remove());

    test.each([deployment, rollback, deletion])("$title, here and there", async (subject) => {
      await killed(subject, (kills) => sampleOf(kills, sampled, random), made);
    });
  });
});
