import type { CleanupPlan, Orphan } from "../provisioning/orphans/orphan.ts";
import { bodyLines, orphanPaneLines } from "../state/lists.ts";
import type { Place } from "../state/place.ts";
import type { OrphansPage } from "../state/stores.ts";
import { useApp, useStored } from "./components/context.ts";
import { useCursor } from "./components/cursor.ts";
import { Frame, message } from "./components/frame.tsx";
import { Rows } from "./components/rows.tsx";
import { destruction } from "./destruction.ts";
import { abbreviate, cell, clip, type Line, line, span, widthOf, wrap, wrapCommand } from "./line.ts";
import type { Glyphs, Tone } from "./theme.ts";
import { age } from "./time.ts";

/** What no living run or service accounts for, and what was kept on purpose. */
export function Orphans() {
  const { theme } = useApp();
  const { ui, height, index, top } = useCursor({ screen: "orphans" });
  const page = useStored((stores) => stores.orphans);
  const now = useStored(
    (stores) => stores.ticking,
    (state) => state.now,
  );
  const { columns } = ui;
  const lines = orphansView(page, { index, top, height, columns, now, glyphs: theme.glyphs });
  const orphans = page.found.filter(({ state }) => state === "orphan").length;
  const count = `${orphans} ${orphans === 1 ? "orphan" : "orphans"}`;
  return (
    <Frame summary={page.status === "loading" ? [] : [span(count, orphans === 0 ? "dim" : "warn")]}>
      <Rows height={height} lines={lines} />
    </Frame>
  );
}

/** The body of the orphans screen. */
export function orphansView(
  { status, found, unseen, error }: OrphansPage,
  view: {
    readonly index: number;
    readonly top: number;
    readonly height: number;
    readonly columns: number;
    readonly now: number;
    readonly glyphs: Glyphs;
  },
): readonly Line[] {
  const { glyphs, columns, height } = view;
  if (found.length === 0) {
    if (error !== undefined) return message(`${glyphs.failed} ${error}`, "ctrl-r asks again.", columns);
    if (status === "loading") return message(`Looking through the whole cluster${glyphs.ellipsis}`);
    return [
      ...message(
        "No orphans: a run or a service accounts for everything the platform has made.",
        "",
        columns,
      ),
      ...unseenLines(unseen, columns, glyphs),
    ];
  }
  const room = Math.max(2, height - orphanPaneLines);
  const table = tableLines(found, view, room);
  const space = Array.from({ length: Math.max(0, room - table.length) }, (): Line => []);
  const under = found[view.index];
  const pane = under === undefined ? [] : paneLines(under, columns);
  return [...table, ...space, ...pane, ...unseenLines(unseen, columns, glyphs)].slice(0, height);
}

function unseenLines(unseen: readonly string[], columns: number, glyphs: Glyphs): readonly Line[] {
  if (unseen.length === 0) return [];
  const text = `not looked at: ${unseen.join("; ")}`;
  return [[], line(`   ${glyphs.warning} ${clip(text, columns - 6, glyphs.ellipsis)}`, "warn")];
}

function tableLines(
  found: readonly Orphan[],
  {
    index,
    top,
    columns,
    now,
    glyphs,
  }: {
    readonly index: number;
    readonly top: number;
    readonly columns: number;
    readonly now: number;
    readonly glyphs: Glyphs;
  },
  room: number,
): readonly Line[] {
  const longest = found.reduce((width, { name }) => Math.max(width, widthOf(name)), 4);
  const nameWidth = Math.max(12, Math.min(longest, columns - 30));
  const heading = line(
    `     ${cell("NAME", nameWidth)}  ${cell("STATE", 6)}  ${cell("DATA", 9)}  ${cell("AGE", 4, "right")}`,
    "dim",
  );
  const rows = found.slice(top, top + room - 1).map((orphan, offset): Line => {
    const marked = top + offset === index;
    const { name, state, data, createdAt } = orphan;
    const holds = orphan.protected ? "protected" : data.length > 0 ? "yes" : glyphs.none;
    const tone: Tone = state === "orphan" ? "warn" : "dim";
    return [
      span(marked ? ` ${glyphs.bar}` : "  ", "accent"),
      span(`${state === "orphan" ? glyphs.warning : glyphs.full}  `, tone),
      span(cell(abbreviate(name, nameWidth), nameWidth), marked ? "strong" : "plain"),
      span(`  ${cell(state, 6)}`, tone),
      span(`  ${cell(holds, 9)}`, holds === glyphs.none ? "dim" : "plain"),
      span(`  ${cell(age(createdAt, now), 4, "right")}`, "dim"),
    ];
  });
  return [heading, ...rows];
}

/** Why something is an orphan, and what goes with it. */
function paneLines(orphan: Orphan, columns: number): readonly Line[] {
  const { reason, data, service, run } = orphan;
  const field = (label: string, text: string, most = 1): readonly Line[] =>
    text === ""
      ? []
      : wrap(text, columns - 14, most).map((each, row) => [
          span(`   ${(row === 0 ? label : "").padEnd(9)}`, "dim"),
          span(each),
        ]);
  return [
    [],
    ...field("Why", reason, 2),
    ...field("Service", service),
    ...field("Made by", run === "" ? "" : `run ${run}`),
    ...field("Data", data.join(", ")),
  ];
}

/** What the deletion of an orphan deletes, before anything is touched. */
export function Cleanup({ place }: { readonly place: Place & { readonly screen: "cleanup" } }) {
  const { session, theme } = useApp();
  const ui = useStored((stores) => stores.ui);
  const { status, plan, problem } = useStored((stores) => stores.cleanup);
  const height = bodyLines(ui);
  const { glyphs } = theme;
  const command = session.commandLine(["orphans", "delete", place.orphan]);
  const lines =
    status === "loading"
      ? message(`Looking at what goes with it${glyphs.ellipsis}`, "Nothing is deleted yet.")
      : plan === undefined
        ? message(
            `${glyphs.failed} ${problem ?? "It is not there any more."}`,
            "esc goes back; nothing was touched.",
            ui.columns,
          )
        : cleanupView(plan, { ui, command, height, glyphs });
  return (
    <Frame>
      <Rows height={height} lines={lines} />
    </Frame>
  );
}

/** The body of a cleanup's preview. */
function cleanupView(
  plan: CleanupPlan,
  {
    ui,
    command,
    height,
    glyphs,
  }: {
    readonly ui: {
      readonly columns: number;
      readonly confirmation: { readonly text: string; readonly cursor: number };
    };
    readonly command: string;
    readonly height: number;
    readonly glyphs: Glyphs;
  },
): readonly Line[] {
  const { columns, confirmation } = ui;
  const { service, orphans, takesAlong, data, protectedStores, notes } = plan;
  const section = (title: string, entries: readonly string[], tone: Tone): readonly Line[] =>
    entries
      .slice(0, 5)
      .map((entry, index) => [
        span(`   ${(index === 0 ? title : "").padEnd(10)}`, tone),
        span(clip(entry, columns - 15, glyphs.ellipsis)),
      ]);
  const asks = data.length + protectedStores.length > 0;
  const foot: readonly Line[] = [
    [],
    ...(asks
      ? destruction({ name: service, deed: "delete it", protectedStores, typed: confirmation, glyphs })
      : [line("   enter deletes it. esc leaves everything as it is.", "strong")]),
    [],
    line("   The same from a shell:", "dim"),
    ...wrapCommand(command, columns - 6).map((text) => line(`   ${text}`, "accent")),
  ];
  const body = [
    ...section("Deletes", [...orphans.map(({ name, reason }) => `${name}: ${reason}`), ...takesAlong], "bad"),
    ...section("Data", data, "bad"),
    ...notes.map((note) => line(`   ${glyphs.warning} ${clip(note, columns - 6, glyphs.ellipsis)}`, "warn")),
  ];
  return [...body.slice(0, Math.max(1, height - foot.length)), ...foot];
}
