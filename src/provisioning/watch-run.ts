import { systemNamespace } from "../application/names.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import { resources } from "../cluster/resource.ts";
import type { Clock } from "./clock.ts";
import type { RunName, RunState } from "./run.ts";
import { readRun } from "./run-record.ts";

/** Pause before asking again after the cluster failed to answer, in milliseconds. */
const pause = 1_000;

/**
 * A run's state now and after each change, whoever executes it. Survives broken connections; ends when the signal
 * aborts or the run is deleted.
 * @throws ClusterError where the run cannot be read the first time
 */
export async function* watchRun(
  cluster: Cluster,
  clock: Clock,
  run: RunName,
  signal: AbortSignal,
): AsyncGenerator<RunState, void, undefined> {
  let version: string | undefined;
  let seen: string | undefined;
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        const object = await cluster.get(
          resources.runs,
          { namespace: systemNamespace, name: run },
          { signal },
        );
        version = object.metadata.resourceVersion ?? "";
        if (version !== seen) yield readRun(object).state;
        seen = version;
      }
      const changes = cluster.watch(resources.runs, {
        namespace: systemNamespace,
        fieldSelector: `metadata.name=${run}`,
        resourceVersion: version,
        signal,
      });
      for await (const change of changes) {
        if (change.type === "BOOKMARK") {
          version = change.resourceVersion;
          continue;
        }
        if (change.type === "DELETED") return;
        version = change.object.metadata.resourceVersion ?? version;
        if (version === seen) continue;
        seen = version;
        yield readRun(change.object).state;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isClusterError(error)) throw error;
      if (seen === undefined) throw error;
      if (error.kind === "not-found") return;
      version = undefined;
      if (error.kind !== "expired") await clock.sleep(pause, signal).catch(() => {});
    }
  }
}
