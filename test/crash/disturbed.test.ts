import { expect, test } from "vitest";
import type { Clock } from "../../src/provisioning/clock.ts";
import { impatient } from "../provisioning/composition.ts";
import { all } from "./crash-test.ts";
import { disturbances } from "./disturbances.ts";
import { type Arena, killsOf, suffer, writesOf } from "./kills.ts";
import { creation } from "./operations.ts";
import { sampleOf, seeded, seedOfRun } from "./random.ts";
import { inProcess, withGround } from "./stage.ts";

disturbances("a creation, disturbed", (work) => withGround(undefined, work), {
  slowRequests: all ? 200 : 20,
  silence: all,
});

test("clocks that are minutes apart: a creation that was killed ends as if nothing had happened", async () => {
  const seed = seedOfRun();
  const minutesOff = (engine: number): Clock => ({
    now: () => new Date(impatient.now().getTime() + (engine % 2 === 0 ? 7 : -7) * 60_000),
    sleep: (ms, signal) => impatient.sleep(ms, signal),
  });
  const arena: Arena = (work) =>
    withGround(undefined, (ground) => work(inProcess(ground, { clockOf: minutesOff })));
  const kills = killsOf(await writesOf(creation, arena), creation.recoveries, { all: false });
  const chosen = sampleOf(kills, all ? kills.length : 8, seeded(seed));
  const { problems } = await suffer(creation, chosen, arena);
  expect(problems, `PLATFORM_CRASH_SEED=${seed}`).toEqual([]);
});
