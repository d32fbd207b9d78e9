import pLimit from "p-limit";
import type { ServiceName } from "../../src/application/names.ts";
import type { RunState } from "../../src/provisioning/run.ts";
import { readRun } from "../../src/provisioning/run-record.ts";
import { contradictions } from "./agreement.ts";
import type { KillPoint } from "./mortal.ts";
import type { Recovery, Subject } from "./operations.ts";
import { type Ground, type Made, type Seen, type Stage, services, withGround } from "./stage.ts";
import { normalised, objectsOf, runsOf, unequal } from "./survey.ts";

/** One engine's death, and what is done about it. */
export interface Kill extends KillPoint {
  readonly recovery: Recovery;
}

export interface Outcome {
  readonly kills: number;
  /** What was not as it has to be, a line each; empty where all was. */
  readonly problems: readonly string[];
}

/** Where engines live: see `inProcess`. */
export type OpenStage = (ground: Ground) => Stage;

/** The writes of the operation, each with its names, in the order of one undisturbed run. */
export async function writesOf(
  subject: Subject,
  open: OpenStage,
  made?: Made,
): Promise<readonly (readonly string[])[]> {
  return withGround(made, async (ground) => {
    const { writes } = await open(ground).undergo(subject, services.before);
    const { found } = await ground.survey();
    const phase = newest(subject, services.before, found)?.phase;
    if (phase !== subject.ends) throw new Error(`${subject.title} ended ${phase} undisturbed`);
    return writes;
  });
}

/**
 * Each write, before and after it, with one recovery in turn; `all`: with each recovery, and each event of the journal
 * for itself, in case it has a write of its own at another time.
 */
export function killsOf(
  writes: readonly (readonly string[])[],
  recoveries: readonly Recovery[],
  { all }: { readonly all: boolean },
): readonly Kill[] {
  const names = writes.flatMap((write) => (all ? write : write.slice(0, 1)));
  const points = names.flatMap((write) => [
    { write, time: "before" as const },
    { write, time: "after" as const },
  ]);
  return points.flatMap((point, index) => {
    // 0, 1, 1, 0: so that neither recovery meets only deaths before, or only after, a write.
    const turn = Math.floor((index + 1) / 2) % recoveries.length;
    return (all ? recoveries : recoveries.slice(turn, turn + 1)).map((recovery) => ({ ...point, recovery }));
  });
}

/** Kills an engine at each point, goes on as said, and compares with what no kill has touched. */
export async function suffer(
  subject: Subject,
  kills: readonly Kill[],
  open: OpenStage,
  made?: Made,
): Promise<Outcome> {
  const problems: string[] = [];
  for (let first = 0; first < kills.length; first += services.victims.length) {
    const together = kills.slice(first, first + services.victims.length);
    problems.push(...(await withGround(made, (ground) => sufferTogether(subject, together, open(ground)))));
  }
  return { kills: kills.length, problems };
}

/** A service's database and cache. */
const dataStores = 2;

interface Victim {
  readonly kill: Kill;
  readonly service: ServiceName;
}

async function sufferTogether(
  subject: Subject,
  kills: readonly Kill[],
  stage: Stage,
): Promise<readonly string[]> {
  const { before, after } = services;
  const victims = services.victims.flatMap((service, index): readonly Victim[] => {
    const kill = kills[index];
    return kill === undefined ? [] : [{ kill, service }];
  });
  const limit = pLimit(stage.atOnce);
  const problems: string[] = [];
  const blame = ({ kill, service }: Victim, texts: readonly string[]) => {
    const what = `killed ${kill.time} "${kill.write}", then ${kill.recovery} (${service})`;
    problems.push(...texts.map((text) => `${what}: ${text}`));
  };
  const each = (work: (victim: Victim) => Promise<void>) =>
    Promise.all(
      victims.map((victim) =>
        limit(() => work(victim).catch((error: unknown) => blame(victim, [String(error)]))),
      ),
    );

  await stage.undergo(subject, after);
  await each(async (victim) => {
    const { died } = await stage.undergo(subject, victim.service, victim.kill);
    if (!died) blame(victim, ["it was never killed"]);
  });
  const killed = await stage.survey();
  for (const victim of victims) blame(victim, contradictions(victim.service, killed.found, killed.told));

  await each(async ({ kill, service }) => {
    const run = newest(subject, service, killed.found);
    if (run !== undefined && !isOver(run, kill.recovery))
      await stage.recover(service, run.name, kill.recovery);
  });
  const ended = await stage.survey();
  for (const victim of victims) {
    blame(victim, [
      ...judged(subject, victim, { killed, ended }, { before, after }),
      ...contradictions(victim.service, ended.found, ended.told),
    ]);
  }
  return problems;
}

/** Whether an engine died so late that nothing was left to do. */
function isOver({ phase }: RunState, recovery: Recovery): boolean {
  return phase === "RolledBack" || (recovery === "resume" && phase === "Succeeded");
}

/** How a victim's end differs from that of a service nothing happened to. */
function judged(
  subject: Subject,
  { kill, service }: Victim,
  { killed, ended }: { readonly killed: Seen; readonly ended: Seen },
  { before, after }: { readonly before: ServiceName; readonly after: ServiceName },
): readonly string[] {
  const run = newest(subject, service, ended.found);
  // Killed before it had asked for a run: nothing has happened.
  const done = run !== undefined && (kill.recovery === "resume" || subject.ends === "RolledBack");
  const wanted = kill.recovery === "rollback" ? "RolledBack" : subject.ends;
  const options = { ownership: done };
  const left = normalised(service, ended.found, options);
  // Who asks for data to be destroyed is left a last snapshot of what was used.
  const snapshots = done ? [] : left.filter(({ key }) => key.startsWith("volumesnapshotcontents."));
  return [
    ...(run === undefined || run.phase === wanted
      ? []
      : [`it ended ${run.phase}: ${run.failure?.error.message ?? ""}`]),
    ...unequal(
      normalised(done ? after : before, ended.found, options),
      left.filter((entry) => !snapshots.includes(entry)),
    ),
    ...(snapshots.length > dataStores ? [`${snapshots.length} snapshots are left of ${dataStores}`] : []),
    ...(done ? remade(service, killed, ended) : []),
  ];
}

/** The run that was killed: a service's only one of the operation. */
function newest(subject: Subject, service: ServiceName, found: Seen["found"]): RunState | undefined {
  return runsOf(service, found)
    .map((object) => readRun(object).state)
    .find(({ operation }) => operation === subject.operation);
}

/** What was there when the engine died and was made a second time after it: credentials above all. */
function remade(service: ServiceName, killed: Seen, ended: Seen): readonly string[] {
  const later = new Map(objectsOf(service, ended.found));
  return objectsOf(service, killed.found).flatMap(([key, { metadata }]) => {
    const now = later.get(key);
    return now === undefined || now.metadata.uid === metadata.uid ? [] : [`${key} was made a second time`];
  });
}
