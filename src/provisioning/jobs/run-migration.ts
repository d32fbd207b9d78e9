import { labels } from "../../application/names.ts";
import { migrationContainer, migrationDeadlineSeconds } from "../../application/objects/migration.ts";
import { isClusterError } from "../../cluster/errors.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { withMaker } from "../engine/write.ts";
import { bounded, StepError } from "../errors.ts";
import { objectEffect, observeEffect } from "../objects/objects.ts";
import {
  type Hide,
  hiddenFrom,
  isSameMigration,
  type MigrationState,
  migrationState,
} from "./migration-job.ts";
import { type JobContext, mustBeOurs, removed } from "./run-job.ts";

/** What may pass fails a migration that has not begun when it lasts this long, in milliseconds. */
const lastingFor = 15_000;
/** A Job that has no pod after this time gets none, in milliseconds. */
const podWithin = 120_000;
/** How long what a program has said is waited for once it has ended, in milliseconds. */
const lastWordsWithin = 5_000;
/** Lines of a migration that are told, and the length of each: they are kept with the run. */
const mostLines = 200;
const longestLine = 500;
/** So many of its last lines say why it failed. */
const lastLines = 3;

/**
 * Runs a migration's Job to its end and removes it. A run that was interrupted goes on with the Job that it has begun; of
 * any other, it waits until it is over. One that fails stays, so that its pod can be looked at, until the step is tried
 * again or undone.
 * @throws StepError `unhealthy` with the program's last words, `refused` where it gets no pod
 */
export async function runMigration(context: JobContext, job: KubeObject): Promise<void> {
  await context.write.passing(objectEffect(job), "it is over", async () => {
    await mustBeOurs(context, job);
    const begun = await begin(context, job);
    await follow(context, begun);
    await removed(context, begun);
  });
}

/** The Job, as it is there: this run's own of an earlier try that is not over, or a new one. */
async function begin(context: JobContext, job: KubeObject): Promise<KubeObject> {
  const { cluster, clock, signal, run, log } = context;
  const deadline = clock.now().getTime() + migrationDeadlineSeconds * 1_000;
  let told = false;
  for (let pause = 50; ; pause = Math.min(2_000, pause * 1.4)) {
    signal.throwIfAborted();
    const found = await observeEffect(cluster, objectEffect(job));
    if (found === undefined) {
      const made = await make(context, job);
      if (made !== undefined) return made;
    } else {
      const existing = { ...found, apiVersion: job.apiVersion, kind: job.kind };
      const state = await migrationState(cluster, existing);
      const own = existing.metadata.labels?.[labels.run] === run && isSameMigration(existing, job);
      if (own && state.kind !== "failed" && existing.metadata.deletionTimestamp === undefined) {
        log("going on with the migration that this run has begun");
        return existing;
      }
      // Its pods go with it: another migration must not begin beside them.
      if (state.kind !== "going") await removed(context, existing);
      else if (!told) log(`another migration is under way, and waited for: job ${job.metadata.name}`);
      told = true;
    }
    if (clock.now().getTime() > deadline) {
      throw new StepError(
        "conflict",
        `another migration is still under way: job ${job.metadata.name}`,
        `see kubectl describe job ${job.metadata.name} -n ${job.metadata.namespace ?? ""}, then retry`,
      );
    }
    await clock.sleep(pause, signal);
  }
}

/** Undefined where somebody else was quicker. */
async function make({ cluster, run }: JobContext, job: KubeObject): Promise<KubeObject | undefined> {
  try {
    const made = await cluster.create(resources.jobs, withMaker(job, run));
    return { ...made, apiVersion: job.apiVersion, kind: job.kind };
  } catch (error) {
    if (isClusterError(error, "already-exists")) return undefined;
    throw error;
  }
}

async function follow(context: JobContext, job: KubeObject): Promise<void> {
  const { cluster, clock, signal, log } = context;
  const started = clock.now().getTime();
  const hide = await hiddenFrom(cluster, job);
  const told = new AbortController();
  const telling = new Map<string, Promise<void>>();
  const heard: string[] = [];
  const allTold = () =>
    Promise.race([Promise.all(telling.values()), clock.sleep(lastWordsWithin).catch(() => undefined)]);
  let problemSince: number | undefined;
  let said = "";
  try {
    for (let pause = 50; ; pause = Math.min(1_000, pause * 1.4)) {
      const state = await migrationState(cluster, job);
      const now = clock.now().getTime();
      if (state.pod !== undefined && !telling.has(state.pod)) {
        log(`the migration has begun: pod ${state.pod}`);
        telling.set(state.pod, tell(context, job, state.pod, hide, heard, told.signal));
      }
      if (state.kind === "done") return;
      if (state.kind === "failed") {
        await allTold();
        throw failed(job, heard.length === 0 ? hide(state.why) : heard.join(" / "));
      }
      problemSince = state.problem === undefined ? undefined : (problemSince ?? now);
      if (state.problem !== undefined && state.problem.text !== said) log(state.problem.text);
      said = state.problem?.text ?? said;
      const why = cannotBegin(state, now - started, now - (problemSince ?? now));
      if (why !== undefined) {
        // It must not begin one day, when nobody waits for it any more.
        await removed(context, job);
        throw new StepError("unhealthy", `the migration did not begin: ${why}`, mendImage);
      }
      if (now - started > (migrationDeadlineSeconds + 60) * 1_000) throw failed(job, "it took too long");
      await clock.sleep(pause, signal);
    }
  } finally {
    await allTold();
    told.abort(new Error("the migration is over"));
  }
}

const mendImage = "mend the image or its configuration, then retry";

/** Why a migration that has not begun will not; undefined while it may. Pure. */
function cannotBegin(
  { problem, pod, hasPod }: Extract<MigrationState, { readonly kind: "going" }>,
  waitedMs: number,
  problemMs: number,
): string | undefined {
  if (pod !== undefined) return undefined;
  if (problem?.trouble === "final" || (problem?.trouble === "container" && problemMs >= lastingFor)) {
    return problem.text;
  }
  return hasPod || waitedMs < podWithin ? undefined : "it gets no pod: a quota or a guardrail may refuse it";
}

function failed({ metadata: { name, namespace = "" } }: KubeObject, why: string): StepError {
  return new StepError(
    "unhealthy",
    `the migration failed: ${bounded(why === "" ? "its pod does not say why" : why, 1_000)}`,
    `nothing was rolled out; see kubectl logs job/${name} -n ${namespace}, mend the migration, then retry or deploy another image`,
  );
}

/**
 * Tells what the program says, as far as whoever executes the run may read it.
 * @param heard - its last lines, kept up to date
 */
async function tell(
  { cluster, log }: JobContext,
  { metadata: { namespace = "" } }: KubeObject,
  pod: string,
  hide: Hide,
  heard: string[],
  signal: AbortSignal,
): Promise<void> {
  let lines = 0;
  try {
    const options = { container: migrationContainer, follow: true, signal };
    for await (const line of cluster.logs({ namespace, name: pod }, options)) {
      lines++;
      const text = bounded(hide(line), longestLine);
      heard.push(text);
      if (heard.length > lastLines) heard.shift();
      if (lines <= mostLines) log(text);
    }
  } catch {
    // May not be read, or went with its pod: why it failed stands in the pod's status too.
  }
  if (lines > mostLines) log(`${lines - mostLines} more lines, which are not kept`);
}
