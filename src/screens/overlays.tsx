import { atRest } from "../provisioning/engine/decide.ts";
import type { RunState } from "../provisioning/runs/run.ts";
import { serviceText } from "../provisioning/runs/service-of-run.ts";
import { verbsOf } from "../provisioning/verbs/verbs.ts";
import { bodyLines } from "../state/lists.ts";
import { areaOf } from "../state/place.ts";
import { type Overlay, placeOf } from "../state/ui.ts";
import { useApp, useStored } from "./components/context.ts";
import { entrySpans, Frame, message, noTerminal } from "./components/frame.tsx";
import { Rows } from "./components/rows.tsx";
import { helpLines, keyLabel } from "./help-lines.ts";
import { clip, type Line, line, span } from "./line.ts";
import { runPhaseLook } from "./looks.ts";
import { paletteEntries } from "./palette-entries.ts";
import type { Glyphs } from "./theme.ts";
import { stopwatch } from "./time.ts";

/** Every key that means something on the screen below. */
export function Help({ overlay }: { readonly overlay: Overlay & { readonly kind: "help" } }) {
  const ui = useStored((stores) => stores.ui);
  const height = bodyLines(ui);
  const all = helpLines(areaOf(placeOf(ui)));
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
  const entries = paletteEntries({ session, terminal: noTerminal }, overlay.entry.text);
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

/** A line of a dialog: the key, what it is called, and what it comes to. */
function choiceLine(key: string, word: string, what: string): Line {
  return [span(`   ${key}  `, "accent"), span(word.padEnd(12)), span(what, "dim")];
}

/** What cancelling means, before a run is brought to rest. */
export function StopRun({ overlay }: { readonly overlay: Overlay & { readonly kind: "stop-run" } }) {
  const { session } = useApp();
  const ui = useStored((stores) => stores.ui);
  const runs = useStored((stores) => stores.openRuns);
  const height = bodyLines(ui);
  const state = runs.states[overlay.run];
  const own = runs.own.includes(overlay.run);
  const who = own || state === undefined ? "This terminal" : state.holder || state.requestedBy;
  const closing = overlay.leaving ? ", closes the app" : "";
  const stops = `${own ? "stops" : "asks it to stop"} after the write in hand${closing}; go on with`;
  const lines: Line[] = [
    [],
    line(`   ${overlay.title} is still going.`, "strong"),
    line(`   ${who} executes it. Nothing it has made is deleted by cancelling.`, "dim"),
    [],
    choiceLine("g", "Go on", "the run goes on as if nothing was pressed"),
    choiceLine("b", "Roll back", "cancel, then see what a roll back would delete"),
    choiceLine("x", "Cancel", stops),
    [span("                  "), span(session.commandLine(["run", "resume", overlay.run]), "accent")],
  ];
  return (
    <Frame>
      <Rows height={height} lines={lines} />
    </Frame>
  );
}

/** Another run is in the way: who runs what, and what one can do about it. */
export function OtherRun({ overlay }: { readonly overlay: Overlay & { readonly kind: "other-run" } }) {
  const { session, theme } = useApp();
  const ui = useStored((stores) => stores.ui);
  const runs = useStored((stores) => stores.openRuns);
  const now = useStored(
    (stores) => stores.ticking,
    (state) => state.now,
  );
  const height = bodyLines(ui);
  const state = runs.states[overlay.run];
  const lines =
    state === undefined
      ? message(`Reading the run${theme.glyphs.ellipsis}`)
      : otherRunLines({
          overlay,
          state,
          holder: runs.holders[overlay.run],
          now,
          columns: ui.columns,
          glyphs: theme.glyphs,
          command: session.commandLine(["run", verbsOf(state)[0] ?? "show", overlay.run]),
        });
  return (
    <Frame>
      <Rows height={height} lines={lines} />
    </Frame>
  );
}

function otherRunLines({
  overlay: { wanted, waiting },
  state,
  holder,
  now,
  columns,
  glyphs,
  command,
}: {
  readonly overlay: Overlay & { readonly kind: "other-run" };
  readonly state: RunState;
  readonly holder: "living" | "dead" | undefined;
  readonly now: number;
  readonly columns: number;
  readonly glyphs: Glyphs;
  readonly command: string;
}): readonly Line[] {
  const look = runPhaseLook(state.operation, state.phase);
  const rests = atRest(state);
  const time = stopwatch(state.startedAt, rests ? state.finishedAt : undefined, now);
  const who = state.holder || state.requestedBy;
  const lives = {
    living: "lives, and works on it",
    dead: "is gone: nobody works on it",
    unknown: `is being looked for${glyphs.ellipsis}`,
  };
  const field = (label: string, ...rest: Line): Line => [span(`   ${label.padEnd(9)}`, "dim"), ...rest];
  const said = rests
    ? `${wanted} was not begun: another run of ${serviceText(state)} waits for a person.`
    : `${wanted} was not begun: ${serviceText(state)} is being worked on.`;
  const step = state.steps.find(({ phase }) => phase === "Running" || phase === "Retrying");
  return [
    [],
    line(`   ${clip(said, columns - 6, glyphs.ellipsis)}`, "strong"),
    [],
    field("Run", span(state.name)),
    field(
      "State",
      span(`${glyphs[look.glyph]} ${look.word}`, look.tone),
      span(time === "" ? "" : `  ${time}`, "dim"),
      span(step === undefined ? "" : `  ${step.title}`, "dim"),
    ),
    field("By", span(state.requestedBy)),
    field("Holder", span(who), span(rests ? "" : `  ${lives[holder ?? "unknown"]}`, "dim")),
    [],
    ...(rests
      ? [choiceLine("w", "Open", "see what became of it, and choose")]
      : [
          choiceLine("w", "Watch", "see it live"),
          choiceLine(
            "a",
            "Wait",
            waiting
              ? `${wanted} begins once it has come to rest: waiting`
              : `${wanted} begins once it has come to rest`,
          ),
          holder === "dead"
            ? choiceLine("u", "Take over", "resume it here")
            : line("   u  Take over   only once its holder is gone", "dim"),
        ]),
    choiceLine("q", "Leave", waiting ? "wait no longer" : "nothing was written"),
    ...(rests ? [[], line("   Elsewhere:", "dim"), line(`   ${command}`, "accent")] : []),
  ];
}
