import { databaseNames } from "../../application/credentials.ts";
import { providerOf } from "../../application/store-provider.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import {
  type CloudSqlStore,
  type CloudStore,
  cloneOf,
  recordData,
  storesIn,
} from "../data-stores/cloud-store.ts";
import { StepError } from "../errors.ts";
import type { PlanContext, StepContext } from "../step.ts";

/** Whether a service's database is Cloud SQL: only that comes back to a moment. Pure. */
export function isAtCloudSql({ application }: Pick<PlanContext, "application">): boolean {
  return providerOf(application.spec, "database") === "cloudsql";
}

/** What the steps of a restore to a moment work with, and what takes them back. */
export type InstancesContext = Pick<StepContext, "application" | "cluster" | "write" | "run" | "backups">;

/** The moment that a run brings a database back to. @throws Error for a run that does nothing like it */
export function momentOf({ backups }: Pick<PlanContext, "backups">): string {
  if (backups?.toTime === undefined) throw new Error("the run brings nothing back to a moment");
  return backups.toTime;
}

/** What a run calls the instance that it makes, among those of the database. */
function copyOf({ run, application }: Pick<InstancesContext, "run" | "application">): string {
  return `r${run.slice(`${application.metadata.name}-restore-`.length)}`;
}

/** Name of what says where the other instance is than the service's, and of the Secret to reach it. */
export function besideName(context: Pick<InstancesContext, "run" | "application">): string {
  return `${databaseNames(context.application).name}-${copyOf(context)}`;
}

/** The instance that the service had, and the one that the run makes of it. */
export interface Instances {
  readonly before: CloudSqlStore;
  readonly restored: CloudSqlStore;
}

/** Both records: of the service's instance, and of the one beside it. */
async function recordsOfBoth(context: Pick<InstancesContext, "application" | "cluster" | "run">) {
  const { namespace } = context.application.metadata;
  const { name } = databaseNames(context.application);
  const [own, beside] = await Promise.all(
    [name, besideName(context)].map((each) =>
      find(context.cluster, resources.configMaps, { namespace, name: each }),
    ),
  );
  const whole = (object: KubeObject | undefined) =>
    object && { ...object, apiVersion: "v1", kind: "ConfigMap" };
  return { own: whole(own), beside: whole(beside) };
}

/**
 * Which instances a run is about, however far it has come.
 * @throws StepError `invalid` where nothing says any more which one the service had
 */
export async function instancesOf(
  context: Pick<InstancesContext, "application" | "cluster" | "run" | "backups">,
): Promise<Instances> {
  const { own, beside } = await recordsOfBoth(context);
  const told = [own, beside].flatMap((record) => (record === undefined ? [] : storesIn(record)));
  const copy = copyOf(context);
  const [before] = told.filter(isCloudSql).filter(({ identity }) => identity.copy !== copy);
  if (before === undefined) {
    const { name } = databaseNames(context.application);
    throw new StepError(
      "invalid",
      `ConfigMap ${name}, which says which instance the database of ${context.application.metadata.name} is, is gone or another's`,
      "have a platform engineer write back what it said: the run that made it names the instance, platform run show; then retry",
    );
  }
  const recorded = told.filter(isCloudSql).find(({ identity }) => identity.copy === copy);
  return { before, restored: recorded ?? cloneOf(before, copy, momentOf(context)) };
}

function isCloudSql(store: CloudStore): store is CloudSqlStore {
  return store.provider === "cloudsql";
}

/** Has the records say that the service uses the one instance, and that the other is beside it. At no time is one in neither. */
export async function exchange(
  context: Pick<InstancesContext, "application" | "cluster" | "run" | "write">,
  { used, other }: { readonly used: CloudStore; readonly other: CloudStore },
): Promise<void> {
  const { own, beside } = await recordsOfBoth(context);
  if (own === undefined || beside === undefined) {
    throw new StepError(
      "invalid",
      `what says where the instances of ${databaseNames(context.application).name} are is gone`,
      "see who deleted the ConfigMap: kubectl get events; then retry",
    );
  }
  const isAbout = (record: KubeObject, store: CloudStore) =>
    storesIn(record)[0]?.variables.name === store.variables.name;
  const halfway = !isAbout(own, used);
  if (halfway) await context.write.patchObjects([own], { data: recordData(used, other) });
  if (!isAbout(beside, other)) await context.write.patchObjects([beside], { data: recordData(other) });
  if (halfway || storesIn(own).length > 1) {
    await context.write.patchObjects([own], { data: recordData(used) });
  }
}
