import { styleText } from "node:util";
import type { LogLine, RunState, StepState } from "../../provisioning/runs/run.ts";
import { serviceText } from "../../provisioning/runs/service-of-run.ts";
import type { Output } from "../terminal.ts";
import { duration, nextTry } from "./age.ts";
import { runResult } from "./run-result.ts";
import type { RunView } from "./run-view.ts";

type Paint = (format: "red" | "green" | "yellow" | "dim", text: string) => string;

/**
 * A run as plain lines for pipes, CI and screen readers: a line when a step starts, is tried again, succeeds or
 * fails, and its log lines between. Progress on `err`, the result on `out`.
 */
export function linearRunView(
  { out, err }: { readonly out: Output; readonly err: Output },
  options: {
    readonly context: string;
    readonly command: (...words: readonly string[]) => string;
    /** The run has a past, which was told when it happened. */
    readonly begun?: boolean;
    /** Default: the machine's clock. */
    readonly now?: () => Date;
  },
): RunView {
  const paint: Paint = (format, text) =>
    err.colors ? styleText(format, text, { validateStream: false }) : text;
  const write = (lines: readonly string[]) => {
    if (lines.length > 0) err.write(`${lines.join("\n")}\n`);
  };
  const now = options.now ?? (() => new Date());
  let before: RunState | undefined;
  let lastLog: LogLine | undefined;

  return {
    update(state) {
      if (before === undefined) {
        write([`${state.operation} ${serviceText(state)} on ${options.context}, run ${state.name}`]);
        if (options.begun === true) {
          before = state;
          lastLog = state.log.at(-1);
          return;
        }
      } else if (before.phase !== "RollingBack" && state.phase === "RollingBack") {
        write(["  Rolling back"]);
      }
      const changed = state.steps.filter((now) => {
        const then = before?.steps.find(({ id }) => id === now.id);
        return then?.phase !== now.phase || then.attempt !== now.attempt;
      });
      const begun = (step: StepState) => step.phase === "Running" || step.phase === "Compensating";
      for (const step of changed.filter(begun)) write(stepLines(step, paint, now()));
      const titles = new Map(state.steps.map(({ id, title }) => [id, title]));
      write(
        newLines(state.log, lastLog).map(({ step, line }) =>
          paint("dim", `      ${titles.get(step) ?? step}: ${line}`),
        ),
      );
      lastLog = state.log.at(-1) ?? lastLog;
      for (const step of changed.filter((one) => !begun(one))) write(stepLines(step, paint, now()));
      before = state;
    },
    finished(state, exitCode) {
      const { result, notes } = runResult(state, options);
      if (exitCode === 0) {
        write(notes);
        out.write(`${result}\n`);
      } else {
        write(["", `${paint("red", "✖")} ${result}`, ...notes]);
      }
    },
  };
}

/** Those after the last one shown; all where it has been dropped from the journal since. */
function newLines(log: readonly LogLine[], last: LogLine | undefined): readonly LogLine[] {
  if (last === undefined || log.at(-1) === last) return last === undefined ? log : [];
  const index = log.findLastIndex(
    (entry) => entry.at === last.at && entry.step === last.step && entry.line === last.line,
  );
  return log.slice(index + 1);
}

/** What to say when a step has come to another phase or attempt. */
function stepLines(step: StepState, paint: Paint, now: Date): readonly string[] {
  const took = paint("dim", duration(step.startedAt, step.finishedAt));
  const message = step.error?.message ?? "";
  switch (step.phase) {
    case "Waiting":
      return [];
    case "Skipped":
      return [`  · ${step.title}: ${step.summary}`];
    case "Running":
      return [`  … ${step.title}${step.attempt > 1 ? `, attempt ${step.attempt}` : ""}`];
    case "Retrying": {
      return [`  ${paint("yellow", "▲")} ${step.title}: ${message}; tries again ${nextTry(step, now)}`];
    }
    case "Succeeded":
      return [
        joined(`  ${paint("green", "✔")} ${step.title}`, took, step.summary),
        ...step.warnings.map((warning) => `    ${paint("yellow", "▲")} ${warning}`),
      ];
    case "Failed":
      return [joined(`  ${paint("red", "✖")} ${step.title}`, took, message)];
    case "Compensating":
      return [`  ↩ ${step.title}`];
    case "Compensated":
      return [
        `  ${paint("green", "✔")} ${step.title} undone`,
        ...step.effects.flatMap(({ state, reason }) =>
          state === "kept" && reason !== undefined ? [`    kept: ${reason}`] : [],
        ),
      ];
    case "CompensationFailed":
      return [`  ${paint("red", "✖")} ${step.title} not undone: ${message}`];
  }
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("  ");
}
