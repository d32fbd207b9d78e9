import { styleText } from "node:util";
import type { LogLine, RunState, StepState } from "../../provisioning/run.ts";
import type { Output } from "../terminal.ts";
import { duration } from "./age.ts";
import { runResult } from "./run-result.ts";
import type { RunView } from "./run-view.ts";

/**
 * A run as plain lines for pipes, CI and screen readers: a line when a step starts, is tried again, succeeds or
 * fails, and its log lines between. Progress on `err`, the result on `out`.
 */
export function linearRunView(
  { out, err }: { readonly out: Output; readonly err: Output },
  options: { readonly context: string; command(...words: readonly string[]): string },
): RunView {
  let before: RunState | undefined;
  let lastLog: LogLine | undefined;
  const paint = (format: "red" | "green" | "yellow" | "dim", text: string) =>
    err.colors ? styleText(format, text, { validateStream: false }) : text;
  const line = (text: string) => err.write(`${text}\n`);

  function heading(state: RunState): void {
    line(`${state.operation} ${state.service} on ${options.context}, run ${state.name}`);
  }

  function step(now: StepState, then: StepState | undefined): void {
    if (then?.phase === now.phase && then.attempt === now.attempt) return;
    const summary = now.summary === "" ? "" : `  ${now.summary}`;
    const took = duration(now.startedAt, now.finishedAt);
    switch (now.phase) {
      case "Waiting":
        return;
      case "Running":
        return line(`  … ${now.title}${now.attempt > 1 ? `, attempt ${now.attempt}` : ""}`);
      case "Retrying":
        return line(
          `  ${paint("yellow", "▲")} ${now.title}: ${now.error?.message ?? "failed"}; will be tried again${now.retryAt === undefined ? "" : ` at ${now.retryAt.slice(11, 19)}`}`,
        );
      case "Succeeded":
        line(`  ${paint("green", "✔")} ${now.title}  ${paint("dim", took)}${summary}`);
        for (const warning of now.warnings) line(`    ${paint("yellow", "▲")} ${warning}`);
        return;
      case "Failed":
        line(`  ${paint("red", "✖")} ${now.title}  ${paint("dim", took)}  ${now.error?.message ?? ""}`);
        return;
      case "Compensating":
        return line(`  ↩ ${now.title}`);
      case "Compensated":
        line(`  ${paint("green", "✔")} ${now.title} undone`);
        for (const { reason, state } of now.effects) {
          if (state === "kept" && reason !== undefined) line(`    kept: ${reason}`);
        }
        return;
      case "CompensationFailed":
        return line(`  ${paint("red", "✖")} ${now.title} not undone: ${now.error?.message ?? ""}`);
    }
  }

  function logs(log: readonly LogLine[]): void {
    const known = lastLog;
    const index =
      known === undefined
        ? -1
        : log.findLastIndex(
            (entry) => entry.at === known.at && entry.step === known.step && entry.line === known.line,
          );
    for (const entry of log.slice(index + 1))
      line(paint("dim", `    ${entry.at.slice(11, 19)}  ${entry.line}`));
    lastLog = log.at(-1) ?? lastLog;
  }

  return {
    update(state) {
      if (before === undefined) heading(state);
      else if (before.phase !== "RollingBack" && state.phase === "RollingBack") line("  Rolling back");
      for (const now of state.steps) {
        if (now.phase === "Running" || now.phase === "Retrying")
          step(
            now,
            before?.steps.find(({ id }) => id === now.id),
          );
      }
      logs(state.log);
      for (const now of state.steps) {
        if (now.phase !== "Running" && now.phase !== "Retrying")
          step(
            now,
            before?.steps.find(({ id }) => id === now.id),
          );
      }
      before = state;
    },
    finished(state, exitCode) {
      const { result, notes } = runResult(state, options);
      if (exitCode === 0) {
        for (const note of notes) line(note);
        out.write(`${result}\n`);
      } else {
        line("");
        line(`${paint("red", "✖")} ${result}`);
        for (const note of notes) line(note);
      }
    },
  };
}
