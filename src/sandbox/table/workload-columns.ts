import { listAt, numberAt, objectAt, textAt, valueAt } from "../json.ts";
import { ageSince, humanDuration } from "./age.ts";
import { ageColumn, type Column, column } from "./column.ts";
import { containersOf, imagesOf, selectorOf } from "./texts.ts";

const wide = { priority: 1 } as const;
const integer = { type: "integer" } as const;
const count =
  (...path: readonly string[]) =>
  (object: unknown) =>
    numberAt(object, ...path) ?? 0;
const template = (object: unknown) => objectAt(object, "spec", "template", "spec");
const containers = column("Containers", (object) => containersOf(template(object)), wide);
const images = column("Images", (object) => imagesOf(template(object)), wide);
const selector = column("Selector", (object) => selectorOf(objectAt(object, "spec", "selector")), wide);
const described: readonly Column[] = [containers, images, selector];
const readyOf = (object: unknown) =>
  `${count("status", "readyReplicas")(object)}/${numberAt(object, "spec", "replicas") ?? 0}`;

function jobStatus(job: unknown): string {
  const has = (type: string) =>
    listAt(job, "status", "conditions").some(
      (condition) => textAt(condition, "type") === type && textAt(condition, "status") === "True",
    );
  if (has("Complete")) return "Complete";
  if (has("Failed")) return "Failed";
  if (valueAt(job, "metadata", "deletionTimestamp") !== undefined) return "Terminating";
  if (has("Suspended")) return "Suspended";
  return has("FailureTarget")
    ? "FailureTarget"
    : has("SuccessCriteriaMet")
      ? "SuccessCriteriaMet"
      : "Running";
}

function jobDuration(job: unknown, now: Date): string {
  const start = Date.parse(textAt(job, "status", "startTime") ?? "");
  if (Number.isNaN(start)) return "";
  const end = Date.parse(textAt(job, "status", "completionTime") ?? "");
  return humanDuration((Number.isNaN(end) ? now.getTime() : end) - start);
}

/** The columns of what makes pods. */
export const workloadColumns: Readonly<Record<string, readonly Column[]>> = {
  "apps/deployments": [
    column("Ready", readyOf),
    column("Up-to-date", count("status", "updatedReplicas")),
    column("Available", count("status", "availableReplicas")),
    ageColumn,
    ...described,
  ],
  "apps/replicasets": [
    column("Desired", count("spec", "replicas"), integer),
    column("Current", count("status", "replicas"), integer),
    column("Ready", count("status", "readyReplicas"), integer),
    ageColumn,
    ...described,
  ],
  "apps/statefulsets": [column("Ready", readyOf), ageColumn, containers, images],
  "apps/daemonsets": [
    column("Desired", count("status", "desiredNumberScheduled"), integer),
    column("Current", count("status", "currentNumberScheduled"), integer),
    column("Ready", count("status", "numberReady"), integer),
    column("Up-to-date", count("status", "updatedNumberScheduled"), integer),
    column("Available", count("status", "numberAvailable"), integer),
    column("Node Selector", () => "<none>"),
    ageColumn,
    ...described,
  ],
  "batch/jobs": [
    column("Status", jobStatus),
    column(
      "Completions",
      (job) => `${count("status", "succeeded")(job)}/${numberAt(job, "spec", "completions") ?? 1}`,
    ),
    column("Duration", jobDuration),
    ageColumn,
    ...described,
  ],
  "batch/cronjobs": [
    column("Schedule", (job) => textAt(job, "spec", "schedule")),
    column("Timezone", (job) => textAt(job, "spec", "timeZone") ?? "<none>"),
    column("Suspend", (job) => valueAt(job, "spec", "suspend") === true, { type: "boolean" }),
    column("Active", (job) => listAt(job, "status", "active").length, integer),
    column("Last Schedule", (job, now) => {
      const last = textAt(job, "status", "lastScheduleTime");
      return last === undefined ? "<none>" : ageSince(last, now);
    }),
    ageColumn,
  ],
};
