import type { DataStore, Service, Verdict } from "../services/service.ts";
import { listStart, settle } from "../state/list.ts";
import { bodyLines, listAt } from "../state/lists.ts";
import { serviceHeight, type VisibleServices } from "../state/service-list.ts";
import type { Connection, Fleet } from "../state/stores.ts";
import type { Ui } from "../state/ui.ts";
import { useApp, useStored } from "./components/context.ts";
import { Frame, fleetSummary, message } from "./components/frame.tsx";
import { Rows } from "./components/rows.tsx";
import { abbreviate, cell, clip, type Line, line, type Span, span, widthOf } from "./line.ts";
import { runPhaseLook } from "./looks.ts";
import type { Glyphs, Tone } from "./theme.ts";
import { age } from "./time.ts";

/** Home: every service, what needs a person first. */
export function Services() {
  const { session, theme } = useApp();
  const ui = useStored(
    (stores) => stores.ui,
    (state) => state,
  );
  const fleet = useStored(
    (stores) => stores.fleet,
    (state) => state,
  );
  const connection = useStored(
    (stores) => stores.connection,
    (state) => state,
  );
  const now = useStored(
    (stores) => stores.ticking,
    (state) => state.now,
  );
  const height = bodyLines(ui);
  const visible = session.visible();
  const list = listAt(session, { screen: "services" });
  const { index, top } =
    list === undefined
      ? { index: 0, top: 0 }
      : settle(ui.lists.services ?? listStart, list.keys, list.viewport);
  const lines = servicesView({
    ui,
    fleet,
    connection,
    visible,
    index,
    top,
    height,
    now,
    glyphs: theme.glyphs,
  });
  return (
    <Frame summary={fleetSummary(fleet, theme.glyphs)}>
      <Rows height={height} lines={lines} />
    </Frame>
  );
}

/** Columns of the table but for the name, with their widths. */
const columns = [
  { title: "READY", width: 6 },
  { title: "DATABASE", width: 9 },
  { title: "CACHE", width: 6 },
  { title: "MONITORING", width: 11 },
  { title: "LAST RUN", width: 15 },
  { title: "AGE", width: 4 },
] as const;
const [readyColumn, databaseColumn, cacheColumn, monitoringColumn, runColumn, ageColumn] = columns;
const gap = "  ";
const others = columns.reduce((sum, { width }) => sum + width + gap.length, 0);
const lead = 5;

/** The body of the services screen. */
export function servicesView(view: {
  readonly ui: Pick<Ui, "columns" | "filter">;
  readonly fleet: Fleet;
  readonly connection: Pick<Connection, "state" | "error" | "context">;
  readonly visible: VisibleServices;
  readonly index: number;
  readonly top: number;
  readonly height: number;
  readonly now: number;
  readonly glyphs: Glyphs;
}): readonly Line[] {
  const { ui, fleet, connection, visible, glyphs } = view;
  if (visible.services.length === 0) return emptyView(ui, fleet, connection, glyphs);
  const room = ui.columns - lead - others - 1;
  const nameWidth = Math.max(7, Math.min(visible.nameWidth, room));
  const lines: Line[] = [heading(nameWidth)];
  for (let row = view.top; row < visible.services.length && lines.length < view.height; row++) {
    const service = visible.services[row];
    if (service === undefined) break;
    const marked = row === view.index;
    lines.push(serviceRow(service, marked, nameWidth, view.now, glyphs));
    if (serviceHeight(service) === 2 && lines.length < view.height) {
      lines.push(line(`       ${clip(service.reason, ui.columns - 8, glyphs.ellipsis)}`, "dim"));
    }
  }
  return lines;
}

function heading(nameWidth: number): Line {
  return [
    span(
      `${" ".repeat(lead)}${cell("SERVICE", nameWidth)}${gap}${columns
        .map(({ title, width }) =>
          cell(title, width, title === "READY" || title === "AGE" ? "right" : "left"),
        )
        .join(gap)}`,
      "dim",
    ),
  ];
}

const verdicts: Readonly<
  Record<Verdict, readonly [glyph: "failed" | "warning" | "working" | "ok", tone: Tone]>
> = {
  failed: ["failed", "bad"],
  degraded: ["warning", "warn"],
  working: ["working", "accent"],
  healthy: ["ok", "good"],
};

function serviceRow(service: Service, marked: boolean, nameWidth: number, now: number, glyphs: Glyphs): Line {
  const [glyph, tone] = verdicts[service.verdict];
  const { replicas, monitoring, lastRun } = service;
  const ready = replicas === undefined ? glyphs.none : `${replicas.ready}/${replicas.wanted}`;
  const readyTone = replicas === undefined || replicas.ready >= replicas.wanted ? "plain" : "warn";
  const run = lastRun === undefined ? undefined : runPhaseLook(lastRun.operation, lastRun.phase);
  return [
    span(marked ? ` ${glyphs.bar}` : "  ", "accent"),
    span(`${glyphs[glyph]} `, tone),
    span(" "),
    ...nameCell(service, nameWidth, marked),
    span(gap),
    span(cell(ready, readyColumn.width, "right"), readyTone),
    span(gap),
    storeCell(service.database, databaseColumn.width, glyphs),
    span(gap),
    storeCell(service.cache, cacheColumn.width, glyphs),
    span(gap),
    ...monitoringCell(monitoring, glyphs),
    span(gap),
    span(cell(run?.word ?? glyphs.none, runColumn.width), run?.tone ?? "dim"),
    span(gap),
    span(cell(age(service.createdAt, now), ageColumn.width, "right"), "dim"),
  ];
}

function nameCell({ name, starter }: Service, width: number, marked: boolean): readonly Span[] {
  const tag = starter ? " starter" : "";
  const short = abbreviate(name, width - tag.length);
  return [
    span(short, marked ? "strong" : "plain"),
    span(tag, "dim"),
    span(" ".repeat(Math.max(0, width - widthOf(short) - tag.length))),
  ];
}

function storeCell(store: DataStore, width: number, glyphs: Glyphs): Span {
  if (store.type === "none") return span(cell(glyphs.none, width), "dim");
  return span(
    cell(store.ready ? store.type : `${store.type}${glyphs.ellipsis}`, width),
    store.ready ? "plain" : "warn",
  );
}

function monitoringCell(proof: Service["monitoring"], glyphs: Glyphs): readonly Span[] {
  const looks = {
    proven: [glyphs.full, "good"],
    unproven: [glyphs.half, "warn"],
    broken: [glyphs.failed, "bad"],
    off: [glyphs.empty, "dim"],
  } as const;
  const [glyph, tone] = looks[proof.status];
  const word = cell(proof.status, monitoringColumn.width - 2);
  return [span(`${glyph} `, tone), span(word, proof.status === "broken" ? "bad" : "plain")];
}

function emptyView(
  ui: Pick<Ui, "filter">,
  fleet: Fleet,
  connection: Pick<Connection, "state" | "error" | "context">,
  glyphs: Glyphs,
): readonly Line[] {
  if (fleet.services.length > 0) {
    return message(`No service matches "${ui.filter.entry.text}".`, "esc clears the filter.");
  }
  if (connection.state === "failed") {
    return message(`${glyphs.failed} ${connection.context} does not answer.`, `${connection.error ?? ""}`);
  }
  if (fleet.error !== undefined) return message(`${glyphs.failed} ${fleet.error}`, "ctrl-r asks again.");
  if (fleet.status === "loading")
    return message(`Reading the services of ${connection.context}${glyphs.ellipsis}`);
  return message(
    "No services yet. n makes one.",
    "One name and a few choices; the plan is shown before anything is written.",
  );
}
