import { cp, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { type ServiceName, serviceNameSchema } from "../../src/application/names.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { runCommands } from "../../src/commands/program.ts";
import type { SandboxAccess } from "../../src/connection.ts";
import type { Clock } from "../../src/provisioning/clock.ts";
import type { Provisioner } from "../../src/provisioning/provisioner.ts";
import type { Execution, RunName } from "../../src/provisioning/run.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { type Composition, composition, impatient } from "../provisioning/composition.ts";
import { sandboxStage } from "../provisioning/sandbox-stage.ts";
import { memoryTerminal } from "../unit/commands/memory-terminal.ts";
import { type Told, toldBy } from "./agreement.ts";
import { type KillPoint, Mortal } from "./mortal.ts";
import { prepared, type Recovery, type Size, type Subject } from "./operations.ts";
import type { Upstream } from "./proxy.ts";
import { screenContradictions } from "./screens.ts";
import { type Survey, survey } from "./survey.ts";

/** What came of an operation whose engine was to be killed. */
export interface Undergone {
  /** False: the operation came to its end, because the write was never written. */
  readonly died: boolean;
  /** As {@link Mortal.writes}. */
  readonly writes: readonly (readonly string[])[];
}

/** What there is, and what people are told of it. */
export interface Seen {
  readonly found: Survey;
  readonly told: Told;
}

/** A cluster of its own, and where engines that work on it live and die. */
export interface Stage {
  readonly services: Services;
  /** Engines that work at the same time: more keep the simulated controllers from their deadlines. */
  readonly atOnce: number;
  /** Runs an operation to its end, or to the death of its engine. */
  undergo(subject: Subject, service: ServiceName, kill?: KillPoint): Promise<Undergone>;
  /** Goes on with a run in a new engine, to its end or to the death of that engine too. */
  recover(service: ServiceName, run: RunName, recovery: Recovery, kill?: KillPoint): Promise<Undergone>;
  survey(): Promise<Seen>;
  /** Where the app's screens contradict the journals of these services' runs, on which nobody works. */
  screens(services: readonly ServiceName[], found: Survey): Promise<readonly string[]>;
}

/** A stopped sandbox to begin from, in which all the services are there. One stage at a time can. */
export interface Made {
  readonly cluster: string;
  readonly repositories: string;
  /** Where a stage has its repositories: journals name them by this path. */
  readonly liveRepositories: string;
  remove(): Promise<void>;
}

/** Services that are killed on one stage. */
export const perStage = 40;

/** Those that are killed, and two that are not. None has another's name in its own. */
export interface Services {
  readonly before: ServiceName;
  readonly after: ServiceName;
  readonly victims: readonly ServiceName[];
}

/** @param prefix - makes the names unlike others on the same cluster */
export function servicesNamed(prefix = ""): Services {
  const name = (rest: string) => serviceNameSchema.parse(`${prefix}${rest}`);
  return {
    before: name("before"),
    after: name("after"),
    victims: Array.from({ length: perStage }, (_, index) => name(`victim${index}x`)),
  };
}

/** A cluster and what is beside it: what engines in processes of their own need too. */
export interface Ground extends Footing {
  /** The API server, for a proxy before it. */
  readonly upstream: Upstream;
  readonly folder: string;
  readonly repositories: string;
}

/** All that engines in this process need. */
export interface Footing {
  readonly services: Services;
  readonly cluster: Cluster;
  readonly composed: Composition;
  survey(): Promise<Seen>;
}

export interface InProcessOptions {
  /** The clock of the n-th engine. */
  readonly clockOf?: (engine: number) => Clock;
  readonly atOnce?: number;
}

/**
 * Engines in this process, whose every call passes through a {@link Mortal}.
 */
export function inProcess(
  { services, cluster, composed, survey }: Footing,
  { clockOf = () => impatient, atOnce = 8 }: InProcessOptions = {},
): Stage {
  let engines = 0;
  const engine = (life: Mortal) => {
    engines += 1;
    return composed.provisioner({
      holder: `engine${engines}@here:${engines}`,
      clock: life.clock(clockOf(engines)),
      cluster: life.cluster(cluster),
      codeHost: life.codeHost(composed.codeHost),
    });
  };
  async function live(
    service: ServiceName,
    kill: KillPoint | undefined,
    begin: (provisioner: Provisioner) => Promise<Execution>,
  ): Promise<Undergone> {
    const life = new Mortal(service, kill);
    const end = begin(engine(life)).then(({ finished }) => finished);
    const survived = await Promise.race([life.died, end]);
    return { died: survived === undefined, writes: life.writes };
  }
  return {
    services,
    atOnce,
    undergo: (subject, service, kill) =>
      live(service, kill, (provisioner) => subject.begin(provisioner, service)),
    recover: (service, run, recovery, kill) =>
      live(service, kill, (provisioner) =>
        recovery === "resume"
          ? provisioner.resume(run, { onFailure: "hold" })
          : provisioner.rollback(run, { dataStores: "delete", confirmed: service }),
      ),
    survey,
    screens: (of, found) => screenContradictions({ cluster, composed }, of, found),
  };
}

/** Makes the victims that are wanted, and the two others. */
export async function prepareAll(
  { services, composed }: Footing,
  size: Size,
  victims: number,
  atOnce = 8,
): Promise<void> {
  const limit = pLimit(atOnce);
  const all = [services.before, services.after, ...services.victims.slice(0, victims)];
  await Promise.all(all.map((service) => limit(() => prepared(composed.provisioner(), service, size))));
}

/** Creates the services once, for all operations on what exists. */
export async function makeServices(size: Size, victims = perStage): Promise<Made> {
  const folder = await mkdtemp(join(tmpdir(), "platform-crash-made-"));
  const live = { folder, repositories: join(folder, "live") };
  await onGround(live, (ground) => prepareAll(ground, size, victims));
  const repositories = join(folder, "repositories");
  await rename(live.repositories, repositories);
  return {
    cluster: join(folder, "cluster"),
    repositories,
    liveRepositories: live.repositories,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A sandbox of its own, empty or as it was made, that goes when the work is done. */
export async function withGround<T>(
  made: Made | undefined,
  work: (ground: Ground) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "platform-crash-"));
  const live = { folder, repositories: made?.liveRepositories ?? join(folder, "repositories") };
  try {
    if (made !== undefined) {
      await cp(made.cluster, join(folder, "cluster"), { recursive: true });
      await cp(made.repositories, live.repositories, { recursive: true });
    }
    return await onGround(live, work);
  } finally {
    await rm(live.repositories, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
}

async function onGround<T>(
  live: { readonly folder: string; readonly repositories: string },
  work: (ground: Ground) => Promise<T>,
): Promise<T> {
  const { sandbox, cluster, close } = await sandboxStage(join(live.folder, "cluster"), 50);
  try {
    const composed = await composition(cluster, live.repositories);
    return await work({
      ...live,
      services: servicesNamed(),
      upstream: { url: sandbox.url, token: sandbox.token, socketPath: sandbox.socketPath },
      cluster,
      composed,
      survey: () => seen(sandbox, cluster, live.repositories),
    });
  } finally {
    await close();
  }
}

async function seen(sandbox: Sandbox, cluster: Cluster, repositories: string): Promise<Seen> {
  const access: SandboxAccess = {
    folder: "",
    repositories,
    open: async () => ({ ...sandbox, close: async () => {} }),
    serve: () => Promise.reject(new Error("not served")),
  };
  // Not at the same time: a controller may be at work between two lists.
  const found = await survey(cluster, repositories);
  return { found, told: await toldTo(["--sandbox"], access) };
}

/** What people are told by the command line, in this process. */
export async function toldTo(flags: readonly string[], sandbox: SandboxAccess): Promise<Told> {
  const json = (...words: readonly string[]) => printed([...flags, ...words, "-o", "json"], sandbox);
  const [runs, rows] = await Promise.all([json("run", "list"), json("service", "list")]);
  return toldBy(runs, rows);
}

async function printed(words: readonly string[], sandbox: SandboxAccess): Promise<string> {
  const terminal = memoryTerminal();
  const code = await runCommands(words, { terminal, sandbox, version: "0" });
  if (code !== 0) throw new Error(`${words.join(" ")} ended ${code}: ${terminal.written.err}`);
  return terminal.written.out;
}
