import { setTimeout as delay } from "node:timers/promises";
import pLimit from "p-limit";
import type { ServiceName } from "../../src/application/names.ts";
import { ProvisioningError } from "../../src/provisioning/errors.ts";
import type { RunState } from "../../src/provisioning/runs/run.ts";
import { readRun } from "../../src/provisioning/runs/run-record.ts";
import { contradictions } from "./agreement.ts";
import type { KillPoint } from "./mortal.ts";
import type { Recovery, Subject } from "./operations.ts";
import { perStage, type Seen, type Stage } from "./stage.ts";
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

/** Opens a stage of its own for the work; `prepared`: with this many victims there and the two others, where it makes them anew. */
export type Arena = <T>(work: (stage: Stage) => Promise<T>, prepared: number) => Promise<T>;

/** The writes of the operation, each with its names, in the order of one undisturbed run. */
export async function writesOf(subject: Subject, arena: Arena): Promise<readonly (readonly string[])[]> {
  return arena(async (stage) => {
    const { before } = stage.services;
    const { writes } = await stage.undergo(subject, before);
    const { found } = await stage.survey();
    const phase = newest(subject, before, found)?.phase;
    if (phase !== subject.ends) throw new Error(`${subject.title} ended ${phase} undisturbed`);
    return writes;
  }, 0);
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

/** One service's share: its engine is killed, and sometimes the engine that goes on is killed too. */
interface Trial {
  readonly kill: Kill;
  readonly second?: Kill | undefined;
}

/**
 * Kills engines at each point, goes on as said, and compares with what no kill has touched. Where the second of two
 * kills of one run did not come to pass, because its write was done before the first, it gets a run of its own.
 */
export async function suffer(subject: Subject, kills: readonly Kill[], arena: Arena): Promise<Outcome> {
  const problems: string[] = [];
  const left = [...paired(subject, kills)];
  while (left.length > 0) {
    const together = left.splice(0, perStage);
    const { problems: found, missed } = await arena(
      (stage) => sufferTogether(subject, together, stage),
      together.length,
    );
    problems.push(...found);
    left.push(...missed.map((kill) => ({ kill })));
  }
  return { kills: kills.length, problems };
}

/** An early and a late kill of one run each, where the run goes on the way it was going after the first. */
function paired(subject: Subject, kills: readonly Kill[]): readonly Trial[] {
  const onwards = kills.filter(({ recovery }) => recovery === "resume" || subject.ends === "RolledBack");
  const half = Math.ceil(onwards.length / 2);
  return [
    ...kills.filter((kill) => !onwards.includes(kill)).map((kill) => ({ kill })),
    ...onwards.slice(0, half).map((kill, index) => ({ kill, second: onwards[half + index] })),
  ];
}

/** Services whose runs are looked at in the app, of those that are killed on one stage. */
const lookedAt = 4;

/** A service's database and cache. */
const dataStores = 2;

interface Victim extends Trial {
  readonly service: ServiceName;
}

/** What cannot be brought back is not rolled back: the run can only be finished. */
function isPastReturn(error: unknown): boolean {
  return error instanceof ProvisioningError && error.message.includes("has deleted data");
}

interface Suffered {
  readonly problems: readonly string[];
  /** Second kills that did not come to pass. */
  readonly missed: readonly Kill[];
}

async function sufferTogether(subject: Subject, trials: readonly Trial[], stage: Stage): Promise<Suffered> {
  const { before, after, victims: names } = stage.services;
  const victims = names.flatMap((service, index): readonly Victim[] => {
    const trial = trials[index];
    return trial === undefined ? [] : [{ ...trial, service }];
  });
  const limit = pLimit(stage.atOnce);
  const problems: string[] = [];
  const missed: Kill[] = [];
  const blame = ({ kill, second, service }: Victim, texts: readonly string[]) => {
    const kills = [kill, ...(second === undefined ? [] : [second])];
    const what = kills.map(({ time, write, recovery }) => `killed ${time} "${write}", then ${recovery}`);
    problems.push(...texts.map((text) => `${what.join(", ")} (${service}): ${text}`));
  };
  const each = async (work: (victim: Victim) => Promise<void>): Promise<Seen> => {
    await Promise.all(
      victims.map((victim) =>
        limit(() => work(victim).catch((error: unknown) => blame(victim, [String(error)]))),
      ),
    );
    const seen = await stage.survey();
    for (const victim of victims) blame(victim, contradictions(victim.service, seen.found, seen.told));
    return seen;
  };

  await stage.undergo(subject, after);
  const killed = await each(async (victim) => {
    const { died } = await stage.undergo(subject, victim.service, victim.kill);
    if (!died) blame(victim, ["it was never killed"]);
  });
  const looked = victims.filter((_, index) => index % Math.ceil(victims.length / lookedAt) === 0);
  const contradicted = await stage.screens(
    looked.map(({ service }) => service),
    killed.found,
  );
  problems.push(...contradicted.map((problem) => `the app, after kills: ${problem}`));
  const again = victims.every(({ second }) => second === undefined)
    ? killed
    : await each(async ({ kill, second, service }) => {
        if (second === undefined) return;
        const run = newest(subject, service, killed.found);
        const way = run === undefined ? undefined : wayOn(subject, run, kill.recovery);
        const { died } =
          run === undefined || way === undefined
            ? { died: false }
            : await stage.recover(service, run.name, way, second);
        if (!died) missed.push(second);
      });
  const finished = new Set<ServiceName>();
  const ended = await each(async ({ kill, second = kill, service }) => {
    const run = newest(subject, service, again.found);
    const way = run === undefined ? undefined : wayOn(subject, run, second.recovery);
    if (run === undefined || way === undefined) return;
    try {
      await stage.recover(service, run.name, way);
    } catch (error) {
      if (!isPastReturn(error)) throw error;
      finished.add(service);
      if (run.phase !== "Succeeded") await stage.recover(service, run.name, "resume");
    }
  });
  const asFinished = (victim: Victim): Victim =>
    finished.has(victim.service) ? { ...victim, kill: { ...victim.kill, recovery: "resume" } } : victim;
  const judge = (seen: Seen) =>
    victims.map(
      (victim) =>
        [victim, judged(subject, asFinished(victim), { killed, ended: seen }, { before, after })] as const,
    );
  let verdicts = judge(ended);
  // Controllers may still be at work on what the runs have left to them.
  for (let pause = 500; pause < 20_000 && verdicts.some(([, found]) => found.length > 0); pause *= 2) {
    await delay(pause);
    verdicts = judge(await stage.survey());
  }
  for (const [victim, found] of verdicts) blame(victim, found);
  return { problems, missed };
}

/** How somebody goes on with a run; undefined where its engine died so late that nothing was left to do. */
function wayOn(subject: Subject, { phase }: RunState, recovery: Recovery): Recovery | undefined {
  if (phase === "RolledBack") return undefined;
  if (phase !== "Succeeded") return recovery;
  // An engine that died before it had begun a rollback has left nothing to resume: it is asked for again.
  return subject.ends === "RolledBack" || recovery === "rollback" ? "rollback" : undefined;
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
      : [
          `it ended ${run.phase}: ${run.steps.flatMap(({ error }) => (error === undefined ? [] : [error.message])).join("; ")}`,
        ]),
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
