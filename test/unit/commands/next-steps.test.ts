import { describe, expect, test } from "vitest";
import { runNameFrom } from "../../../src/commands/names.ts";
import { linearRunView } from "../../../src/commands/output/linear-run-view.ts";
import { runResult } from "../../../src/commands/output/run-result.ts";
import type { RunPhase, RunState, StepState } from "../../../src/provisioning/runs/run.ts";
import { verbsOf } from "../../../src/provisioning/verbs/verbs.ts";
import { memoryTerminal } from "./memory-terminal.ts";

const step: StepState = {
  id: "configure_network",
  title: "Network",
  needs: [],
  phase: "Waiting",
  attempt: 1,
  summary: "",
  warnings: [],
  effects: [],
};

function stateOf(phase: RunPhase, more: Partial<RunState> = {}): RunState {
  return {
    name: runNameFrom("shop-scale-7f3k"),
    operation: "scale",
    service: "shop",
    team: "platform",
    requestedBy: "ada",
    requestedAt: "2026-01-01T00:00:00.000Z",
    phase,
    epoch: 1,
    holder: "ada@host:1",
    steps: [step],
    log: [],
    orphans: [],
    reachedReady: false,
    ...more,
  };
}

const command = (...words: readonly string[]) => `platform ${words.join(" ")}`;
const phases: readonly RunPhase[] = [
  ...(["Pending", "Running", "Held", "Interrupted"] as const),
  ...(["Succeeded", "RollingBack", "RolledBack", "RollbackFailed"] as const),
];

test.each(phases)("%s: what can be typed is what the run takes, verb by verb", (phase) => {
  const { notes } = runResult(stateOf(phase), { command });
  const typed = notes.flatMap((line) => /→ platform run (\w+) shop-scale-7f3k/.exec(line)?.[1] ?? []);
  expect(typed.filter((verb) => verb !== "watch")).toEqual(verbsOf({ phase }));
});

describe("a step that failed", () => {
  const failure = {
    step: step.id,
    error: { class: "refused", message: "no gateway", mend: "" },
  } as const;

  test("can be left out where the service does without it", () => {
    const steps = [{ ...step, phase: "Failed", skippable: true } as const];
    const { notes } = runResult(stateOf("Held", { failure, steps }), { command });
    expect(notes.join("\n")).toContain("platform run retry shop-scale-7f3k --skip configure_network");
  });

  test("is not offered to be left out where the service needs it", () => {
    const { notes } = runResult(stateOf("Held", { failure }), { command });
    expect(notes.join("\n")).not.toContain("--skip");
  });
});

test("the time to the next try is told, and which it is", () => {
  const terminal = memoryTerminal();
  const now = () => new Date("2026-01-01T00:00:00.000Z");
  const view = linearRunView(terminal, { context: "sandbox", command, now });
  view.update(stateOf("Running"));
  const error = { class: "transient", message: "429", mend: "" } as const;
  const retrying = {
    ...step,
    phase: "Retrying",
    attempt: 2,
    retryAt: "2026-01-01T00:00:07.500Z",
    error,
  } as const;
  view.update(stateOf("Running", { steps: [retrying] }));
  expect(terminal.written.err).toContain("Network: 429; tries again in 8s, attempt 3");
});

test("who goes on with a run is told what is new, not its past", () => {
  const terminal = memoryTerminal();
  const view = linearRunView(terminal, { context: "sandbox", command, begun: true });
  const old = { at: "2026-01-01T00:00:00.000Z", step: step.id, line: "old" };
  view.update(stateOf("RollingBack", { log: [old], steps: [{ ...step, phase: "Succeeded" }] }));
  expect(terminal.written.err).toBe("scale shop on sandbox, run shop-scale-7f3k\n");
  const more = { ...old, at: "2026-01-01T00:00:01.000Z", line: "new" };
  view.update(stateOf("RollingBack", { log: [old, more], steps: [{ ...step, phase: "Compensating" }] }));
  expect(terminal.written.err).not.toContain("old");
  expect(terminal.written.err).toContain("↩ Network\n      Network: new");
});
