import { Box } from "ink";
import type { ReactNode } from "react";
import { atRest } from "../../provisioning/engine/decide.ts";
import { areaOf, type Place } from "../../state/place.ts";
import type { Connection, Fleet, OpenRuns } from "../../state/stores.ts";
import { filterOf, placeOf, type Ui } from "../../state/ui.ts";
import { type Action, type ActionContext, actionsOn } from "../actions.ts";
import { keyLabel } from "../help-lines.ts";
import { type Line, line, lineWidth, span, spread, wrap } from "../line.ts";
import type { Glyphs } from "../theme.ts";
import { useApp, useStored } from "./context.ts";
import { Rows } from "./rows.tsx";

/** Words of a place in the path at the top. */
function wordOf(place: Place, before: Place | undefined): string {
  switch (place.screen) {
    case "services":
      return "";
    case "wizard":
      return "new service";
    case "run":
      return place.title;
    case "log":
      return "log";
    case "rollback":
      return before?.screen === "run" ? "roll back" : `roll back ${place.title}`;
    case "service":
      return place.service;
    case "change":
      return before?.screen === "service" ? place.kind : `${place.kind} ${place.service}`;
    case "cleanup":
      return `delete ${place.orphan}`;
    case "delete":
      return before?.screen === "service" ? "delete" : `delete ${place.service}`;
    default:
      return place.screen;
  }
}

/** The top line: program, context, where one is; at the right what the screen sums up and whether it is live. */
export function topLine(
  ui: Ui,
  connection: Connection,
  summary: Line,
  glyphs: Glyphs,
  columns: number,
): Line {
  const path = ui.stack.flatMap((place, index) => {
    const word = wordOf(place, ui.stack[index - 1]);
    return word === "" ? [] : [span(` ${glyphs.path} `, "dim"), span(word)];
  });
  const simulated = connection.simulated && connection.context !== "sandbox" ? " (sandbox)" : "";
  const left = [
    span(" platform", "strong"),
    span(` ${glyphs.dot} `, "dim"),
    span(connection.context + simulated, "accent"),
    ...path,
  ];
  const state = connectionWord(connection, glyphs);
  const right = summary.length === 0 ? state : [...summary, span(` ${glyphs.dot} `, "dim"), ...state];
  return spread(left, right, columns);
}

function connectionWord({ state }: Connection, glyphs: Glyphs): Line {
  switch (state) {
    case "live":
      return [span("live", "dim")];
    case "connecting":
      return [span("connecting", "dim")];
    case "stale":
      return [span(`${glyphs.warning} stale`, "warn")];
    case "failed":
      return [span(`${glyphs.failed} not connected`, "bad")];
  }
}

/** The services in numbers, for the top line. */
export function fleetSummary({ services, status }: Fleet, glyphs: Glyphs): Line {
  if (status === "loading" && services.length === 0) return [];
  let failed = 0;
  let degraded = 0;
  let count = 0;
  for (const { kind, verdict } of services) {
    if (kind === "service") count += 1;
    if (verdict === "failed") failed += 1;
    else if (verdict === "degraded") degraded += 1;
  }
  const words = [span(`${count} ${count === 1 ? "service" : "services"}`, "dim")];
  if (degraded + failed > 0) words.push(span(` ${glyphs.dot} `, "dim"));
  if (degraded > 0) words.push(span(`${glyphs.warning}${degraded}`, "warn"));
  if (degraded > 0 && failed > 0) words.push(span(" "));
  if (failed > 0) words.push(span(`${glyphs.failed}${failed}`, "bad"));
  return words;
}

/** The line above the keys: the filter, what the last key did, or what is on its way. */
export function noticeLine(
  ui: Ui,
  openRuns: OpenRuns,
  connection: Connection,
  frame: number,
  glyphs: Glyphs,
): Line {
  if (openRuns.busy !== undefined) {
    return [span(` ${glyphs.spinner[frame % glyphs.spinner.length] ?? ""} ${openRuns.busy}`, "accent")];
  }
  if (ui.notice !== undefined) {
    const tones = { info: "dim", warn: "warn", error: "bad" } as const;
    const signs = { info: "", warn: `${glyphs.warning} `, error: `${glyphs.failed} ` };
    return [span(` ${signs[ui.notice.tone]}${ui.notice.text}`, tones[ui.notice.tone])];
  }
  if (connection.error !== undefined && connection.state === "stale")
    return [span(` ${glyphs.warning} ${connection.error}`, "warn")];
  const filter = filterOf(ui, placeOf(ui).screen);
  if (filter.editing || filter.entry.text !== "") {
    return [
      span(" /", "accent"),
      ...entrySpans(filter.entry, filter.editing),
      span(filter.editing ? "   enter keeps it, esc clears it" : "   esc clears the filter", "dim"),
    ];
  }
  return [];
}

/** A text entry with its cursor. A line break, which only a paste can bring, is shown as a sign. */
export function entrySpans(
  { text, cursor }: { readonly text: string; readonly cursor: number },
  focused: boolean,
): Line {
  const shown = (part: string) => part.replaceAll("\n", "␤");
  if (!focused) return [span(shown(text))];
  const [under = ""] = [...text.slice(cursor)];
  return [
    span(shown(text.slice(0, cursor))),
    span(under === "" ? " " : shown(under), "cursor"),
    span(shown(text.slice(cursor + under.length))),
  ];
}

/** Most hints in the bottom line: more nobody reads. */
const mostHints = 6;

/** The bottom line: what the most useful keys do here. Help is always among them. */
export function keyLine(context: ActionContext, columns: number): Line {
  const { session } = context;
  const ui = session.ui();
  if (ui.overlay !== undefined) return overlayKeys(ui.overlay, session.stores.openRuns.getState());
  const area = areaOf(placeOf(ui));
  const form = area === "wizard" || area === "change" || area === "delete" || area === "cleanup";
  const hinted = actionsOn(area)
    .filter((action) => !form || action.on !== "everywhere")
    .flatMap((action) => hintOf(action, context))
    .sort((a, b) => a.rank - b.rank);
  const help = hinted.filter(({ id }) => id === "help" || id === "palette");
  const others = hinted.filter(({ id }) => id !== "help" && id !== "palette");
  // What does not fit goes whole, the least important first; help stays.
  for (let count = mostHints - help.length; count > 0; count--) {
    const spans = hintSpans([...others.slice(0, count), ...help]);
    if (lineWidth(spans) <= columns + 1) return spans;
  }
  return hintSpans(help);
}

function hintSpans(hints: readonly { readonly key: string; readonly word: string }[]): Line {
  return hints.flatMap(({ key, word }) => [span(` ${keyLabel(key)}`, "accent"), span(` ${word}  `)]);
}

/** A key worth a hint now. What asks for something first is hinted at all the same: pressing it says what. */
function hintOf(action: Action, context: ActionContext) {
  const { hint, id, keys, on } = action;
  if (hint === undefined) return [];
  const word = typeof hint.word === "string" ? hint.word : hint.word(context);
  const asks = /^(wizard|rollback|change|delete|cleanup)\./.test(id) || on === "everywhere";
  if (word === undefined || (!asks && action.disabledReason?.(context) !== undefined)) return [];
  return [{ id, word, key: keys[0] ?? "", rank: hint.rank }];
}

function overlayKeys(overlay: NonNullable<Ui["overlay"]>, { states, holders }: OpenRuns): Line {
  return keysOfOverlay(overlay, { states, holders }).flatMap(([key, word]) => [
    span(` ${key}`, "accent"),
    span(` ${word}  `),
  ]);
}

function keysOfOverlay(
  overlay: NonNullable<Ui["overlay"]>,
  { states, holders }: Pick<OpenRuns, "states" | "holders">,
): readonly (readonly [key: string, word: string])[] {
  switch (overlay.kind) {
    case "help":
      return [["esc", "close"]];
    case "palette":
      return [
        ["enter", "do it"],
        ["↑ ↓", "choose"],
        ["esc", "close"],
      ];
    case "stop-run":
      return [
        ["g", "go on"],
        ["b", "roll back"],
        ["x", "cancel"],
      ];
    case "other-run": {
      const state = states[overlay.run];
      if (state === undefined || atRest(state)) {
        return [
          ["w", "open"],
          ["esc", "leave"],
        ];
      }
      return [
        ["w", "watch"],
        ...(overlay.waiting ? [] : [["a", "wait"] as const]),
        ...(holders[overlay.run] === "dead" ? [["u", "take over"] as const] : []),
        ["esc", overlay.waiting ? "wait no longer" : "leave"],
      ];
    }
  }
}

const nothing: Line = [];

/** The frame of every screen: top line, body, notice, keys. It always has exactly as many rows as the terminal. */
export function Frame({
  summary = nothing,
  children,
}: {
  readonly summary?: Line;
  readonly children: ReactNode;
}) {
  const { rows } = useStored((stores) => stores.ui);
  const { painter } = useApp();
  if (painter !== undefined) {
    return (
      <>
        <Top summary={summary} />
        {children}
        <Bottom />
      </>
    );
  }
  return (
    <Box flexDirection="column" height={rows}>
      <Top summary={summary} />
      {children}
      <Bottom />
    </Box>
  );
}

function Top({ summary }: { readonly summary: Line }) {
  const { theme } = useApp();
  const ui = useStored((stores) => stores.ui);
  const connection = useStored((stores) => stores.connection);
  return <Rows top={0} height={2} lines={[topLine(ui, connection, summary, theme.glyphs, ui.columns)]} />;
}

function Bottom() {
  const { session, theme } = useApp();
  const ui = useStored((stores) => stores.ui);
  const openRuns = useStored((stores) => stores.openRuns);
  const connection = useStored((stores) => stores.connection);
  const frame = useStored(
    (stores) => stores.ticking,
    (state) => (openRuns.busy === undefined ? 0 : state.frame),
  );
  useStored(
    (stores) => stores.plan,
    (state) => state.status,
  );
  useStored(
    (stores) => stores.rollback,
    (state) => state.status,
  );
  useStored(
    (stores) => stores.fleet,
    (state) => state.services.length === 0,
  );
  useStored(
    (stores) => stores.runs,
    (state) => state.runs,
  );
  useStored(
    (stores) => stores.orphans,
    (state) => state.found.length === 0,
  );
  useStored(
    (stores) => stores.releases,
    (state) => state.releases,
  );
  const lines = [
    noticeLine(ui, openRuns, connection, frame, theme.glyphs),
    keyLine({ session, terminal: noTerminal }, ui.columns),
  ];
  return <Rows top={ui.rows - 2} height={2} lines={lines} />;
}

/** Asking whether an action can be done touches no terminal. */
export const noTerminal = { suspend: () => {}, redraw: () => {} };

/** A few words in an empty screen: loading, empty, or an error, and below what to do. */
export function message(text: string, detail = "", columns = 80): readonly Line[] {
  const said = wrap(text, columns - 6, 4).map((each) => line(`   ${each}`));
  const more = detail === "" ? [] : wrap(detail, columns - 6, 4).map((each) => line(`   ${each}`, "dim"));
  return more.length === 0 ? [[], ...said] : [[], ...said, [], ...more];
}
