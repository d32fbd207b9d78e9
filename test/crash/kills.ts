import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { type ServiceName, serviceNameSchema } from "../../src/application/names.ts";
import { connect } from "../../src/cluster/connect.ts";
import { runCommands } from "../../src/commands/program.ts";
import type { SandboxAccess } from "../../src/connection.ts";
import type { RunName, RunState } from "../../src/provisioning/run.ts";
import { readRun } from "../../src/provisioning/run-record.ts";
import { openSandbox } from "../../src/sandbox/open.ts";
import { composition } from "../provisioning/composition.ts";
import { memoryTerminal } from "../unit/commands/memory-terminal.ts";
import { contradictions, type Told, toldBy } from "./agreement.ts";
import { hurriedClock } from "./hurried-clock.ts";
import { type KillPoint, Mortal } from "./mortal.ts";
import type { Recovery, Subject } from "./operations.ts";
import { normalised, objectsOf, runsOf, survey, unequal } from "./survey.ts";

/** One engine's death, and what is done about it. */
export interface Kill extends KillPoint {
  readonly recovery: Recovery;
}

export interface Outcome {
  readonly kills: number;
  /** What was not as it has to be, a line each; empty where all was. */
  readonly problems: readonly string[];
}

/** Services that are worked on at the same time. */
const atOnce = 10;
/** Kills that share one sandbox. */
const perSandbox = 40;
/** How many times as fast as life the engines' clocks run: a dead holder's Lease runs out in 2.5 seconds. */
const clockSpeed = 4;

/** The writes of the operation, in the order of one undisturbed run. */
export async function writesOf(subject: Subject): Promise<readonly string[]> {
  return withStage(async (stage) => {
    const service = serviceNameSchema.parse("undisturbed");
    await subject.prepare(stage.engine(), service);
    const life = new Mortal(service);
    const state = await (await subject.begin(stage.engine(life), service)).finished;
    if (state.phase !== subject.ends) throw new Error(`${subject.title} ended ${state.phase} undisturbed`);
    return life.writes;
  });
}

/** Each write, before and after it, with each recovery or, where `all` is not asked for, with one in turn. */
export function killsOf(
  writes: readonly string[],
  recoveries: readonly Recovery[],
  { all }: { readonly all: boolean },
): readonly Kill[] {
  const points = writes.flatMap((write) => [
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
export async function suffer(subject: Subject, kills: readonly Kill[]): Promise<Outcome> {
  const problems: string[] = [];
  for (let first = 0; first < kills.length; first += perSandbox) {
    problems.push(...(await sufferTogether(subject, kills.slice(first, first + perSandbox))));
  }
  return { kills: kills.length, problems };
}

interface Victim {
  readonly kill: Kill;
  readonly service: ServiceName;
}

async function sufferTogether(subject: Subject, kills: readonly Kill[]): Promise<readonly string[]> {
  return withStage(async (stage) => {
    const victims: readonly Victim[] = kills.map((kill, index) => ({ kill, service: named(`victim${index}`) }));
    const [before, after] = [named("before0"), named("after0")];
    const limit = pLimit(atOnce);
    const each = <T>(work: (victim: Victim) => Promise<T>) =>
      Promise.all(victims.map((victim) => limit(() => work(victim))));
    const problems: string[] = [];
    const blame = ({ kill, service }: Victim, texts: readonly string[]) =>
      problems.push(
        ...texts.map((text) => `killed ${kill.time} "${kill.write}", then ${kill.recovery} (${service}): ${text}`),
      );

    await Promise.all(
      [before, after, ...victims.map(({ service }) => service)].map((service) =>
        limit(() => subject.prepare(stage.engine(), service)),
      ),
    );
    await (await subject.begin(stage.engine(), after)).finished;
    await each(async (victim) => {
      const life = new Mortal(victim.service, victim.kill);
      const end = subject.begin(stage.engine(life), victim.service).then(({ finished }) => finished);
      const survived = await Promise.race([life.died, end]);
      if (survived !== undefined) blame(victim, [`it was never killed: its run ended ${survived.phase}`]);
    });

    const killed = await stage.survey();
    for (const victim of victims) blame(victim, contradictions(victim.service, killed.found, killed.told));

    // All at once: each begins with a wait for the dead holder's Lease.
    await Promise.all(victims.map(async (victim) => {
      try {
        const run = newest(subject, runsOf(victim.service, killed.found).map((object) => readRun(object).state));
        const state = run && (await recover(stage, victim, run));
        const wanted = victim.kill.recovery === "rollback" ? "RolledBack" : subject.ends;
        if (state !== undefined && state.phase !== wanted) {
          blame(victim, [`it ended ${state.phase}: ${state.failure?.error.message ?? ""}`]);
        }
      } catch (error) {
        blame(victim, [String(error)]);
      }
    }));

    const ended = await stage.survey();
    for (const victim of victims) {
      const begun = newest(subject, runsOf(victim.service, killed.found).map((object) => readRun(object).state));
      const done = begun !== undefined && (victim.kill.recovery === "resume" || subject.ends === "RolledBack");
      const reference = done ? after : before;
      blame(victim, [
        ...unequal(normalised(reference, ended.found), normalised(victim.service, ended.found)),
        ...contradictions(victim.service, ended.found, ended.told),
        ...remade(victim.service, killed, ended, done),
      ]);
    }
    return problems;
  });
}

/** The run that was killed: a service's newest of the operation. */
function newest(subject: Subject, runs: readonly RunState[]): RunState | undefined {
  return runs.find(({ operation }) => operation === subject.operation);
}

async function recover(
  stage: Stage,
  { kill }: Victim,
  { name, phase }: { readonly name: RunName; readonly phase: RunState["phase"] },
): Promise<RunState> {
  const engine = stage.engine();
  const over = phase === "RolledBack" || (kill.recovery === "resume" && phase === "Succeeded");
  if (over) return engine.get(name);
  const execution =
    kill.recovery === "resume"
      ? await engine.retry(name, { onFailure: "hold" })
      : await engine.rollback(name, { dataStores: "delete" });
  return execution.finished;
}

interface Seen {
  readonly found: Awaited<ReturnType<typeof survey>>;
  readonly told: Told;
}

/** What was there when the engine died and was made a second time after it: credentials above all. */
function remade(service: ServiceName, killed: Seen, ended: Seen, forward: boolean): readonly string[] {
  if (!forward) return [];
  const later = new Map(objectsOf(service, ended.found));
  return objectsOf(service, killed.found).flatMap(([key, { metadata }]) => {
    const now = later.get(key);
    return now === undefined || now.metadata.uid === metadata.uid ? [] : [`${key} was made a second time`];
  });
}

function named(name: string): ServiceName {
  return serviceNameSchema.parse(`${name}x`);
}

interface Stage {
  /** A new process, as far as the product can tell, or the one that lives this life. */
  engine(life?: Mortal): ReturnType<Awaited<ReturnType<typeof composition>>["provisioner"]>;
  survey(): Promise<Seen>;
}

/** A sandbox of its own, and engines that share nothing but it and the folder of repositories. */
async function withStage<T>(work: (stage: Stage) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "platform-crash-"));
  const repositories = join(folder, "repositories");
  const sandbox = await openSandbox({ folder: join(folder, "cluster"), speed: 100 });
  const cluster = await connect({ kind: "endpoint", ...sandbox, context: "sandbox", simulated: true });
  try {
    const made = await composition(cluster, repositories);
    const clock = hurriedClock(clockSpeed);
    let engines = 0;
    return await work({
      engine(life) {
        engines += 1;
        const holder = `engine${engines}@here:${engines}`;
        if (life === undefined) return made.provisioner({ holder, clock });
        return made.provisioner({
          holder,
          clock: life.clock(clock),
          cluster: life.cluster(cluster),
          codeHost: life.codeHost(made.codeHost),
        });
      },
      async survey() {
        const access: SandboxAccess = {
          folder,
          repositories,
          open: async () => ({ ...sandbox, close: async () => {} }),
          serve: () => Promise.reject(new Error("not served")),
        };
        const [found, runs, services] = await Promise.all([
          survey(cluster, repositories),
          json(access, "run", "list"),
          json(access, "service", "list"),
        ]);
        return { found, told: toldBy(runs, services) };
      },
    });
  } finally {
    await cluster.close();
    await sandbox.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the command line says, in this process. */
async function json(sandbox: SandboxAccess, ...words: readonly string[]): Promise<string> {
  const terminal = memoryTerminal();
  const code = await runCommands(["--sandbox", ...words, "-o", "json"], { terminal, sandbox, version: "0" });
  if (code !== 0) throw new Error(`${words.join(" ")} ended ${code}: ${terminal.written.err}`);
  return terminal.written.out;
}

