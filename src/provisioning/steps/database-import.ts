import { z } from "zod";
import { metadataOf, subjectOf } from "../../application/objects/subject.ts";
import {
  type ImportSource,
  importContainer,
  importDeadlineSeconds,
  importObjects,
} from "../../backups/import-job.ts";
import type { ImportAction } from "../../backups/import-scripts.ts";
import { type SourceAddress, sourceIn } from "../../backups/import-source.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { StepError } from "../errors.ts";
import { removed, runJob } from "../jobs/run-job.ts";
import { objectEffect, observeEffect } from "../objects/objects.ts";
import type { PlanContext, StepContext } from "../step.ts";

/** What the steps of an import work with, and what takes them back. */
export type ImportContext = Pick<
  StepContext,
  "application" | "standards" | "cluster" | "clock" | "signal" | "write" | "run" | "log" | "importing"
>;

const doing: Readonly<Record<ImportAction, string>> = {
  prove: "logging in to the source and to the service's database",
  copy: "copying the source into a database beside, and comparing both",
  close: "making the source read-only, and ending its connections",
  final: "copying the source once more, and comparing both",
  swap: "putting the imported database in the place of the service's",
  drop: "dropping the empty database that was before",
  open: "making the source writable again",
  undo: "putting the database that was before back in its place",
};

/** Name of the Secret that a run imports by. @throws Error for a run that imports nothing */
export function sourceOf({ importing }: Pick<PlanContext, "importing">): string {
  if (importing === undefined) throw new Error("the run imports nothing");
  return importing.from;
}

/**
 * Where the source is, by its Secret.
 * @throws StepError `invalid` where there is no such Secret, or it does not say
 */
async function addressOf(
  context: Pick<ImportContext, "application" | "cluster" | "importing">,
): Promise<SourceAddress> {
  const name = sourceOf(context);
  const { namespace } = context.application.metadata;
  const secret = await find(context.cluster, resources.secrets, { namespace, name });
  const found = secret && sourceIn(secret);
  if (found?.address !== undefined) return found.address;
  throw new StepError(
    "invalid",
    found === undefined
      ? `there is no secret ${name} in ${namespace}, which says where the source is`
      : `secret ${name} does not say where the source is: ${found.problems.join(", ")}`,
    `write it again, in ${namespace}, then retry`,
  );
}

/** Does something with the service's database alone. @returns what it said @throws StepError */
export function inOwnDatabase(
  context: ImportContext,
  action: Extract<ImportAction, "swap" | "drop" | "undo">,
): Promise<string> {
  return act(context, action, undefined);
}

/**
 * Does something with the source, and with the service's database where the action is about both.
 * @param was - left out: what the run has found it to be
 * @returns what it said
 * @throws StepError
 */
export async function atSource(
  context: ImportContext,
  action: Exclude<ImportAction, "swap" | "drop" | "undo">,
  was?: ImportSource["was"],
): Promise<string> {
  const address = await addressOf(context);
  const source = { secret: sourceOf(context), address, was: was ?? (await recordedState(context)) };
  return act(context, action, source);
}

function act(
  context: ImportContext,
  action: ImportAction,
  source: ImportSource | undefined,
): Promise<string> {
  const { application, standards } = context;
  const { policies, job } = importObjects(application, standards, action, source);
  return runJob(
    { ...context, service: application.metadata.name },
    {
      around: policies,
      job,
      container: importContainer,
      withinMs: (importDeadlineSeconds + 60) * 1_000,
      doing: doing[action],
    },
  );
}

function mark(
  { application, standards }: Pick<PlanContext, "application" | "standards">,
  suffix: string,
  data: Readonly<Record<string, string>>,
): KubeObject {
  const subject = subjectOf(application, standards);
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: metadataOf(subject, "database", `${subject.name}-db-${suffix}`),
    data,
  };
}

/** ConfigMap `<name>-db-import`: there as long as an import can be taken back. */
export function importMark(
  context: Pick<PlanContext, "application" | "standards" | "importing">,
  was: ImportSource["was"],
): KubeObject {
  return mark(context, "import", { from: sourceOf(context), source: was });
}

/** ConfigMap `<name>-db-import-closed`: there as long as the source is read-only for an import that can be taken back. */
export function closedMark(
  context: Pick<PlanContext, "application" | "standards" | "importing">,
): KubeObject {
  return mark(context, "import-closed", { from: sourceOf(context) });
}

const markSchema = z.looseObject({ data: z.looseObject({ source: z.enum(["writable", "read-only"]) }) });

/** What the source was when the import began. @throws StepError `invalid` where nothing says so any more */
async function recordedState(context: ImportContext): Promise<ImportSource["was"]> {
  const object = importMark(context, "writable");
  const found = markSchema.safeParse(await observeEffect(context.cluster, objectEffect(object)));
  if (found.success) return found.data.data.source;
  throw new StepError(
    "invalid",
    `ConfigMap ${object.metadata.name}, which says what the import found, is gone or was changed by somebody`,
    "roll the run back, and import again",
  );
}

const isThere = async ({ cluster }: ImportContext, object: KubeObject) =>
  (await observeEffect(cluster, objectEffect(object))) !== undefined;

/** Whoever was interrupted may have left Jobs at work: nothing may be copied beside what is taken back. */
async function stopped(context: ImportContext, actions: readonly ImportAction[]): Promise<void> {
  const { application, standards } = context;
  for (const action of actions) {
    await removed(context, importObjects(application, standards, action, undefined).job);
  }
}

/** Takes an import back in the service's database; what is objects is undone after it, like any other step's. */
export async function undoImport(context: ImportContext): Promise<void> {
  // Nothing was made before it was there, and nothing is to be taken back once it is gone.
  if (!(await isThere(context, importMark(context, "writable")))) return;
  await stopped(context, ["copy", "final", "swap"]);
  await inOwnDatabase(context, "undo");
}

/** Makes the source writable again; before that the service leaves what was copied of it, so that never both are written to. */
export async function reopenSource(context: ImportContext): Promise<void> {
  if (!(await isThere(context, closedMark(context)))) return;
  await stopped(context, ["close"]);
  await undoImport(context);
  await atSource(context, "open");
}
