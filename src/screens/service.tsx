import { hasOwnNamespace } from "../application/service-ref.ts";
import { serviceText } from "../provisioning/runs/service-of-run.ts";
import { kubectlEdit, notByRun } from "../services/by-kubectl.ts";
import type { Service as ServiceRow } from "../services/service.ts";
import { serviceHeadLines } from "../state/lists.ts";
import { type Place, serviceTabs } from "../state/place.ts";
import { serviceAt } from "../state/service-list.ts";
import type { DetailRow } from "../state/stores.ts";
import { useApp, useStored } from "./components/context.ts";
import { useCursor } from "./components/cursor.ts";
import { Frame, message } from "./components/frame.tsx";
import { Rows } from "./components/rows.tsx";
import { cell, clip, type Line, line, span, widthOf, wrap, wrapCommand } from "./line.ts";
import { lastRunLook } from "./looks.ts";
import { releasesView } from "./releases.ts";
import { runsTable } from "./runs.tsx";
import type { Glyphs, Tone } from "./theme.ts";
import { age } from "./time.ts";

type ServicePlace = Place & { readonly screen: "service" };

/** One service, in tabs. */
export function Service({ place }: { readonly place: ServicePlace }) {
  const { theme } = useApp();
  const { ui, height, index, top } = useCursor(place);
  const fleet = useStored((stores) => stores.fleet);
  const detail = useStored((stores) => stores.detail);
  const runs = useStored((stores) => stores.runs);
  const holders = useStored(
    (stores) => stores.openRuns,
    (state) => state.holders,
  );
  const releases = useStored((stores) => stores.releases);
  const now = useStored(
    (stores) => stores.ticking,
    (state) => state.now,
  );
  const service = serviceAt(fleet.services, place.service);
  const withoutRuns = service !== undefined && notByRun(service, "edit") !== undefined;
  const room = height - serviceHeadLines + 1;
  const { glyphs } = theme;
  const view = { index, top, height: room, columns: ui.columns, now, glyphs };
  const against = ui.markedRelease?.service === place.service ? ui.markedRelease.number : undefined;
  const body = () => {
    if (place.tab === "overview") return overview(service, place.service, fleet.status, view);
    if (place.tab === "releases") {
      if (withoutRuns) return message("No releases.", "Runs make them, and no run changes it.");
      return releases.of === place.service && (releases.releases.length > 0 || releases.error === undefined)
        ? releasesView(releases, { ...view, against })
        : message(releases.error ?? `Reading the releases${glyphs.ellipsis}`);
    }
    if (place.tab === "runs") {
      const own = runs.runs.filter((run) => serviceText(run) === place.service);
      if (own.length > 0) return runsTable(own, { ...view, holders, ofOneService: true });
      return message(
        runs.error ?? (runs.status === "loading" ? `Reading the runs${glyphs.ellipsis}` : "No runs."),
        withoutRuns ? "No run changes what was applied with kubectl." : "",
      );
    }
    const current = detail.of === `${place.service}/${place.tab}` ? detail : undefined;
    if (current?.error !== undefined && current.rows.length === 0) {
      return message(`${glyphs.failed} ${current.error}`, "ctrl-r asks again.");
    }
    if (current === undefined || current.status === "loading") return message(`Reading${glyphs.ellipsis}`);
    return tabBody(place, current.rows, service, view);
  };
  return (
    <Frame summary={service === undefined ? [] : verdictSpans(service, glyphs)}>
      <Rows height={height} lines={[tabLine(place, glyphs), [], ...body()]} />
    </Frame>
  );
}

interface TabView {
  readonly index: number;
  readonly top: number;
  readonly height: number;
  readonly columns: number;
  readonly now: number;
  readonly glyphs: Glyphs;
}

function verdictSpans({ verdict }: ServiceRow, glyphs: Glyphs): Line {
  const looks = {
    failed: [glyphs.failed, "bad"],
    degraded: [glyphs.warning, "warn"],
    working: [glyphs.working, "accent"],
    healthy: [glyphs.ok, "good"],
    kept: [glyphs.full, "dim"],
  } as const;
  const [glyph, tone] = looks[verdict];
  return [span(`${glyph} ${verdict}`, tone)];
}

function tabLine(place: ServicePlace, glyphs: Glyphs): Line {
  return serviceTabs.flatMap((tab, index) => [
    span(tab === place.tab ? ` ${glyphs.bar}` : "  ", "accent"),
    span(`${index + 1} `, "dim"),
    span(tab === "yaml" ? "YAML" : tab, tab === place.tab ? "accent" : "dim"),
  ]);
}

function overview(
  service: ServiceRow | undefined,
  name: string,
  status: "loading" | "ready",
  { columns, now, glyphs }: TabView,
): readonly Line[] {
  if (service === undefined) {
    return status === "loading"
      ? message(`Reading${glyphs.ellipsis}`)
      : message(`There is no service ${name} any more.`, "esc goes back.");
  }
  const { replicas, database, cache, monitoring, lastRun } = service;
  const store = (of: ServiceRow["database"]) =>
    of.type === "none" ? glyphs.none : `${of.type}, ${of.ready ? "ready" : "not ready"}`;
  const run = lastRun && lastRunLook(lastRun);
  const proof = "reason" in monitoring ? `${monitoring.status}: ${monitoring.reason}` : monitoring.status;
  const targets = monitoring.status === "proven" ? `, ${monitoring.targets} targets up` : "";
  const fields: readonly (readonly [string, string, Tone])[] = [
    ["Namespace", service.namespace, "plain"],
    ["Team", service.team, "plain"],
    [
      "Ready",
      replicas === undefined ? glyphs.none : `${replicas.ready} of ${replicas.wanted}`,
      replicas !== undefined && replicas.ready < replicas.wanted ? "warn" : "plain",
    ],
    ["Image", service.image === "" ? glyphs.none : service.image, "plain"],
    ...(service.starter
      ? ([["", "the starter image, until the pipeline has pushed one", "dim"]] as const)
      : []),
    ["Database", store(database), "plain"],
    ["Cache", store(cache), "plain"],
    ["Monitoring", proof + targets, monitoring.status === "broken" ? "bad" : "plain"],
    [
      "Last run",
      run === undefined ? glyphs.none : `${run.word}, ${age(lastRun?.at, now)} ago   ${lastRun?.name ?? ""}`,
      run?.tone ?? "dim",
    ],
    ["Age", age(service.createdAt, now), "plain"],
  ];
  const reason =
    service.reason === ""
      ? []
      : [...wrap(service.reason, columns - 8, 3).map((text) => line(`   ${text}`, "warn")), []];
  return [
    ...reason,
    ...fields.map(([label, text, tone]): Line => [span(`   ${label.padEnd(13)}`, "dim"), span(text, tone)]),
    ...kubectlLines(service, columns),
  ];
}

/** How a service that no run changes is changed and deleted. */
function kubectlLines(service: ServiceRow, columns: number): readonly Line[] {
  if (service.kind === "namespace" || hasOwnNamespace(service) || service.verdict === "kept") return [];
  return [
    [],
    line("   It was applied with kubectl, and is changed so; ctrl-d deletes it.", "dim"),
    ...wrapCommand(kubectlEdit(service), columns - 6).map((text) => line(`   ${text}`, "accent")),
  ];
}

function tabBody(
  place: ServicePlace,
  rows: readonly DetailRow[],
  service: ServiceRow | undefined,
  view: TabView,
): readonly Line[] {
  const visible = rows.slice(
    view.top,
    view.top + view.height - (place.tab === "logs" || place.tab === "yaml" ? 0 : 1),
  );
  const bar = (offset: number) =>
    span(view.top + offset === view.index ? ` ${view.glyphs.bar} ` : "   ", "accent");
  const { columns, now, glyphs } = view;
  switch (place.tab) {
    case "pods": {
      if (rows.length === 0) return message("No pods.", "A service without pods runs nothing: see events.");
      const width = Math.min(Math.max(...rows.map(({ cells }) => widthOf(cells[0] ?? ""))), columns - 50);
      return [
        line(`   ${cell("POD", width)}  READY  ${cell("STATE", 18)}  RESTARTS   AGE  NODE`, "dim"),
        ...visible.map(({ cells, tone }, offset): Line => {
          const [name = "", ready = "", state = "", restarts = "", created, node = "", why = ""] = cells;
          return [
            bar(offset),
            span(cell(name, width), "plain"),
            span(`  ${cell(ready, 5, "right")}  `),
            span(cell(state, 18), tone),
            span(`  ${cell(restarts, 8, "right")}  ${cell(age(created, now), 4, "right")}  `),
            span(why === "" ? node : why, "dim"),
          ];
        }),
      ];
    }
    case "events":
      if (rows.length === 0) return message("No events.", "Clusters keep them for an hour.");
      return [
        line(`   ${cell("AGE", 4, "right")}  ${cell("REASON", 16)}  ${cell("OBJECT", 20)}  MESSAGE`, "dim"),
        ...visible.map(({ cells, tone }, offset): Line => {
          const [at, reason = "", about = "", text = ""] = cells;
          return [
            bar(offset),
            span(`${cell(age(at, now), 4, "right")}  `, "dim"),
            span(cell(reason, 16), tone),
            span(`  ${cell(about, 20)}  `, "dim"),
            span(text),
          ];
        }),
      ];
    case "monitoring": {
      const proof = service?.monitoring;
      const said =
        proof === undefined
          ? ""
          : "reason" in proof
            ? `${proof.status}: ${proof.reason}`
            : proof.status === "off"
              ? "off: the service takes no requests and exposes no metrics"
              : `proven: Prometheus scrapes ${proof.targets} ${proof.targets === 1 ? "target" : "targets"}`;
      return [
        ...wrap(said, columns - 6, 3).map((text) =>
          line(`   ${text}`, proof?.status === "broken" ? "bad" : "plain"),
        ),
        [],
        ...visible.map(({ cells, tone }, offset): Line => {
          const [health = "", what = "", why = ""] = cells;
          return [
            bar(offset),
            span(cell(health, 8), tone),
            span(`  ${what}`),
            span(why === "" ? "" : `  ${why}`, "dim"),
          ];
        }),
        ...(rows.length === 0 ? [line("   Prometheus knows no target of it.", "dim")] : []),
      ];
    }
    case "logs":
      if (rows.length === 0) return message("Nothing is logged.", "Lines appear here as they are written.");
      return visible.map(({ cells, tone }) =>
        line(`   ${clip(cells[0] ?? "", columns - 4, glyphs.ellipsis)}`, tone),
      );
    case "yaml":
      return visible.map(({ cells }) => yamlLine(cells[0] ?? ""));
    default:
      return [];
  }
}

/** A line of YAML: its key stands out. */
function yamlLine(text: string): Line {
  const key = /^(\s*(?:- )?)([^\s:][^:]*:)(.*)$/.exec(text);
  if (key === null) return line(`   ${text}`);
  const [, indent = "", name = "", value = ""] = key;
  return [span(`   ${indent}`), span(name, "accent"), span(value)];
}
