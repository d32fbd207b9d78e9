import { systemNamespace } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { Reflector } from "../../cluster/reflector.ts";
import { resources } from "../../cluster/resource.ts";
import { cleanText } from "../../cluster/text.ts";
import type { Clock } from "../clock.ts";
import type { RunRecord, RunSpec } from "../runs/run-record.ts";
import { readRun } from "../runs/run-record.ts";

/** What somebody asks of a run through `spec.action`. */
export type Action = NonNullable<RunSpec["action"]>;

/** On a Run: who set its `spec.action`. The cluster's guardrails hold it to whoever made that request. */
export const actionByAnnotation = "platform.company.com/action-by";

/** Who set the action of a Run; undefined where nobody says. */
export function askedBy({ metadata }: Pick<KubeObject, "metadata">): string | undefined {
  const by = cleanText(metadata.annotations?.[actionByAnnotation] ?? "");
  return by === "" ? undefined : by;
}

/** Most runs are over before anybody asks anything of them: they are spared a watch. In milliseconds. */
const watchedFrom = 1_000;
const pauseAfterFailure = 2_000;

export interface ActionsOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** At least 0, below 1. */
  readonly random: () => number;
  /** The Run as this engine took it. */
  readonly record: RunRecord;
  /** The run is at rest, or lost. */
  readonly signal: AbortSignal;
  /** @param by - who asked, where that is known: see {@link askedBy} */
  readonly act: (action: Action, by: string | undefined) => void;
}

/**
 * A living engine does what is asked of its run: it watches the Run, takes the action away, and then obeys it, so that
 * each is obeyed once. One that was there when the run was taken was asked of an engine that is dead: whoever took
 * the run knew better, and it is only taken away. Outlives broken connections; ends with the signal, and never
 * rejects.
 */
export async function obeyActions(options: ActionsOptions): Promise<void> {
  const { cluster, clock, random, record, signal, act } = options;
  const known = record.object.metadata.generation ?? 0;
  let asked = 0;
  let obeyed = known;
  let obeying = Promise.resolve();

  async function obeyNow(): Promise<void> {
    while (obeyed < asked && !signal.aborted) {
      const seen = asked;
      try {
        const { action, by, generation } = await takeAction(cluster, record, signal);
        if (action !== undefined) act(action, by);
        obeyed = Math.max(seen, generation);
      } catch (error) {
        if (signal.aborted || !isClusterError(error)) return;
        // Who may not change the request cannot obey it twice either: it is asked again when it changes.
        if (error.kind === "forbidden" || error.kind === "not-found") obeyed = seen;
        else await clock.sleep(pauseAfterFailure, signal).catch(() => {});
      }
    }
  }

  if (record.spec.action !== undefined) await takeAction(cluster, record, signal).catch(() => undefined);
  await clock.sleep(watchedFrom, signal).catch(() => {});
  if (signal.aborted) return;
  const reflector = new Reflector<number>({
    cluster,
    resource: resources.runs,
    namespace: systemNamespace,
    fieldSelector: `metadata.name=${record.name}`,
    // The journal itself changes with every event; only what was asked for counts up the generation.
    mode: "metadata",
    keep: ({ metadata }) => metadata.generation ?? 0,
    onChanges({ changed }) {
      const generation = Math.max(0, ...changed.values());
      if (generation <= asked) return;
      asked = generation;
      obeying = obeying.then(obeyNow);
    },
    batchMs: 10,
    timing: { now: () => clock.now(), sleep: (ms, until) => clock.sleep(ms, until), random },
  });
  await reflector.run(signal);
  await obeying;
}

/** What is asked for, once it is certain that nobody else obeys it; and up to where nothing more is. */
export async function takeAction(
  cluster: Cluster,
  { name }: Pick<RunRecord, "name">,
  signal: AbortSignal,
): Promise<{ readonly action?: Action; readonly by?: string | undefined; readonly generation: number }> {
  const ref = { namespace: systemNamespace, name };
  const { spec, object } = readRun(await cluster.get(resources.runs, ref, { signal }));
  const { action } = spec;
  const { generation = 0 } = object.metadata;
  if (action === undefined) return { generation };
  const body = [
    { op: "test", path: "/spec/action", value: action },
    { op: "remove", path: "/spec/action" },
    ...(spec.actionOptions === undefined ? [] : [{ op: "remove", path: "/spec/actionOptions" }]),
  ];
  try {
    const { metadata } = await cluster.patch(resources.runs, ref, { type: "json", body });
    return { action, by: askedBy(object), generation: metadata.generation ?? generation };
  } catch (error) {
    // Something else is asked for by now: that is told as a change of its own.
    if (isClusterError(error, "invalid", "conflict")) return { generation };
    throw error;
  }
}
