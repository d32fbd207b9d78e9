import { useMemo } from "react";
import type { DataStore, Service, Verdict } from "../services/service.ts";
import { serviceHeight, tagOf, type VisibleServices } from "../state/service-list.ts";
import type { Connection, Fleet } from "../state/stores.ts";
import { filterOf, type Ui } from "../state/ui.ts";
import { useApp, useStored } from "./components/context.ts";
import { useCursor } from "./components/cursor.ts";
import { Frame, fleetSummary, message } from "./components/frame.tsx";
import { Rows } from "./components/rows.tsx";
import { abbreviate, cell, clip, type Line, line, type Span, span, taggedCell } from "./line.ts";
import { lastRunLook } from "./looks.ts";
import type { Glyphs, Tone } from "./theme.ts";
import { age } from "./time.ts";

/** Home: every service, what needs a person first. */
export function Services() {
  const { session, theme } = useApp();
  const { ui, height, index, top } = useCursor({ screen: "services" });
  const fleet = useStored((stores) => stores.fleet);
  const connection = useStored((stores) => stores.connection);
  const now = useStored(
    (stores) => stores.ticking,
    (state) => state.now,
  );
  const visible = session.visible();
  const summary = useMemo(() => fleetSummary(fleet, theme.glyphs), [fleet, theme]);
  const widths = useMemo(() => widthsOf(visible), [visible]);
  const lines = servicesView({
    ui,
    widths,
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
    <Frame summary={summary}>
      <Rows height={height} lines={lines} />
    </Frame>
  );
}

/** Widths of the table's columns, sized to what is in them so that names get the rest. */
export interface Widths {
  readonly monitoring: number;
  readonly run: number;
  readonly team: number;
}

/** Counted over all rows, not the visible ones: scrolling moves no column. */
export function widthsOf({ services }: VisibleServices): Widths {
  let monitoring = "MONITORING".length;
  let run = "LAST RUN".length;
  let team = "TEAM".length;
  for (const service of services) {
    monitoring = Math.max(monitoring, service.monitoring.status.length + 2);
    team = Math.max(team, Math.min(service.team.length, 20));
    const { lastRun } = service;
    if (lastRun !== undefined) {
      run = Math.max(run, lastRunLook(lastRun).word.length);
    }
  }
  return { monitoring, run, team };
}

const readyWidth = 5;
const databaseWidth = 9;
const cacheWidth = 6;
const ageWidth = 4;
const gap = "  ";
const lead = 4;

/** The body of the services screen. */
export function servicesView(view: {
  readonly ui: Pick<Ui, "columns" | "filters">;
  readonly fleet: Fleet;
  readonly connection: Pick<Connection, "state" | "error" | "context">;
  readonly visible: VisibleServices;
  readonly widths: Widths;
  readonly index: number;
  readonly top: number;
  readonly height: number;
  readonly now: number;
  readonly glyphs: Glyphs;
}): readonly Line[] {
  const { ui, fleet, connection, visible, glyphs } = view;
  if (visible.services.length === 0) return emptyView(ui, fleet, connection, glyphs);
  const { widths } = view;
  const fixed = readyWidth + databaseWidth + cacheWidth + widths.monitoring + widths.run + ageWidth;
  const room = ui.columns - lead - fixed - 6 * gap.length - 1;
  const nameWidth = Math.max("SERVICE".length, Math.min(visible.nameWidth, room));
  const wide = wideColumns(widths, ui.columns - lead - nameWidth - fixed - 6 * gap.length - 1);
  const lines: Line[] = [[...heading(nameWidth, widths), ...wideHeading(wide)]];
  for (let row = view.top; row < visible.services.length && lines.length < view.height; row++) {
    const service = visible.services[row];
    if (service === undefined) break;
    const marked = row === view.index;
    lines.push([
      ...serviceRow(service, marked, nameWidth, widths, view.now, glyphs),
      ...wideCells(service, wide),
    ]);
    if (serviceHeight(service) === 2 && lines.length < view.height) {
      lines.push(line(`      ${clip(service.reason, ui.columns - 7, glyphs.ellipsis)}`, "dim"));
    }
  }
  return lines;
}

/** Columns that only a wide terminal shows: none where the width is 0. */
interface Wide {
  readonly team: number;
  readonly image: number;
}

function wideColumns({ team }: Widths, room: number): Wide {
  const left = room - gap.length - team;
  if (left < 0) return { team: 0, image: 0 };
  const image = Math.min(72, left - gap.length);
  return { team, image: image < 24 ? 0 : image };
}

function wideHeading({ team, image }: Wide): Line {
  return [
    span(team === 0 ? "" : gap + cell("TEAM", team), "dim"),
    span(image === 0 ? "" : `${gap}IMAGE`, "dim"),
  ];
}

function wideCells(service: Service, { team, image }: Wide): Line {
  return [
    span(team === 0 ? "" : gap + cell(service.team, team)),
    span(image === 0 ? "" : gap + abbreviate(service.image, image), "dim"),
  ];
}

function heading(nameWidth: number, widths: Widths): Line {
  const titles = [
    cell("SERVICE", nameWidth),
    cell("READY", readyWidth, "right"),
    cell("DATABASE", databaseWidth),
    cell("CACHE", cacheWidth),
    cell("MONITORING", widths.monitoring),
    cell("LAST RUN", widths.run),
    cell("AGE", ageWidth, "right"),
  ];
  return line(" ".repeat(lead) + titles.join(gap), "dim");
}

const verdicts: Readonly<
  Record<Verdict, readonly [glyph: "failed" | "warning" | "working" | "ok" | "full", tone: Tone]>
> = {
  failed: ["failed", "bad"],
  degraded: ["warning", "warn"],
  working: ["working", "accent"],
  healthy: ["ok", "good"],
  kept: ["full", "dim"],
};

function serviceRow(
  service: Service,
  marked: boolean,
  nameWidth: number,
  widths: Widths,
  now: number,
  glyphs: Glyphs,
): Line {
  const [glyph, tone] = verdicts[service.verdict];
  const { replicas, monitoring, lastRun } = service;
  const ready = replicas === undefined ? glyphs.none : `${replicas.ready}/${replicas.wanted}`;
  const readyTone = replicas === undefined || replicas.ready >= replicas.wanted ? "plain" : "warn";
  const run = lastRun && lastRunLook(lastRun);
  return [
    span(marked ? ` ${glyphs.bar}` : "  ", "accent"),
    span(`${glyphs[glyph]} `, tone),
    ...taggedCell(service.name, tagOf(service), nameWidth, marked),
    span(gap),
    span(cell(ready, readyWidth, "right"), readyTone),
    span(gap),
    storeCell(service.database, databaseWidth, glyphs),
    span(gap),
    storeCell(service.cache, cacheWidth, glyphs),
    span(gap),
    ...monitoringCell(monitoring, widths.monitoring, glyphs),
    span(gap),
    span(cell(run?.word ?? glyphs.none, widths.run), run?.tone ?? "dim"),
    span(gap),
    span(cell(age(service.createdAt, now), ageWidth, "right"), "dim"),
  ];
}

function storeCell(store: DataStore, width: number, glyphs: Glyphs): Span {
  if (store.type === "none") return span(cell(glyphs.none, width), "dim");
  return span(
    cell(store.ready ? store.type : `${store.type}${glyphs.ellipsis}`, width),
    store.ready ? "plain" : "warn",
  );
}

function monitoringCell(proof: Service["monitoring"], width: number, glyphs: Glyphs): readonly Span[] {
  const looks = {
    proven: [glyphs.full, "good"],
    unproven: [glyphs.half, "warn"],
    broken: [glyphs.failed, "bad"],
    off: [glyphs.empty, "dim"],
  } as const;
  const [glyph, tone] = looks[proof.status];
  const word = cell(proof.status, width - 2);
  return [span(`${glyph} `, tone), span(word, proof.status === "broken" ? "bad" : "plain")];
}

function emptyView(
  { filters, columns }: Pick<Ui, "filters" | "columns">,
  fleet: Fleet,
  connection: Pick<Connection, "state" | "error" | "context">,
  glyphs: Glyphs,
): readonly Line[] {
  if (fleet.services.length > 0) {
    return message(
      `No service matches "${filterOf({ filters }, "services").entry.text}".`,
      "esc clears the filter.",
    );
  }
  if (connection.state === "failed") {
    return [
      ...message(
        `${glyphs.failed} ${connection.context}: ${connection.error ?? "it does not answer"}`,
        "",
        columns,
      ),
      ...message("ctrl-r tries again, C shows other contexts, q leaves.").slice(1),
    ];
  }
  if (fleet.error !== undefined)
    return message(`${glyphs.failed} ${fleet.error}`, "ctrl-r asks again.", columns);
  if (fleet.status === "loading")
    return message(`Reading the services of ${connection.context}${glyphs.ellipsis}`);
  return message(
    "No services yet. n makes one.",
    "One name and a few choices; the plan is shown before anything is written.",
  );
}
