import { cp, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { type ServiceName, serviceNameSchema } from "../../src/application/names.ts";
import { connect } from "../../src/cluster/connect.ts";
import { runCommands } from "../../src/commands/program.ts";
import type { SandboxAccess } from "../../src/connection.ts";
import type { Provisioner } from "../../src/provisioning/provisioner.ts";
import type { RunName, RunState } from "../../src/provisioning/run.ts";
import { readRun } from "../../src/provisioning/run-record.ts";
import { openSandbox } from "../../src/sandbox/open.ts";
import { composition, impatient } from "../provisioning/composition.ts";
import { memoryTerminal } from "../unit/commands/memory-terminal.ts";
import { contradictions, type Told, toldBy } from "./agreement.ts";
import { type KillPoint, Mortal } from "./mortal.ts";
import { prepared, type Recovery, type Subject } from "./operations.ts";
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

/** Services that are worked on at the same time: more keep the simulated controllers from their deadlines. */
const atOnce = 8;
/** Services that share one sandbox. */
const perSandbox = 40;

/** Services of one sandbox: those that are killed, and two that are not. */
const services = {
  before: named("before"),
  after: named("after"),
  victims: Array.from({ length: perSandbox }, (_, index) => named(`victim${index}`)),
};

/** The writes of the operation, each with its names, in the order of one undisturbed run. */
export async function writesOf(subject: Subject, made?: Made): Promise<readonly (readonly string[])[]> {
  return withStage(made, async (stage) => {
    const life = new Mortal(services.before);
    const state = await (await subject.begin(stage.engine(life), services.before)).finished;
    if (state.phase !== subject.ends) throw new Error(`${subject.title} ended ${state.phase} undisturbed`);
    return life.writes;
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
export async function suffer(subject: Subject, kills: readonly Kill[], made?: Made): Promise<Outcome> {
  const problems: string[] = [];
  for (let first = 0; first < kills.length; first += perSandbox) {
    problems.push(...(await sufferTogether(subject, kills.slice(first, first + perSandbox), made)));
  }
  return { kills: kills.length, problems };
}

/** A stopped sandbox to begin from, in which all the services are there. One stage at a time can. */
export interface Made {
  readonly cluster: string;
  readonly repositories: string;
  /** Where a stage has its repositories: journals name them by this path. */
  readonly liveRepositories: string;
  remove(): Promise<void>;
}

/** Creates the services once, for all operations on what exists. */
export async function makeServices(): Promise<Made> {
  const folder = await mkdtemp(join(tmpdir(), "platform-crash-made-"));
  const live = { cluster: join(folder, "cluster"), repositories: join(folder, "live") };
  await onStage(live, async (stage) => {
    const limit = pLimit(atOnce);
    const all = [services.before, services.after, ...services.victims];
    await Promise.all(all.map((service) => limit(() => prepared(stage.engine(), service))));
  });
  const repositories = join(folder, "repositories");
  await rename(live.repositories, repositories);
  return {
    cluster: live.cluster,
    repositories,
    liveRepositories: live.repositories,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

interface Victim {
  readonly kill: Kill;
  readonly service: ServiceName;
}

async function sufferTogether(
  subject: Subject,
  kills: readonly Kill[],
  made: Made | undefined,
): Promise<readonly string[]> {
  return withStage(made, async (stage) => {
    const victims = services.victims.flatMap((service, index): readonly Victim[] => {
      const kill = kills[index];
      return kill === undefined ? [] : [{ kill, service }];
    });
    const { before, after } = services;
    const limit = pLimit(atOnce);
    const each = <T>(work: (victim: Victim) => Promise<T>) =>
      Promise.all(victims.map((victim) => limit(() => work(victim))));
    const problems: string[] = [];
    const blame = ({ kill, service }: Victim, texts: readonly string[]) =>
      problems.push(
        ...texts.map(
          (text) => `killed ${kill.time} "${kill.write}", then ${kill.recovery} (${service}): ${text}`,
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

    await each(async (victim) => {
      try {
        const run = newest(
          subject,
          runsOf(victim.service, killed.found).map((object) => readRun(object).state),
        );
        const state = run && (await recover(stage, victim, run));
        const wanted = victim.kill.recovery === "rollback" ? "RolledBack" : subject.ends;
        if (state !== undefined && state.phase !== wanted) {
          blame(victim, [`it ended ${state.phase}: ${state.failure?.error.message ?? ""}`]);
        }
      } catch (error) {
        blame(victim, [String(error)]);
      }
    });

    const ended = await stage.survey();
    for (const victim of victims) {
      const begun = newest(
        subject,
        runsOf(victim.service, killed.found).map((object) => readRun(object).state),
      );
      const done =
        begun !== undefined && (victim.kill.recovery === "resume" || subject.ends === "RolledBack");
      const reference = done ? after : before;
      blame(victim, [
        ...unequal(
          normalised(reference, ended.found, { ownership: done }),
          normalised(victim.service, ended.found, { ownership: done }),
        ),
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

/** Goes on with a run in a new engine, as a person would who was told its phase. */
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
      ? await engine.resume(name, { onFailure: "hold" })
      : await engine.rollback(name, {
          dataStores: "delete",
          confirmed: (await engine.get(name)).service,
        });
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
  engine(life?: Mortal): Provisioner;
  survey(): Promise<Seen>;
}

/** A sandbox of its own, empty or as it was made, that goes when the work is done. */
async function withStage<T>(made: Made | undefined, work: (stage: Stage) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "platform-crash-"));
  const live = {
    cluster: join(folder, "cluster"),
    repositories: made?.liveRepositories ?? join(folder, "repositories"),
  };
  try {
    if (made !== undefined) {
      await cp(made.cluster, live.cluster, { recursive: true });
      await cp(made.repositories, live.repositories, { recursive: true });
    }
    return await onStage(live, work);
  } finally {
    await rm(live.repositories, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
}

/** Engines that share nothing but a sandbox and a folder of repositories. */
async function onStage<T>(
  live: { readonly cluster: string; readonly repositories: string },
  work: (stage: Stage) => Promise<T>,
): Promise<T> {
  const { repositories } = live;
  const sandbox = await openSandbox({ folder: live.cluster, speed: 50 });
  const cluster = await connect({ kind: "endpoint", ...sandbox, context: "sandbox", simulated: true });
  try {
    const { codeHost, provisioner } = await composition(cluster, repositories);
    let engines = 0;
    return await work({
      engine(life) {
        engines += 1;
        const holder = `engine${engines}@here:${engines}`;
        if (life === undefined) return provisioner({ holder });
        return provisioner({
          holder,
          clock: life.clock(impatient),
          cluster: life.cluster(cluster),
          codeHost: life.codeHost(codeHost),
        });
      },
      async survey() {
        const access: SandboxAccess = {
          folder: live.cluster,
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
  }
}

/** What the command line says, in this process. */
async function json(sandbox: SandboxAccess, ...words: readonly string[]): Promise<string> {
  const terminal = memoryTerminal();
  const code = await runCommands(["--sandbox", ...words, "-o", "json"], { terminal, sandbox, version: "0" });
  if (code !== 0) throw new Error(`${words.join(" ")} ended ${code}: ${terminal.written.err}`);
  return terminal.written.out;
}
