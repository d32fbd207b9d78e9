import { listAt, numberAt, objectAt, textAt, valueAt } from "../json.ts";
import { ageSince } from "./age.ts";
import { ageColumn, type Column, column } from "./column.ts";

const wide = { priority: 1 } as const;

const statuses = (pod: unknown) => listAt(pod, "status", "containerStatuses");

/** The word for a pod's state, as kubectl finds it: the most telling of its containers' reasons. */
function podStatus(pod: unknown): string {
  let reason = textAt(pod, "status", "reason") ?? textAt(pod, "status", "phase") ?? "";
  const initial = initStatus(pod);
  if (initial !== undefined) reason = initial;
  else {
    let running = false;
    for (const status of statuses(pod).toReversed()) {
      const waiting = textAt(status, "state", "waiting", "reason");
      const terminated = objectAt(status, "state", "terminated");
      if (waiting !== undefined) reason = waiting;
      else if (terminated !== undefined) reason = endOf(terminated);
      else if (valueAt(status, "ready") === true && objectAt(status, "state", "running") !== undefined)
        running = true;
    }
    if (reason === "Completed" && running) reason = isReady(pod) ? "Running" : "NotReady";
  }
  if (valueAt(pod, "metadata", "deletionTimestamp") === undefined) return reason;
  return textAt(pod, "status", "phase") === "Succeeded" || textAt(pod, "status", "phase") === "Failed"
    ? reason
    : "Terminating";
}

function endOf(terminated: unknown): string {
  const reason = textAt(terminated, "reason");
  if (reason !== undefined && reason !== "") return reason;
  const signal = numberAt(terminated, "signal") ?? 0;
  return signal !== 0 ? `Signal:${signal}` : `ExitCode:${numberAt(terminated, "exitCode") ?? 0}`;
}

function initStatus(pod: unknown): string | undefined {
  const init = listAt(pod, "status", "initContainerStatuses");
  for (const [index, status] of init.entries()) {
    const terminated = objectAt(status, "state", "terminated");
    if (terminated !== undefined && numberAt(terminated, "exitCode") === 0) continue;
    if (terminated !== undefined) return `Init:${endOf(terminated)}`;
    const waiting = textAt(status, "state", "waiting", "reason");
    if (waiting !== undefined && waiting !== "PodInitializing") return `Init:${waiting}`;
    return `Init:${index}/${listAt(pod, "spec", "initContainers").length}`;
  }
  return undefined;
}

function isReady(pod: unknown): boolean {
  return listAt(pod, "status", "conditions").some(
    (condition) => textAt(condition, "type") === "Ready" && textAt(condition, "status") === "True",
  );
}

function restarts(pod: unknown, now: Date): string {
  const count = statuses(pod).reduce<number>(
    (sum, status) => sum + (numberAt(status, "restartCount") ?? 0),
    0,
  );
  const last = statuses(pod)
    .map((status) => textAt(status, "lastState", "terminated", "finishedAt") ?? "")
    .sort()
    .at(-1);
  return count > 0 && last ? `${count} (${ageSince(last, now)} ago)` : String(count);
}

/** The columns of pods. */
export const podColumns: readonly Column[] = [
  column("Ready", (pod) => {
    const ready = statuses(pod).filter((status) => valueAt(status, "ready") === true).length;
    return `${ready}/${listAt(pod, "spec", "containers").length}`;
  }),
  column("Status", podStatus),
  column("Restarts", restarts),
  ageColumn,
  column("IP", (pod) => textAt(pod, "status", "podIP") ?? "<none>", wide),
  column("Node", (pod) => textAt(pod, "spec", "nodeName") ?? "<none>", wide),
  column("Nominated Node", (pod) => textAt(pod, "status", "nominatedNodeName") ?? "<none>", wide),
  column("Readiness Gates", () => "<none>", wide),
];
