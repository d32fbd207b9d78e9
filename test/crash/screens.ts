import { setTimeout as delay } from "node:timers/promises";
import type { ServiceName } from "../../src/application/names.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { prometheus } from "../../src/monitoring/prometheus.ts";
import { atRest } from "../../src/provisioning/engine/decide.ts";
import type { RunPhase, RunState, StepPhase } from "../../src/provisioning/runs/run.ts";
import { readRun } from "../../src/provisioning/runs/run-record.ts";
import { feedFleet } from "../../src/state/feeds/fleet.ts";
import type { Place } from "../../src/state/place.ts";
import { entryOf } from "../../src/state/text-entry.ts";
import { type Composition, impatient, testStandards } from "../provisioning/composition.ts";
import { open } from "../unit/screens/terminal.ts";
import { runsOf, type Survey } from "./survey.ts";

/** What a row says of a run's phase; a finished operation is told in its own words. */
const phaseWords: Readonly<Record<RunPhase, RegExp>> = {
  Pending: /pending/,
  Running: /creating|scaling|deploying|changing|taking back|deleting|cleaning up/,
  Held: /held/,
  Interrupted: /stopped/,
  Succeeded: /created|scaled|deployed|changed|taken back|deleted|cleaned up/,
  RollingBack: /rolling back/,
  RolledBack: /rolled back/,
  RollbackFailed: /rollback failed/,
  Refused: /refused/,
};

/** The sign before a step. */
const stepSigns: Readonly<Record<StepPhase, string>> = {
  Waiting: "·",
  Running: "◆",
  Retrying: "▲",
  Succeeded: "✔",
  Skipped: "○",
  Failed: "✖",
  Compensating: "◆",
  Compensated: "○",
  CompensationFailed: "✖",
};

/**
 * Longest time for a screen to agree, in milliseconds: it asks again and again by itself, and where many runs look as
 * if they were going, it looks for their holders in turn.
 */
const patience = 60_000;

/**
 * Where the app contradicts the journal, opened anew on a wide terminal by somebody who looks at these services' runs:
 * the list of runs, the screen of a run with its steps, and the list of services. Nobody works on any of the runs.
 */
export async function screenContradictions(
  { cluster, composed }: { readonly cluster: Cluster; readonly composed: Composition },
  services: readonly ServiceName[],
  found: Survey,
): Promise<readonly string[]> {
  const app = open({
    columns: 200,
    rows: 120,
    fleet: feedFleet,
    useCases: {
      cluster,
      standards: testStandards,
      provisioner: composed.provisioner(),
      metrics: prometheus(cluster, testStandards),
      clock: impatient,
    },
  });
  /** What is wrong with a place once it has had its time. */
  const at = async (place: Place, wrong: (lines: readonly string[]) => readonly string[], filter = "") => {
    const filters = { [place.screen]: { entry: entryOf(filter), editing: false } };
    app.session.setUi((ui) => ({ ...ui, stack: [{ screen: "services" }, place], filters }));
    const end = Date.now() + patience;
    for (;;) {
      const lines = (await app.screen()).split("\n");
      const problems = wrong(lines);
      if (problems.length === 0 || Date.now() > end) return problems;
      await delay(50);
      // Its stores hold back what changes too fast until their timers say so.
      app.hands.pass(100);
    }
  };
  const runs = services.flatMap((service) => runsOf(service, found).map((object) => readRun(object).state));
  const listed = await composed.provisioner().list();
  const newest = services.flatMap((service) => {
    const name = listed.find((run) => run.service === service)?.name;
    return runs.filter((run) => run.name === name);
  });
  const problems: string[] = [];
  try {
    for (const service of services) {
      const of = (all: readonly RunState[]) => all.filter((run) => run.service === service);
      const inList = (lines: readonly string[]) => of(runs).flatMap((run) => wrongInList(run, lines));
      const inFleet = (lines: readonly string[]) => of(newest).flatMap((run) => wrongInFleet(run, lines));
      // Others' services may be on the same cluster, more of them than a screen has rows.
      problems.push(...(await at({ screen: "runs" }, inList, service)));
      problems.push(...(await at({ screen: "services" }, inFleet, service)));
    }
    for (const run of runs) {
      const place: Place = { screen: "run", run: run.name, title: run.operation };
      problems.push(...(await at(place, (lines) => wrongInRun(run, lines))));
    }
  } finally {
    app.close();
  }
  return problems;
}

/** The word for a run that looks as if it was going, and that nobody works on. */
const gone = /holder gone/;

function wrongInList(run: RunState, lines: readonly string[]): readonly string[] {
  const row = lines.find((line) => line.includes(run.name));
  if (row === undefined) return [`the list of runs has no ${run.name}`];
  const done = run.steps.filter(({ phase }) => phase === "Succeeded").length;
  const words = atRest(run) ? phaseWords[run.phase] : gone;
  const steps = run.steps.length === 0 ? "" : `${done}/${run.steps.length} `;
  return words.test(row) && row.includes(steps)
    ? []
    : [`${run.name} is ${run.phase}, ${steps}done: "${row}"`];
}

function wrongInFleet(run: RunState, lines: readonly string[]): readonly string[] {
  // Not the line that says what the list is filtered by.
  const row = lines.find((line) => line.includes(` ${run.service} `));
  // Without a namespace it is no service any more. That nobody works on a run is found out after a while.
  if (row === undefined || phaseWords[run.phase].test(row) || (!atRest(run) && gone.test(row))) return [];
  return [`the last run of ${run.service} is ${run.phase}: "${row}"`];
}

function wrongInRun(run: RunState, lines: readonly string[]): readonly string[] {
  const rows = lines.filter((line) => line !== "");
  const steps = run.steps.flatMap(({ title, phase }) => {
    const row = rows.find((line) => line.includes(` ${title} `) || line.endsWith(` ${title}`));
    return row?.includes(`${stepSigns[phase]} ${title}`)
      ? []
      : [`step ${title} of ${run.name} is ${phase}: "${row ?? rows.join("\n")}"`];
  });
  const nobody =
    run.holder === ""
      ? ["nobody executes it yet", "no operator has begun with it"]
      : [`${run.holder} executed it and is gone`];
  const says = atRest(run) || rows.some((row) => nobody.some((words) => row.includes(words)));
  return [
    ...steps,
    ...(says
      ? []
      : [`nobody works on ${run.name}, and its screen does not say so: ${rows.slice(0, 4).join("\n")}`]),
  ];
}
