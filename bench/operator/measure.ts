import { setTimeout as delay } from "node:timers/promises";
import pLimit from "p-limit";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import type { KubeObject } from "../../src/cluster/object.ts";
import { resources } from "../../src/cluster/resource.ts";
import { quantile } from "../statistics.ts";
import { apiServer } from "./api-server.ts";
import { type Contender, type Cost, type Running, start } from "./contender.ts";
import { childrenEach, Observer } from "./observer.ts";
import { reconcileQuantile } from "./reconcile-times.ts";

/** What one contender did with so many Applications. Times in milliseconds, costs as of the end of the phase. */
export interface Measured {
  readonly size: number;
  /** From the first creation of the many until the last of all children was there. */
  readonly allChildren: number;
  /** Until all were Ready, and until half of them were. */
  readonly allReady: number;
  readonly halfReady: number;
  /** Until the last of them was created. */
  readonly allCreated: number;
  /** Writes for each of the many: children and status. */
  readonly writesEach: number;
  /** Seconds of one core that the API server has taken for all that, the benchmark's own requests included. */
  readonly serverCpu: number;
  /** Five new ones a second: from the answer to the creation until the last child was seen. */
  readonly created: Steady;
  /** Five changes a second: from the answer until the Deployment had changed. */
  readonly changed: Steady;
  /** Five Deployments a second changed by somebody else: until changed back. */
  readonly repaired: Steady;
  /** Five Services a second deleted by somebody else: until made again. */
  readonly remade: Steady;
  /** From its start until a new process had looked at everything and had nothing in hand. */
  readonly restart: number;
  /** Of that look at everything: 99 in 100 reconciles took no longer. */
  readonly resyncReconcile: number;
  /** Writes from the start of the new process until ten seconds after. */
  readonly restartWrites: number;
  readonly filling: Cost;
  /** Of the whole first process. */
  readonly whole: Cost;
  /** Share of one core while new ones, changes and drift came. */
  readonly steadyLoad: number;
}

/** A steady load of one kind. */
export interface Steady {
  /** How long each took. */
  readonly took: readonly number[];
  /** Of the operator's own reconciles meanwhile, by its metrics: 99 in 100 took no longer. */
  readonly reconcile: number;
}

export interface Ground {
  readonly kubeconfig: string;
  readonly namespaces: readonly string[];
  readonly size: number;
  /** How long each kind of steady load lasts. */
  readonly seconds: number;
  /** What a contender may take of the machine's cores; undefined: all. */
  readonly cores: number | undefined;
}

/** Created by several at once, as by a pipeline that applies a repository. */
const creators = 16;
const everyMs = 200;
/** Longer than a status may wait to be told. */
const quietMs = 8_000;
/** Longest wait for anything, in milliseconds. */
const patienceMs = 1_200_000;

export async function measure(contender: Contender, ground: Ground): Promise<Measured> {
  const cluster = await connect({ kind: "kubeconfig", path: ground.kubeconfig });
  const observer = new Observer();
  try {
    await observer.start(cluster);
    return await new Measurement(contender, ground, cluster, observer).run();
  } finally {
    observer.stop();
    await cluster.close();
  }
}

class Measurement {
  readonly #contender: Contender;
  readonly #ground: Ground;
  readonly #cluster: Cluster;
  readonly #observer: Observer;
  readonly #prefix = `b${Date.now().toString(36)}`;
  /** Names, in the order of creation. */
  readonly #made: string[] = [];

  constructor(contender: Contender, ground: Ground, cluster: Cluster, observer: Observer) {
    this.#contender = contender;
    this.#ground = ground;
    this.#cluster = cluster;
    this.#observer = observer;
  }

  async run(): Promise<Measured> {
    const { size, seconds, kubeconfig, cores } = this.#ground;
    let operator = await start(this.#contender, cores);
    try {
      await operator.calm(0);
      const empty = await apiServer(kubeconfig);
      const filled = await this.#fill();
      await operator.calm(size);
      await this.#settled();
      const full = await apiServer(kubeconfig);
      // The creations themselves are the benchmark's.
      const writesEach = (full.writes - empty.writes - size) / size;
      const filling = await operator.cost();
      const steadyFrom = performance.now();
      // Each change is of another one.
      const times = Math.min(size, seconds * (1_000 / everyMs));
      const steady = (what: string, once: (index: number) => Promise<number>) =>
        this.#steady(operator, what, times, once);
      const created = await steady("new ones", () => this.#createOne());
      const changed = await steady("changes", (index) => this.#changeOne(index));
      const repaired = await steady("drift", (index) => this.#bendOne(index));
      const remade = await steady("deletions", (index) => this.#deleteOne(index));
      const steadyMs = performance.now() - steadyFrom;
      const whole = await operator.cost();
      // What is still to be told would be told after the restart.
      await this.#settled();
      await operator.stop();
      this.#tell("restart");
      const before = await apiServer(kubeconfig);
      const restarted = performance.now();
      operator = await start(this.#contender, cores);
      await operator.calm(this.#made.length);
      const restart = performance.now() - restarted;
      const resyncReconcile = reconcileQuantile(new Map(), await operator.reconcileTimes(), 0.99);
      await delay(10_000);
      const restartWrites = (await apiServer(kubeconfig)).writes - before.writes;
      return {
        size,
        ...filled,
        writesEach,
        serverCpu: full.cpu - empty.cpu,
        created,
        changed,
        repaired,
        remade,
        restart,
        resyncReconcile,
        restartWrites,
        filling,
        whole,
        steadyLoad: ((whole.cpu - filling.cpu) * 1_000) / steadyMs,
      };
    } finally {
      await operator.stop();
      await this.#cleanUp();
    }
  }

  #tell(what: string): void {
    console.error(`${new Date().toISOString()} ${this.#contender.name}, ${this.#ground.size}: ${what}`);
  }

  async #fill() {
    const { size } = this.#ground;
    this.#tell("created at once");
    const from = performance.now();
    const limit = pLimit(creators);
    await Promise.all(Array.from({ length: size }, () => limit(() => this.#create())));
    const allCreated = performance.now() - from;
    const completes = () => this.#sightings().map(({ completeAt }) => completeAt);
    const readies = () => this.#sightings().map(({ readyAt }) => readyAt);
    await this.#until("children of all", () => completes().every((at) => at !== undefined));
    await this.#until("Ready of all", () => readies().every((at) => at !== undefined));
    const ready = readies().map((at) => (at ?? Number.NaN) - from);
    return {
      allCreated,
      allChildren: Math.max(...completes().map((at) => (at ?? Number.NaN) - from)),
      allReady: Math.max(...ready),
      halfReady: quantile(ready, 0.5),
    };
  }

  #sightings() {
    return this.#made.map((name) => this.#observer.of(name));
  }

  /** Resolves once nothing has been written for {@link quietMs}. */
  async #settled(): Promise<void> {
    const until = performance.now() + patienceMs;
    let before = -1;
    for (;;) {
      const { writes: now } = await apiServer(this.#ground.kubeconfig);
      if (now === before) return;
      if (performance.now() > until) throw new Error(`${this.#contender.name} does not stop writing`);
      before = now;
      await delay(quietMs);
    }
  }

  async #until(what: string, is: () => boolean): Promise<void> {
    const until = performance.now() + patienceMs;
    while (!is()) {
      if (performance.now() > until) throw new Error(`${this.#contender.name}: no ${what} in time`);
      await delay(20);
    }
  }

  /** So many times, five a second, whether or not the ones before are done. */
  async #steady(
    operator: Running,
    what: string,
    times: number,
    once: (index: number) => Promise<number>,
  ): Promise<Steady> {
    this.#tell(what);
    const before = await operator.reconcileTimes();
    const from = performance.now();
    const under: Promise<number>[] = [];
    for (let index = 0; index < times; index++) {
      await delay(Math.max(0, from + index * everyMs - performance.now()));
      under.push(once(index));
    }
    const took = await Promise.all(under);
    return { took, reconcile: reconcileQuantile(before, await operator.reconcileTimes(), 0.99) };
  }

  #namespaceOf(index: number): string {
    const { namespaces } = this.#ground;
    return namespaces[index % namespaces.length] ?? "";
  }

  async #create(): Promise<string> {
    const index = this.#made.length;
    const name = `${this.#prefix}-${index}`;
    this.#made.push(name);
    await this.#cluster.create(resources.applications, applicationOf(name, this.#namespaceOf(index)));
    return name;
  }

  async #createOne(): Promise<number> {
    const name = await this.#create();
    const from = performance.now();
    const sighting = this.#observer.of(name);
    await this.#until(`${childrenEach} children of ${name}`, () => sighting.completeAt !== undefined);
    return (sighting.completeAt ?? Number.NaN) - from;
  }

  /** Each time another one, spread over all of the many. */
  #chosen(index: number) {
    const at = (index * 7) % this.#ground.size;
    return { name: this.#made[at] ?? "", namespace: this.#namespaceOf(at) };
  }

  async #changeOne(index: number): Promise<number> {
    const { name, namespace } = this.#chosen(index);
    const before = this.#observer.child(resources.deployments, name)?.generation ?? 0;
    const seen = this.#observer.seen(resources.deployments, name, ({ generation }) => generation > before);
    const body = { spec: { image: imageOf(`2-${index}`) } };
    await this.#cluster.patch(resources.applications, { namespace, name }, { type: "merge", body });
    const from = performance.now();
    return (await seen) - from;
  }

  async #bendOne(index: number): Promise<number> {
    const { name, namespace } = this.#chosen(index);
    const before = this.#observer.child(resources.deployments, name)?.generation ?? 0;
    // The first new generation is the bend, the second its repair.
    const seen = this.#observer.seen(
      resources.deployments,
      name,
      ({ generation }) => generation > before + 1,
    );
    const body = { spec: { revisionHistoryLimit: 3 } };
    await this.#cluster.patch(resources.deployments, { namespace, name }, { type: "merge", body });
    const from = performance.now();
    return (await seen) - from;
  }

  async #deleteOne(index: number): Promise<number> {
    const { name, namespace } = this.#chosen(index);
    const before = this.#observer.child(resources.services, name)?.uid;
    const seen = this.#observer.seen(resources.services, name, ({ uid }) => uid !== before);
    await this.#cluster.delete(resources.services, { namespace, name });
    const from = performance.now();
    return (await seen) - from;
  }

  async #cleanUp(): Promise<void> {
    this.#tell("cleaning up");
    const limit = pLimit(creators);
    await Promise.all(
      this.#made.map((name, index) =>
        limit(() =>
          this.#cluster
            .delete(resources.applications, { namespace: this.#namespaceOf(index), name })
            .catch(() => undefined),
        ),
      ),
    );
    const made = new Set(this.#made);
    await this.#until("end of the children", () => !this.#observer.hasChildrenOf(made));
    const selector = { labelSelector: "platform.company.com/team=bench", limit: 1 };
    for (;;) {
      const { items } = await this.#cluster.listMetadata(resources.pods, selector);
      if (items.length === 0) return;
      await delay(500);
    }
  }
}

function imageOf(tag: string): string {
  return `registry.example.internal/bench:${tag}`;
}

function applicationOf(name: string, namespace: string): KubeObject {
  return {
    apiVersion: "platform.company.com/v1",
    kind: "Application",
    metadata: { name, namespace },
    spec: {
      team: "bench",
      image: imageOf("1"),
      // From two on there is a PodDisruptionBudget.
      replicas: 2,
      resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "1", memory: "32Mi" } },
      monitoring: { enabled: false },
    },
  };
}
