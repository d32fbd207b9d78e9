import { maxAttempts } from "../provisioning/engine/retry-policy.ts";
import type { LogLine, RunState, StepState } from "../provisioning/runs/run.ts";
import type { CommandLine } from "../state/command-line.ts";
import type { Place } from "../state/place.ts";
import { type Choice, choicesOf } from "./actions/choices.ts";
import { useApp, useStored } from "./components/context.ts";
import { useCursor } from "./components/cursor.ts";
import { Frame, message, noTerminal } from "./components/frame.tsx";
import { Rows } from "./components/rows.tsx";
import { effectLines } from "./effects.ts";
import { cell, clip, type Line, line, span, widthOf } from "./line.ts";
import { runPhaseLook, stepLook } from "./looks.ts";
import { outcomeLines } from "./run-outcome.ts";
import type { Glyphs } from "./theme.ts";
import { duration, stopwatch, timeOfDay } from "./time.ts";

/** A run, live: its steps, and its log or the effects of the marked step. */
export function Run({ place }: { readonly place: Place & { readonly screen: "run" } }) {
  const { session, theme } = useApp();
  const { ui, height, index: marked } = useCursor(place);
  const state = useStored(
    (stores) => stores.openRuns,
    ({ states }) => states[place.run],
  );
  const error = useStored(
    (stores) => stores.openRuns,
    ({ errors }) => errors[place.run],
  );
  const own = useStored(
    (stores) => stores.openRuns,
    (runs) => runs.own.includes(place.run),
  );
  const holder = useStored(
    (stores) => stores.openRuns,
    ({ holders }) => holders[place.run],
  );
  const simulated = useStored(
    (stores) => stores.connection,
    (connection) => connection.simulated,
  );
  const { now, frame } = useStored((stores) => stores.ticking);
  const lines =
    state === undefined
      ? message(
          error ?? `Reading the run${theme.glyphs.ellipsis}`,
          error === undefined ? "" : "ctrl-r asks again.",
        )
      : runView({
          state,
          error,
          own,
          holder,
          simulated,
          marked,
          pane: ui.runPane,
          choices: choicesOf({ session, terminal: noTerminal }),
          choice: ui.choice,
          now,
          frame,
          columns: ui.columns,
          height,
          glyphs: theme.glyphs,
          commandLine: session.commandLine,
        });
  return (
    <Frame summary={state === undefined ? [] : summaryOf(state, now, theme.glyphs)}>
      <Rows height={height} lines={lines} />
    </Frame>
  );
}

/** What the top line says of a run: its time while it goes, what became of it afterwards. */
function summaryOf(state: RunState, now: number, glyphs: Glyphs): Line {
  const { operation, phase, startedAt, finishedAt } = state;
  const look = runPhaseLook(operation, phase);
  // A run that is undone later has no time of its own any more.
  const undone = phase === "RollingBack" || phase === "RolledBack" || phase === "RollbackFailed";
  const time = undone ? "" : stopwatch(startedAt, phase === "Running" ? undefined : finishedAt, now);
  const failed = state.steps.find(({ id }) => id === state.failure?.step);
  const word = phase === "Held" && failed !== undefined ? `held at ${failed.title}` : look.word;
  return [span(`${glyphs[look.glyph]} ${word}`, look.tone), span(time === "" ? "" : `  ${time}`)];
}

/** What the body of the run screen is drawn from. */
export interface RunView {
  readonly state: RunState;
  readonly error: string | undefined;
  /** Whether this process executes it. */
  readonly own: boolean;
  /** Whether who executes it elsewhere lives; undefined while that is not known. */
  readonly holder: "living" | "dead" | undefined;
  /** Whether the cluster is a sandbox, where nobody needs an operator. */
  readonly simulated: boolean;
  /** Index of the marked step. */
  readonly marked: number;
  readonly pane: "log" | "effects";
  /** What a person can choose now, and which of it is marked. */
  readonly choices: readonly Pick<Choice, "key" | "word" | "what">[];
  readonly choice: number;
  readonly now: number;
  readonly frame: number;
  readonly columns: number;
  readonly height: number;
  readonly glyphs: Glyphs;
  readonly commandLine: CommandLine;
}

/** The body of the run screen. */
export function runView(view: RunView): readonly Line[] {
  const { state, height, columns, glyphs, error, marked } = view;
  const outcome = outcomeLines(view);
  const trouble: Line[] = error === undefined ? [] : [line(`   ${glyphs.warning} ${error}`, "warn")];
  const head = [...trouble, ...outcome];
  const room = height - head.length - (head.length > 0 ? 1 : 0);
  const steps = stepLines(view, view.choices.length > 0);
  // Who asked for effects wants to read them; the log may be short.
  const pane = view.pane === "effects" ? Math.max(1, room - 3) : Math.min(5, room >> 1);
  const shown = window(steps, marked, Math.max(1, steps.length + 4 > room ? room - pane : room));
  const top = head.length > 0 ? [...head, []] : [[], ...[]];
  const lines = [...top.slice(0, height), ...shown];
  const rest = height - lines.length - 1;
  if (rest < 1) return lines.slice(0, height);
  const step = state.steps[marked];
  const below =
    view.pane === "effects"
      ? effectLines(step, rest, columns, glyphs)
      : logTail(state, rest, columns, glyphs);
  return [...lines, [], ...below];
}

/** The part of `lines` of the given length that has the marked one in it. */
function window(lines: readonly Line[], marked: number, length: number): readonly Line[] {
  if (lines.length <= length) return lines;
  const from = Math.max(0, Math.min(lines.length - length, marked - (length >> 1)));
  return lines.slice(from, from + length);
}

function stepLines(view: RunView, choosing: boolean): readonly Line[] {
  const { state, columns, glyphs, frame, now } = view;
  const titleWidth = Math.min(28, Math.max(...state.steps.map(({ title }) => widthOf(title)), 8));
  return state.steps.map((step, index) => {
    const look = stepLook(step.phase);
    const working = step.phase === "Running" || step.phase === "Compensating";
    const spins = working && view.holder !== "dead";
    const sign = spins ? (glyphs.spinner[frame % glyphs.spinner.length] ?? "") : glyphs[look.glyph];
    const waiting = step.phase === "Waiting";
    const untold = waiting || step.phase === "Compensating";
    const time = untold ? "" : duration(step.startedAt, spins ? undefined : step.finishedAt, now);
    const used = 5 + titleWidth + 2 + 7 + 2;
    return [
      span(index === view.marked && !choosing ? ` ${glyphs.bar} ` : "   ", "accent"),
      span(`${sign} `, look.tone),
      span(cell(step.title, titleWidth), waiting ? "dim" : "plain"),
      span(`  ${cell(time, 7, "right")}  `, "dim"),
      ...summarySpans(step, state, Math.max(8, columns - used - 1), now, glyphs),
    ];
  });
}

/** Columns below which a warning beside a summary says nothing. */
const leastWarning = 16;

function summarySpans(step: StepState, state: RunState, width: number, now: number, glyphs: Glyphs): Line {
  switch (step.phase) {
    case "Waiting": {
      if (state.phase === "RollingBack" || state.phase === "RolledBack") {
        const left = step.effects.some(({ state: of }) => of === "created" || of === "unknown");
        return [span(left ? "to be undone" : "made nothing", "dim")];
      }
      const open = step.needs.filter((need) =>
        state.steps.some(({ id, phase }) => id === need && phase !== "Succeeded" && phase !== "Skipped"),
      );
      const titles = open.map(
        (need) => state.steps.find(({ id }) => id === need)?.title.toLowerCase() ?? need,
      );
      const word = titles.length === 0 ? "" : `after ${titles.slice(-2).join(" and ")}`;
      return [span(clip(word, width, glyphs.ellipsis), "dim")];
    }
    case "Retrying": {
      const text = `${nextTry(step, state, now)}: ${step.error?.message ?? ""}`;
      return [span(clip(text, width, glyphs.ellipsis), "warn")];
    }
    case "Failed":
    case "CompensationFailed":
      return [
        span(
          clip(
            `${stepLook(step.phase).word}: ${step.error?.message ?? step.summary}`,
            width,
            glyphs.ellipsis,
          ),
          "bad",
        ),
      ];
    case "Compensated":
      return [span("undone", "dim")];
    default: {
      const attempt = step.attempt > 1 ? `attempt ${step.attempt}  ` : "";
      const summary = clip(step.summary, width - attempt.length, glyphs.ellipsis);
      const [warning = ""] = step.warnings;
      const left = width - attempt.length - widthOf(summary) - 4;
      // The warnings of a run stand above its steps once it is done: here only where they can be read.
      const warned =
        warning === "" || left < leastWarning
          ? []
          : [span(`  ${glyphs.warning} `, "warn"), span(clip(warning, left, glyphs.ellipsis), "dim")];
      return [span(attempt, "warn"), span(summary, "dim"), ...warned];
    }
  }
}

/** When a step is tried again, and which try that is: `try 3 of 8 in 12 s`. */
export function nextTry(
  { attempt, retryAt }: Pick<StepState, "attempt" | "retryAt">,
  { phase }: Pick<RunState, "phase">,
  now: number,
): string {
  const wait = Math.max(0, Math.ceil((Date.parse(retryAt ?? "") - now) / 1000)) || 0;
  const when = wait === 0 ? "now" : `in ${wait} s`;
  // A roll back counts its own tries, and whoever goes on with a run counts anew.
  if (phase === "RollingBack") return `tries again ${when}`;
  return attempt < maxAttempts
    ? `try ${attempt + 1} of ${maxAttempts} ${when}`
    : `try ${attempt + 1} ${when}`;
}

/** The last lines of a run's log. */
export function logTail(
  { log, steps }: Pick<RunState, "log" | "steps">,
  height: number,
  columns: number,
  glyphs: Glyphs,
): readonly Line[] {
  return log.slice(-height).map((entry) => logLine(entry, steps, columns, glyphs));
}

/** Columns of a step's title before its lines. */
const stepWidth = 12;

/** A line of a run's log, with the step it is of: steps work at the same time. */
export function logLine(
  { at, line: text, step }: LogLine,
  steps: readonly Pick<StepState, "id" | "title">[],
  columns: number,
  glyphs: Glyphs,
): Line {
  const title = steps.find(({ id }) => id === step)?.title ?? step;
  return [
    span(`   ${timeOfDay(at)}  `, "dim"),
    span(`${clip(title, stepWidth, glyphs.ellipsis).padEnd(stepWidth)}  `, "dim"),
    span(clip(text, columns - stepWidth - 16, glyphs.ellipsis)),
  ];
}
