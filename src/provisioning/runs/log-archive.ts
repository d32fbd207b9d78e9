import { z } from "zod";
import { labels, systemNamespace } from "../../application/names.ts";
import { apply, type Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { cleanText } from "../../cluster/text.ts";
import { stepIdSchema } from "../plan.ts";
import type { RunEvent } from "./event.ts";
import { fencing } from "./ownership.ts";
import type { LogLine, RunName } from "./run.ts";
import { type LogChunks, readRun } from "./run-record.ts";

/** Lines of one chunk: at the longest a line may be, a quarter of what a ConfigMap may hold. */
export const chunkLines = 200;
/** Chunks kept of one run; the oldest give way. */
export const mostChunks = 25;

const linesSchema = z.array(z.strictObject({ at: z.string(), step: stepIdSchema, line: z.string() }));

function chunkName(run: string, number: number): string {
  return `${run}-log-${number}`;
}

function chunkOf(run: KubeObject, number: number, lines: readonly LogLine[]): KubeObject {
  const { name, uid } = run.metadata;
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: chunkName(name, number),
      namespace: systemNamespace,
      labels: {
        [labels.managed]: "true",
        [labels.service]: run.metadata.labels?.[labels.service] ?? "",
        "app.kubernetes.io/managed-by": "platform",
      },
      // It goes when its Run goes.
      ...(uid === undefined
        ? {}
        : { ownerReferences: [{ apiVersion: run.apiVersion, kind: run.kind, name, uid }] }),
    },
    data: { lines: JSON.stringify(lines) },
  };
}

/**
 * Log lines that a Run has no more room for, in ConfigMaps beside it. Which of them count stands in the Run: a
 * chunk that was written by an engine that died before it said so is written again.
 */
export class LogArchive {
  readonly #cluster: Cluster;
  readonly #run: KubeObject;

  constructor(cluster: Cluster, run: KubeObject) {
    this.#cluster = cluster;
    this.#run = run;
  }

  /**
   * Writes lines to further chunks. Returns which chunks there are then, to be recorded in the Run; undefined where
   * they could not be written, which is no reason for a run to fail.
   */
  async store(lines: readonly LogLine[], { first, next }: LogChunks): Promise<LogChunks | undefined> {
    const options = { timeoutMs: fencing.writeTimeoutMs };
    try {
      let number = next;
      for (let start = 0; start < lines.length; start += chunkLines, number += 1) {
        const chunk = chunkOf(this.#run, number, lines.slice(start, start + chunkLines));
        await apply(this.#cluster, resources.configMaps, chunk, options);
      }
      const kept = Math.max(first, number - mostChunks);
      const surplus = Array.from({ length: kept - first }, (_, index) => first + index);
      await Promise.allSettled(
        surplus.map((old) =>
          this.#cluster.delete(
            resources.configMaps,
            { namespace: systemNamespace, name: chunkName(this.#run.metadata.name, old) },
            options,
          ),
        ),
      );
      return { first: kept, next: number };
    } catch (error) {
      if (!isClusterError(error)) throw error;
      return undefined;
    }
  }
}

/**
 * A run's whole log, oldest line first, as far as it is kept.
 * @throws ClusterError
 */
export async function* readLog(cluster: Cluster, run: RunName): AsyncGenerator<LogLine, void, undefined> {
  const { events, logChunks } = readRun(
    await cluster.get(resources.runs, { namespace: systemNamespace, name: run }),
  );
  for (let number = logChunks.first; number < logChunks.next; number += 1) {
    const ref = { namespace: systemNamespace, name: chunkName(run, number) };
    // It may have given way to newer ones meanwhile.
    const chunk = await find(cluster, resources.configMaps, ref);
    yield* chunk === undefined ? [] : linesOf(chunk);
  }
  for (const event of events) {
    if (event.type === "StepLogged") yield { at: event.at, step: event.step, line: event.line };
  }
}

/** A chunk that somebody damaged is left out: it is for reading only. */
function linesOf({ data }: KubeObject): readonly LogLine[] {
  const text = z.looseObject({ lines: z.string() }).safeParse(data);
  if (!text.success) return [];
  try {
    const lines = linesSchema.safeParse(JSON.parse(text.data.lines));
    return lines.success ? lines.data.map(({ line, ...rest }) => ({ ...rest, line: cleanText(line) })) : [];
  } catch {
    return [];
  }
}

/** Drops so many of the oldest log lines, and more while the rest is too large; nothing else is ever dropped. */
export function withoutLines(
  events: readonly RunEvent[],
  count: number,
  excessBytes: number,
  sizeOf: (event: RunEvent) => number,
): readonly RunEvent[] {
  if (count <= 0 && excessBytes <= 0) return events;
  let [surplus, excess] = [count, excessBytes];
  return events.filter((event) => {
    if (event.type !== "StepLogged" || (surplus <= 0 && excess <= 0)) return true;
    surplus -= 1;
    excess -= sizeOf(event);
    return false;
  });
}
