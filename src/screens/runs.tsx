import { useMemo } from "react";
import { atRest } from "../provisioning/engine/decide.ts";
import type { RunState } from "../provisioning/runs/run.ts";
import { runMessage } from "../provisioning/runs/run-record.ts";
import { visibleRuns } from "../state/run-list.ts";
import type { OpenRuns } from "../state/stores.ts";
import { filterOf } from "../state/ui.ts";
import { waitingStep } from "./actions/verb-actions.ts";
import { useApp, useStored } from "./components/context.ts";
import { useCursor } from "./components/cursor.ts";
import { Frame, message } from "./components/frame.tsx";
import { Rows } from "./components/rows.tsx";
import { cell, clip, type Line, line, span, taggedCell } from "./line.ts";
import { holderGone, runPhaseLook } from "./looks.ts";
import { nextTry } from "./run.tsx";
import type { Glyphs } from "./theme.ts";
import { age, duration } from "./time.ts";

/** Every run the cluster remembers, newest first. */
export function Runs() {
  const { theme } = useApp();
  const { ui, height, index, top } = useCursor({ screen: "runs" });
  const { runs: all, status, error } = useStored((stores) => stores.runs);
  const runs = useMemo(() => visibleRuns(all, ui), [all, ui]);
  const holders = useStored(
    (stores) => stores.openRuns,
    (state) => state.holders,
  );
  const now = useStored(
    (stores) => stores.ticking,
    (state) => state.now,
  );
  const lines =
    runs.length > 0
      ? runsTable(runs, { index, top, height, columns: ui.columns, now, glyphs: theme.glyphs, holders })
      : error !== undefined
        ? message(`${theme.glyphs.failed} ${error}`, "ctrl-r asks again.")
        : status === "loading"
          ? message(`Reading the runs${theme.glyphs.ellipsis}`)
          : all.length > 0
            ? message(`No run matches "${filterOf(ui, "runs").entry.text}".`, "esc clears the filter.")
            : message("No runs yet.", "n makes a service, and that is a run.");
  const count = runs.length === all.length ? String(all.length) : `${runs.length} of ${all.length}`;
  return (
    <Frame summary={all.length === 0 ? [] : [span(`${count} ${all.length === 1 ? "run" : "runs"}`, "dim")]}>
      <Rows height={height} lines={lines} />
    </Frame>
  );
}

/** The rows of runs that are visible, under their heading. */
export function runsTable(
  runs: readonly RunState[],
  view: {
    readonly index: number;
    readonly top: number;
    readonly height: number;
    readonly columns: number;
    readonly now: number;
    readonly glyphs: Glyphs;
    /** Whether who executes a run lives, by the run's name. */
    readonly holders: OpenRuns["holders"];
    /** Else the namespace that a run's service shares stands behind its name. */
    readonly ofOneService?: true;
  },
): readonly Line[] {
  const { glyphs, now } = view;
  // Runs of services of one name are named alike.
  const tagOf = ({ sharedNamespace = "" }: RunState) => (view.ofOneService === true ? "" : sharedNamespace);
  const longest = runs.reduce(
    (width, run) => Math.max(width, run.name.length + (tagOf(run) === "" ? 0 : tagOf(run).length + 1)),
    4,
  );
  const byWidth = Math.min(
    16,
    runs.reduce((width, { requestedBy }) => Math.max(width, requestedBy.length), 2),
  );
  const nameWidth = Math.max(8, Math.min(longest, view.columns - 49 - byWidth));
  // Only a wide terminal has room for what a run is at, or why it stopped.
  const messageWidth = view.columns - nameWidth - 51 - byWidth;
  const tells = messageWidth >= 24;
  const heading = line(
    `     ${cell("RUN", nameWidth)}  ${cell("STATE", 15)}  ${cell("STEPS", 6, "right")}  ${cell("TOOK", 7, "right")}  ${cell("AGE", 4, "right")}  ${tells ? `${cell("BY", byWidth)}  MESSAGE` : "BY"}`,
    "dim",
  );
  const rows = runs.slice(view.top, view.top + view.height - 1).map((run, offset): Line => {
    const look =
      view.holders[run.name] === "dead" && !atRest(run) ? holderGone : runPhaseLook(run.operation, run.phase);
    const done = run.steps.filter(({ phase }) => phase === "Succeeded").length;
    const going = run.phase === "Running" || run.phase === "RollingBack";
    const marked = view.top + offset === view.index;
    return [
      span(marked ? ` ${glyphs.bar}` : "  ", "accent"),
      span(`${glyphs[look.glyph]} `, look.tone),
      span(" "),
      ...taggedCell(run.name, tagOf(run), nameWidth, marked),
      span(`  ${cell(look.word, 15)}  `, look.tone),
      span(cell(run.steps.length === 0 ? glyphs.none : `${done}/${run.steps.length}`, 6, "right")),
      span(
        `  ${cell(duration(run.startedAt, going ? undefined : run.finishedAt, now), 7, "right")}  `,
        "dim",
      ),
      span(cell(age(run.requestedAt, now), 4, "right"), "dim"),
      ...(tells
        ? [
            span(`  ${cell(run.requestedBy, byWidth)}  `, "dim"),
            span(clip(messageOf(run, now), messageWidth, glyphs.ellipsis), "dim"),
          ]
        : [
            span(
              `  ${clip(run.requestedBy, Math.max(0, view.columns - nameWidth - 49), glyphs.ellipsis)}`,
              "dim",
            ),
          ]),
    ];
  });
  return [heading, ...rows];
}

/** What a run is at, when it tries again, or why it stopped. */
function messageOf(run: RunState, now: number): string {
  const waiting = waitingStep(run);
  return waiting === undefined ? runMessage(run) : `${waiting.title}: ${nextTry(waiting, run, now)}`;
}
