import pLimit from "p-limit";
import type { Cluster } from "../../cluster/cluster.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { type PodProblem, worstProblem } from "../../cluster/pod-problem.ts";
import { resources } from "../../cluster/resource.ts";
import type { Timing } from "../../cluster/timing.ts";
import type { Child } from "./child.ts";
import { refOf } from "./object-writer.ts";

/** Between two looks at the same pods, in milliseconds: twice as long each time. */
const shortestPauseMs = 5_000;
const longestPauseMs = 60_000;
/** Looks at the same time: thousands of rollouts may be slow together. */
const atOnce = 4;

interface Look {
  /** Which rollout, and how far it was. */
  readonly progress: string;
  /** Its controller had given up when it was looked at. */
  late: boolean;
  pauseMs: number;
  nextAt: number;
  /** Until then a pod that waits for its place is no problem. In milliseconds. */
  readonly patientUntil: number;
  problem: PodProblem | undefined;
}

/** What a look says: a problem, where there is one, and when to look again. */
export interface Seen {
  readonly problem: PodProblem | undefined;
  readonly againMs: number | undefined;
}

/**
 * Says what keeps a workload's pods from being ready. Pods are not watched: they are asked for only where a rollout
 * does not get on, and more and more seldom; and at once where one that was complete has lost a pod, since a container
 * that is killed for memory runs again in a moment.
 */
export class PodLooks {
  readonly #cluster: Pick<Cluster, "list">;
  readonly #timing: Pick<Timing, "now">;
  readonly #patienceMs: number;
  readonly #limit = pLimit(atOnce);
  readonly #looks = new Map<string, Look>();
  /** The rollout of each workload that was complete last. */
  readonly #completed = new Map<string, string>();

  /** @param patienceMs - a rollout that gets on within this time is not looked into */
  constructor(cluster: Pick<Cluster, "list">, timing: Pick<Timing, "now">, patienceMs: number) {
    this.#cluster = cluster;
    this.#timing = timing;
    this.#patienceMs = patienceMs;
  }

  forget(id: string): void {
    this.#looks.delete(id);
    this.#completed.delete(id);
  }

  /**
   * @param id - of the workload
   * @param key - its `namespace/name`
   * @param atOnce - something was known to be wrong before: look without waiting
   */
  async at(
    id: string,
    key: string,
    child: Child | undefined,
    options: { readonly atOnce: boolean; readonly signal: AbortSignal },
  ): Promise<Seen> {
    const workload = child?.workload;
    if (child === undefined || workload === undefined || child.pods === 0) {
      this.forget(id);
      return { problem: undefined, againMs: undefined };
    }
    const rollout = `${child.uid} ${child.generation}`;
    if (workload.complete) {
      this.#looks.delete(id);
      this.#completed.set(id, rollout);
      return { problem: undefined, againMs: undefined };
    }
    const now = this.#timing.now().getTime();
    const progress = `${rollout} ${workload.ready}/${workload.wanted}`;
    const look = this.#lookOf(id, progress, now, {
      atOnce: options.atOnce || this.#completed.get(id) === rollout,
      patientUntil: options.atOnce ? now : now + this.#patienceMs,
    });
    const isLate = workload.problem !== undefined;
    if (now >= look.nextAt || (isLate && !look.late)) {
      look.late = isLate;
      const found = await this.#limit(() =>
        this.#problem(refOf(key).namespace ?? "", workload.matchLabels, options.signal),
      );
      // Nodes are drained every day: the next pod mostly has its place in a moment.
      const isEarly = found?.trouble === "placement" && !isLate && now < look.patientUntil;
      // A container that crashes again and again runs in between: until the rollout gets on, it is still that.
      look.problem = (isEarly ? undefined : found) ?? look.problem;
      look.nextAt = now + look.pauseMs;
      look.pauseMs = Math.min(longestPauseMs, look.pauseMs * 2);
    }
    return { problem: look.problem, againMs: Math.max(0, look.nextAt - now) };
  }

  #lookOf(
    id: string,
    progress: string,
    now: number,
    { atOnce, patientUntil }: { readonly atOnce: boolean; readonly patientUntil: number },
  ): Look {
    const known = this.#looks.get(id);
    if (known?.progress === progress) return known;
    const nextAt = atOnce && known === undefined ? now : now + this.#patienceMs;
    const fresh = {
      progress,
      late: false,
      pauseMs: shortestPauseMs,
      nextAt,
      patientUntil,
      problem: undefined,
    };
    this.#looks.set(id, fresh);
    return fresh;
  }

  async #problem(
    namespace: string,
    matchLabels: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<PodProblem | undefined> {
    const labelSelector = Object.entries(matchLabels)
      .map(([key, value]) => `${key}=${value}`)
      .join(",");
    const { items } = await this.#cluster.list(resources.pods, {
      namespace,
      labelSelector,
      limit: 100,
      resourceVersion: "0",
      signal,
    });
    return newestProblem(items);
  }
}

const templateHash = "pod-template-hash";

/**
 * The worst problem of the pods of the template that the youngest pod is of: what older ones suffer from, a rollout may
 * be mending. Of two templates with pods of the same second, the one without a problem counts. Pure.
 */
export function newestProblem(pods: readonly KubeObject[]): PodProblem | undefined {
  const born = ({ metadata }: KubeObject) => metadata.creationTimestamp ?? "";
  const hashOf = ({ metadata }: KubeObject) => metadata.labels?.[templateHash];
  const newest = pods.map(born).sort().at(-1);
  const hashes = new Set(pods.filter((pod) => born(pod) === newest).map(hashOf));
  const problems = [...hashes].map((hash) => worstProblem(pods.filter((pod) => hashOf(pod) === hash)));
  return problems.includes(undefined) ? undefined : problems[0];
}
