import { expect, test } from "vitest";
import { follow } from "../../../src/commands/follow.ts";
import { runNameFrom } from "../../../src/commands/names.ts";
import { linearRunView } from "../../../src/commands/output/linear-run-view.ts";
import type { Session } from "../../../src/commands/session.ts";
import type { Execution, RunState } from "../../../src/provisioning/runs/run.ts";
import { memoryTerminal, noSandbox } from "./memory-terminal.ts";

const running: RunState = {
  name: runNameFrom("shop-scale-7f3k2"),
  operation: "scale",
  service: "shop",
  team: "platform",
  requestedBy: "ada",
  requestedAt: "2026-01-01T00:00:00.000Z",
  phase: "Running",
  epoch: 1,
  holder: "operator@one",
  steps: [],
  log: [],
  orphans: [],
  reachedReady: false,
};

/** What the operator executes, followed from a terminal; nobody may interrupt it. */
function followed(options: Partial<Parameters<typeof follow>[3]> = {}) {
  const terminal = memoryTerminal();
  const command = (...words: readonly string[]) => ["platform", ...words].join(" ");
  const session: Session = {
    terminal,
    flags: { sandbox: true, debug: false, color: false },
    where: { kind: "sandbox", access: noSandbox },
    sandbox: noSandbox,
    clusterName: "sandbox",
    contact: () => undefined,
    command,
    connect: () => Promise.reject(new Error("not connected")),
    platform: () => Promise.reject(new Error("not connected")),
    close: async () => undefined,
  };
  const finished = Promise.withResolvers<RunState>();
  const execution: Execution = {
    name: running.name,
    by: "operator",
    state: running,
    subscribe: () => () => {},
    finished: finished.promise,
    retryNow: () => {},
    interrupt: () => Promise.reject(new Error("the run is stopped")),
  };
  const view = linearRunView(terminal, { context: "sandbox", command });
  const code = follow(session, async () => execution, view, { asked: "completion", ...options });
  return { terminal, code, finish: (state: RunState) => finished.resolve(state) };
}

test("its end is told as that of a run of one's own", async () => {
  const { terminal, code, finish } = followed();
  finish({ ...running, phase: "Succeeded" });
  expect(await code).toBe(0);
  expect(terminal.written.out).toBe("service shop scaled\n");
});

test("whoever stops following leaves it to the operator, and is told how to follow it again", async () => {
  const { terminal, code } = followed();
  await new Promise(setImmediate);
  terminal.stop("SIGINT");
  expect(await code).toBe(130);
  expect(terminal.written.err).toContain("The operator goes on with shop-scale-7f3k2.");
  expect(terminal.written.err).toContain("platform run watch shop-scale-7f3k2");
});

test("--no-wait leaves it at once, and well", async () => {
  const { terminal, code } = followed({ detached: true });
  expect(await code).toBe(0);
  expect(terminal.written.err).toContain("platform run watch shop-scale-7f3k2");
});

test("--timeout ends the following, not the run", async () => {
  const { terminal, code } = followed({ timeoutMs: 1 });
  expect(await code).toBe(3);
  expect(terminal.written.err).toContain("--timeout is over. The operator goes on");
});
