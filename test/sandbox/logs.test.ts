import { afterEach, beforeEach, expect, test } from "vitest";
import { type LogLine, type LogWindow, logLines } from "../../src/sandbox/logs.ts";
import { deployment, type World, world } from "./controllers/world.ts";

let w: World;
beforeEach(() => {
  w = world();
});
afterEach(() => w.stop());

async function run(image: string, running = true) {
  w.create("apps/deployments", deployment({ image, replicas: 1 }));
  await w.until(() => w.pods()[0]?.status.phase === (running ? "Running" : "Pending"));
}
function lines(window: Partial<LogWindow> = {}): readonly LogLine[] {
  const pod = w.pods()[0];
  if (pod === undefined) throw new Error("no pod");
  const found = logLines(pod, undefined, { until: w.clock.now(), ...window });
  if ("problem" in found) throw new Error(found.problem);
  return found;
}

test("a log grows with time, and following it gives every line once, in order", async () => {
  await run("registry.example.internal/web:1");
  await w.advance(60_000);
  const followed: LogLine[] = [];
  let after: Date | undefined;
  for (let i = 0; i < 30; i++) {
    const until = w.clock.now();
    followed.push(...lines({ until, ...(after === undefined ? {} : { after }) }));
    after = until;
    await w.advance(1700);
  }
  const whole = lines(after === undefined ? {} : { until: after });
  expect(followed).toEqual(whole);
  expect(whole.length).toBeGreaterThan(10);
  expect([...whole].sort((a, b) => a.at.getTime() - b.at.getTime())).toEqual(whole);
  expect(lines({ tail: 3 })).toEqual(lines().slice(-3));
});

test("a database writes what PostgreSQL writes", async () => {
  await run("docker.io/library/postgres:15.15");
  await w.advance(1000);
  expect(lines().some(({ text }) => text.includes("listening on IPv4 address"))).toBe(true);
});

test("a crashed container's last words are in its previous log", async () => {
  await run("web:crash");
  await w.until(() => (w.pods()[0]?.status.containerStatuses[0]?.restartCount ?? 0) >= 1);
  expect(lines({ previous: true }).at(-1)?.text).toBe("exit status 1");
});

test("a container that has not started has no log, and says what it waits for", async () => {
  await run("web:missing", false);
  await w.until(() => w.pods()[0]?.status.containerStatuses[0]?.state.waiting?.reason === "ImagePullBackOff");
  expect(() => lines()).toThrow(/is waiting to start: trying and failing to pull image$/);
});
