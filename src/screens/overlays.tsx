import { bodyLines } from "../state/lists.ts";
import { type Overlay, placeOf } from "../state/ui.ts";
import { useApp, useStored } from "./components/context.ts";
import { entrySpans, Frame } from "./components/frame.tsx";
import { Rows } from "./components/rows.tsx";
import { helpLines, keyLabel } from "./help-lines.ts";
import { clip, type Line, line, span } from "./line.ts";
import { paletteEntries } from "./palette-entries.ts";

/** Every key that means something on the screen below. */
export function Help({ overlay }: { readonly overlay: Overlay & { readonly kind: "help" } }) {
  const ui = useStored((stores) => stores.ui);
  const height = bodyLines(ui);
  const all = helpLines(placeOf(ui).screen);
  const more = all.length - overlay.top - height;
  const lines = all.slice(overlay.top, overlay.top + height);
  const shown =
    more > 0 ? [...lines.slice(0, -1), line(`   and ${more + 1} more lines: j, k`, "dim")] : lines;
  return (
    <Frame summary={[span("help", "dim")]}>
      <Rows height={height} lines={shown} />
    </Frame>
  );
}

/** Everything that can be done here, by name. */
export function Palette({ overlay }: { readonly overlay: Overlay & { readonly kind: "palette" } }) {
  const { session, theme } = useApp();
  const ui = useStored((stores) => stores.ui);
  useStored(
    (stores) => stores.fleet,
    (state) => state.services,
  );
  const height = bodyLines(ui);
  const entries = paletteEntries(
    { session, terminal: { suspend: () => {}, redraw: () => {} } },
    overlay.entry.text,
  );
  const room = height - 2;
  const cursor = Math.min(overlay.cursor, entries.length - 1);
  const from = Math.max(0, Math.min(entries.length - room, cursor - (room >> 1)));
  const rows = entries.slice(from, from + room).map((entry, offset): Line => {
    const marked = from + offset === cursor;
    const bar = span(marked ? ` ${theme.glyphs.bar} ` : "   ", "accent");
    if (entry.kind === "service") {
      return [bar, span("".padEnd(11)), span(`Open ${entry.service}`, marked ? "strong" : "plain")];
    }
    const { action, reason } = entry;
    const tone = reason !== undefined ? "dim" : marked ? "strong" : "plain";
    return [
      bar,
      span(clip(keyLabel(action.keys[0] ?? ""), 10).padEnd(11), reason === undefined ? "accent" : "dim"),
      span(action.title, tone),
      span(reason === undefined ? "" : `   ${reason}`, "dim"),
    ];
  });
  const head: Line = [span(" :", "accent"), ...entrySpans(overlay.entry, true)];
  return (
    <Frame summary={[span("commands", "dim")]}>
      <Rows
        height={height}
        lines={[head, [], ...(rows.length === 0 ? [line("   No command is named so.", "dim")] : rows)]}
      />
    </Frame>
  );
}

/** Ctrl-C while a run of this process is going. */
export function StopRun({ overlay }: { readonly overlay: Overlay & { readonly kind: "stop-run" } }) {
  const { session } = useApp();
  const ui = useStored((stores) => stores.ui);
  const state = useStored(
    (stores) => stores.openRuns,
    ({ states }) => states[overlay.run],
  );
  const height = bodyLines(ui);
  const what = state === undefined ? "A run" : `${state.operation} ${state.service}`;
  const lines: Line[] = [
    [],
    line(`   ${what} is still going.`, "strong"),
    [],
    [
      span("   g  ", "accent"),
      span("Go on       "),
      span("the run goes on as if nothing was pressed", "dim"),
    ],
    [
      span("   b  ", "accent"),
      span("Roll back   "),
      span("stop, then see what a roll back would delete", "dim"),
    ],
    [
      span("   l  ", "accent"),
      span("Leave       "),
      span(`stop after the write in hand${overlay.leaving ? " and close the app" : ""}; go on with`, "dim"),
    ],
    [span("                  "), span(session.commandLine(["run", "retry", overlay.run]), "accent")],
  ];
  return (
    <Frame>
      <Rows height={height} lines={lines} />
    </Frame>
  );
}
