import { systemNamespace } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import type { KubeObject, WatchEvent } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import type { Clock } from "../clock.ts";
import { atRest } from "../engine/decide.ts";
import type { RunName, RunState } from "./run.ts";
import { type RunRecord, readRun } from "./run-record.ts";

/** Pause before asking again after the cluster failed to answer, in milliseconds. */
const pause = 1_000;
/**
 * After so long without a word the Run is read, in milliseconds: a connection that was lost without a sign is silent
 * for minutes. Shorter while somebody works on the run.
 */
const quiet = { working: 10_000, atRest: 60_000 } as const;

/** A run's state now and after each change: see {@link watchRecord}. */
export async function* watchRun(
  cluster: Cluster,
  clock: Clock,
  run: RunName,
  signal: AbortSignal,
): AsyncGenerator<RunState, void, undefined> {
  for await (const { state } of watchRecord(cluster, clock, run, signal)) yield state;
}

/**
 * A run with its journal, now and after each change, whoever executes it. Survives connections that break, and those that fall
 * silent; ends when the signal aborts or the run is deleted.
 * @throws ClusterError where the run cannot be read the first time
 */
export async function* watchRecord(
  cluster: Cluster,
  clock: Clock,
  run: RunName,
  signal: AbortSignal,
): AsyncGenerator<RunRecord, void, undefined> {
  const ref = { namespace: systemNamespace, name: run };
  let seen: { readonly version: string; readonly record: RunRecord } | undefined;
  /** Undefined: to be read first. */
  let version: string | undefined;
  /** What a person has not been shown yet. */
  const news = (object: KubeObject): RunRecord | undefined => {
    version = object.metadata.resourceVersion ?? "";
    if (version === seen?.version) return undefined;
    seen = { version, record: readRun(object) };
    return seen.record;
  };
  while (!signal.aborted) {
    const watching = new AbortController();
    try {
      if (version === undefined) {
        const record = news(await cluster.get(resources.runs, ref, { signal }));
        if (record !== undefined) yield record;
      }
      const changes = cluster.watch(resources.runs, {
        namespace: systemNamespace,
        fieldSelector: `metadata.name=${run}`,
        resourceVersion: version ?? "",
        signal: AbortSignal.any([signal, watching.signal]),
      });
      const silence = () => (seen !== undefined && atRest(seen.record.state) ? quiet.atRest : quiet.working);
      for await (const change of spoken(changes, clock, silence)) {
        if (change === "silence") {
          const record = news(await cluster.get(resources.runs, ref, { signal }));
          if (record === undefined) continue;
          // The watch should have told: it is opened anew.
          yield record;
          break;
        }
        if (change.type === "BOOKMARK") {
          version = change.resourceVersion;
          continue;
        }
        if (change.type === "DELETED") return;
        const record = news(change.object);
        if (record !== undefined) yield record;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isClusterError(error)) throw error;
      if (seen === undefined) throw error;
      if (error.kind === "not-found") return;
      version = undefined;
      if (error.kind !== "expired") {
        await clock.sleep(Math.max(pause, error.retryAfterMs ?? 0), signal).catch(() => {});
      }
    } finally {
      watching.abort(new Error("the watch is opened anew"));
    }
  }
}

/** The same events, and `silence` each time none came for so long, in milliseconds. */
async function* spoken(
  events: AsyncIterable<WatchEvent>,
  clock: Clock,
  silence: () => number,
): AsyncGenerator<WatchEvent | "silence", void, undefined> {
  const iterator = events[Symbol.asyncIterator]();
  const asked = () => {
    const next = iterator.next();
    // Nobody waits for it any more once the watch is opened anew.
    next.catch(() => {});
    return next;
  };
  let next = asked();
  for (;;) {
    const heard = new AbortController();
    const still = clock.sleep(silence(), heard.signal).then(
      () => "silence" as const,
      () => "silence" as const,
    );
    const first = await Promise.race([next, still]).finally(() => heard.abort(new Error("heard")));
    if (first === "silence") {
      yield first;
      continue;
    }
    if (first.done === true) return;
    next = asked();
    yield first.value;
  }
}
