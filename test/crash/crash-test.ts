import { expect, test } from "vitest";
import { type Arena, killsOf, suffer, writesOf } from "./kills.ts";
import type { Subject } from "./operations.ts";
import { inProcess, type Made, withGround } from "./stage.ts";

/** `npm run test:crash` asks for it: every write with every recovery, not with one in turn. */
export const all = process.env.PLATFORM_CRASH_MATRIX === "all";

/** On a sandbox of its own, each time it is opened. */
export function onSandbox(made?: () => Made): Arena {
  return (work) => withGround(made?.(), (ground) => work(inProcess(ground)));
}

/** Kills the operation's engine before and after each of its writes. */
export function crashTest(subject: Subject, arena: Arena): void {
  test(`${subject.title}, killed before and after every write, ends as if nothing had happened`, async () => {
    const writes = await writesOf(subject, arena);
    const { kills, problems } = await suffer(subject, killsOf(writes, subject.recoveries, { all }), arena);
    console.log(`${subject.title}: ${kills} kill points, before and after each of ${writes.length} writes`);
    expect(problems).toEqual([]);
  });
}
