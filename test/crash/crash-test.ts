import { expect, test } from "vitest";
import { killsOf, suffer, writesOf } from "./kills.ts";
import type { Subject } from "./operations.ts";
import { inProcess, type Made } from "./stage.ts";

/** `npm run test:crash` asks for it: every write with every recovery, not with one in turn. */
export const all = process.env.PLATFORM_CRASH_MATRIX === "all";

/** Kills the operation's engine before and after each of its writes. */
export function crashTest(subject: Subject, made?: () => Made): void {
  test(`${subject.title}, killed before and after every write, ends as if nothing had happened`, async () => {
    const writes = await writesOf(subject, (ground) => inProcess(ground), made?.());
    const points = killsOf(writes, subject.recoveries, { all });
    const { kills, problems } = await suffer(subject, points, (ground) => inProcess(ground), made?.());
    console.log(`${subject.title}: ${kills} kill points, before and after each of ${writes.length} writes`);
    expect(problems).toEqual([]);
  });
}
