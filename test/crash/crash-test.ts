import { expect, test } from "vitest";
import { type Arena, type Kill, killsOf, suffer, writesOf } from "./kills.ts";
import type { Subject } from "./operations.ts";
import { sampleOf, seeded, seedOfRun } from "./random.ts";
import { inProcess, type Made, withGround } from "./stage.ts";

/** `npm run test:crash` asks for it: every write with every recovery, not with one in turn. */
export const all = process.env.PLATFORM_CRASH_MATRIX === "all";

/** On a sandbox of its own, each time it is opened. */
export function onSandbox(made?: () => Made): Arena {
  return (work) => withGround(made?.(), (ground) => work(inProcess(ground)));
}

/**
 * Kills the operation's engine before and after each of its writes; of all these points so many that a seed chooses,
 * where not the whole matrix is asked for. Left out: all of them.
 */
export function crashTest(subject: Subject, arena: Arena, most = Number.POSITIVE_INFINITY): void {
  test(`${subject.title}, killed before and after every write, ends as if nothing had happened`, async () => {
    const seed = seedOfRun();
    const writes = await writesOf(subject, arena);
    const points = killsOf(writes, subject.recoveries, { all });
    const chosen = all ? points : sampleOf(points, most, seeded(seed));
    const { kills, problems } = await suffer(subject, chosen, arena);
    const which = kills === points.length ? "" : ` of ${points.length} (PLATFORM_CRASH_SEED=${seed})`;
    console.log(`${subject.title}: ${kills}${which} kill points, before and after ${writes.length} writes`);
    expect(problems, `PLATFORM_CRASH_SEED=${seed}`).toEqual([]);
  });
}

/** Kills of an operation's process: at each border of its steps once, or at so many; and elsewhere. */
export interface KillSample {
  readonly borders: number | "all";
  readonly elsewhere: number;
}

/** Ends the operation's process with SIGKILL at a sample of its writes that a seed chooses. */
export async function killProcesses(
  subject: Subject,
  { borders, elsewhere }: KillSample,
  arena: Arena,
): Promise<void> {
  const seed = seedOfRun();
  const random = seeded(seed);
  const writes = await writesOf(subject, arena);
  const atBorder = new Set(writes.filter(isBorder).flat());
  const choose = (kills: readonly Kill[]) => {
    // Before one border, after the next: with the engine in this process, every write has both.
    const at = kills
      .filter(({ write }) => atBorder.has(write))
      .filter((_, index) => index % 4 === 0 || index % 4 === 3);
    const off = kills.filter(({ write }) => !atBorder.has(write));
    const chosen = borders === "all" ? at : sampleOf(at, borders, random);
    return [...chosen, ...sampleOf(off, elsewhere, random)];
  };
  const kills = killsOf(writes, subject.recoveries, { all });
  const { kills: count, problems } = await suffer(subject, all ? kills : choose(kills), arena);
  console.log(`${subject.title}: ${count} times SIGKILL (PLATFORM_CRASH_SEED=${seed})`);
  expect(problems, `PLATFORM_CRASH_SEED=${seed}`).toEqual([]);
}

/** Where one step ends and the next may begin. */
function isBorder(names: readonly string[]): boolean {
  return names.some((name) => /^journal (StepSucceeded|CompensationSucceeded|Run)/.test(name));
}
