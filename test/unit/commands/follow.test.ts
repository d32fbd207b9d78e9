import { describe, expect, test } from "vitest";
import { follow } from "../../../src/commands/follow.ts";
import { runNameFrom } from "../../../src/commands/names.ts";
import { linearRunView } from "../../../src/commands/output/linear-run-view.ts";
import type { Session } from "../../../src/commands/session.ts";
import type { RunEvent } from "../../../src/provisioning/runs/event.ts";
import type { Execution, RunPhase, RunState, StepState } from "../../../src/provisioning/runs/run.ts";
import { type MemoryTerminal, memoryTerminal, noSandbox } from "./memory-terminal.ts";

const step: StepState = {
  id: "create_namespace",
  title: "Namespace and guardrails",
  needs: [],
  phase: "Waiting",
  attempt: 1,
  summary: "",
  warnings: [],
  effects: [],
};

function stateOf(phase: RunPhase, now: Partial<StepState> = {}): RunState {
  return {
    name: runNameFrom("shop-create-7f3k"),
    operation: "create",
    service: "shop",
    team: "platform",
    requestedBy: "ada",
    requestedAt: "2026-01-01T00:00:00.000Z",
    phase,
    epoch: 1,
    holder: "ada@host:1",
    steps: [{ ...step, ...now }],
    log: [],
    orphans: [],
    reachedReady: false,
  };
}

/** An execution that a test moves by hand. */
function execution() {
  const listeners = new Set<(event: RunEvent, state: RunState) => void>();
  const finished = Promise.withResolvers<RunState>();
  const interrupted: string[] = [];
  const execution: Execution = {
    name: runNameFrom("shop-create-7f3k"),
    by: "this-process",
    state: stateOf("Running"),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    finished: finished.promise,
    retryNow: () => {},
    interrupt: async (reason) => {
      interrupted.push(reason);
      finished.resolve(stateOf("Interrupted"));
    },
  };
  return {
    execution,
    interrupted,
    finish: (state: RunState) => finished.resolve(state),
    emit: (state: RunState) => {
      const event: RunEvent = { type: "StepLogged", at: "", step: step.id, line: "" };
      for (const listener of listeners) listener(event, state);
    },
  };
}

function sessionOn(terminal: MemoryTerminal): Session {
  return {
    terminal,
    flags: { sandbox: true, debug: false, color: false },
    where: { kind: "sandbox", access: noSandbox },
    sandbox: noSandbox,
    clusterName: "sandbox",
    contact: () => undefined,
    command: (...words) => ["platform", "--sandbox", ...words].join(" "),
    connect: () => Promise.reject(new Error("not connected")),
    platform: () => Promise.reject(new Error("not connected")),
    close: async () => undefined,
  };
}

async function started(terminal: MemoryTerminal, options: Partial<Parameters<typeof follow>[3]> = {}) {
  const moved = execution();
  const session = sessionOn(terminal);
  const view = linearRunView(terminal, { context: "sandbox", command: session.command });
  const code = follow(session, async () => moved.execution, view, { asked: "completion", ...options });
  await new Promise(setImmediate); // it has begun
  return { ...moved, code };
}

describe("an execution is followed to its end", () => {
  test("success: progress on the error stream, the result alone on standard output", async () => {
    const terminal = memoryTerminal();
    const { code, emit, finish } = await started(terminal);
    emit(stateOf("Running", { phase: "Running" }));
    const done = stateOf("Succeeded", {
      phase: "Succeeded",
      summary: "app-shop, 9 objects",
      warnings: ["unproven"],
    });
    emit(done);
    finish(done);
    expect(await code).toBe(0);
    expect(terminal.written.out).toBe("service shop created\n");
    expect(terminal.written.err).toContain("… Namespace and guardrails");
    expect(terminal.written.err).toContain("✔ Namespace and guardrails  app-shop, 9 objects");
    expect(terminal.written.err).toContain("▲ unproven");
  });

  test.each([
    ["RolledBack", 1],
    ["Held", 3],
    ["RollbackFailed", 3],
  ] as const)("%s ends with %i, the cause, and commands that can be typed", async (phase, expected) => {
    const terminal = memoryTerminal();
    const { code, finish } = await started(terminal);
    finish({
      ...stateOf(phase, { phase: "Failed" }),
      failure: {
        step: step.id,
        error: { class: "refused", message: "quota is used up", mend: "ask for more" },
      },
    });
    expect(await code).toBe(expected);
    expect(terminal.written.out).toBe("");
    expect(terminal.written.err).toContain("quota is used up");
    expect(terminal.written.err).toContain("ask for more");
    if (phase !== "RolledBack") {
      expect(terminal.written.err).toContain("platform --sandbox run rollback shop-create-7f3k");
    }
  });

  test("a roll back that was asked for is done, not failed", async () => {
    const { code, finish } = await started(memoryTerminal(), { asked: "rollback" });
    finish(stateOf("RolledBack"));
    expect(await code).toBe(0);
  });

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s without a terminal leaves the run resumable",
    async (signal) => {
      const terminal = memoryTerminal();
      const { code, interrupted } = await started(terminal);
      terminal.stop(signal);
      expect(await code).toBe(130);
      expect(interrupted).toEqual([`received ${signal}`]);
      expect(terminal.written.err).toContain("platform --sandbox run resume shop-create-7f3k");
    },
  );

  test("a signal that comes before the run has begun is not lost", async () => {
    const terminal = memoryTerminal();
    const moved = execution();
    const begin = Promise.withResolvers<Execution>();
    const session = sessionOn(terminal);
    const view = linearRunView(terminal, { context: "sandbox", command: session.command });
    const code = follow(session, () => begin.promise, view, { asked: "completion" });
    terminal.stop("SIGTERM");
    begin.resolve(moved.execution);
    expect(await code).toBe(130);
    expect(moved.interrupted).toEqual(["received SIGTERM"]);
  });

  test("the time is over: interrupted, effects remain", async () => {
    const terminal = memoryTerminal();
    const { code } = await started(terminal, { timeoutMs: 5 });
    expect(await code).toBe(3);
    expect(terminal.written.err).toContain("run rollback shop-create-7f3k");
  });

  test("ctrl-c at a keyboard asks first, and going on is the default", async () => {
    const terminal = memoryTerminal({ interactive: true, stdin: "\n" });
    const { code, interrupted, finish } = await started(terminal);
    terminal.stop("SIGINT");
    await new Promise(setImmediate);
    finish(stateOf("Succeeded"));
    expect(await code).toBe(0);
    expect(interrupted).toEqual([]);
    expect(terminal.written.err).toMatch(/go on.*roll back.*leave it resumable/);
  });

  test("ctrl-c at a keyboard, roll back: the run is undone", async () => {
    const terminal = memoryTerminal({ interactive: true, stdin: "b\n" });
    const undo = execution();
    undo.finish(stateOf("RolledBack"));
    const { code } = await started(terminal, { rollBack: async () => undo.execution });
    terminal.stop("SIGINT");
    expect(await code).toBe(1);
    expect(terminal.written.err).toContain("rolled back");
  });

  test("a journal that cannot be written any more is told by its own error", async () => {
    const terminal = memoryTerminal();
    const moved = execution();
    const lost: Execution = { ...moved.execution, finished: Promise.reject(new Error("lost the epoch")) };
    const session = sessionOn(terminal);
    const view = linearRunView(terminal, { context: "sandbox", command: session.command });
    await expect(follow(session, async () => lost, view, { asked: "completion" })).rejects.toThrow(
      "lost the epoch",
    );
  });
});
