import { isDeepStrictEqual } from "node:util";
import type { ApplicationStatus } from "../../application/schema.ts";
import { storeCondition } from "../../application/store-rules.ts";
import type { Child } from "./child.ts";
import { refOf } from "./object-writer.ts";
import { children, type Outcome, type PartName, type PartState, partNames } from "./part-state.ts";

type Condition = NonNullable<ApplicationStatus["conditions"]>[number];
type Status = Condition["status"];

/** What a status follows from. */
export type Findings =
  /** Nothing was made, for this reason. */
  | { readonly kind: "unmade"; readonly reason: string; readonly message: string }
  | {
      readonly kind: "made";
      readonly parts: Readonly<Record<PartName, PartState>>;
      readonly outcomes: readonly Outcome[];
    };

/** Type of the condition that tells of a part. */
export const conditionOfPart: Readonly<Record<PartName, string>> = {
  workload: "WorkloadReady",
  ...storeCondition,
  monitoring: "MonitoringReady",
  network: "NetworkReady",
};

/** Longest message of a condition, in characters: an admission policy's can be pages. */
const longestMessage = 1_000;

type Said = readonly [type: string, status: Status, reason: string, message: string];

function statusOfPart(name: PartName, part: PartState): Said {
  const type = conditionOfPart[name];
  switch (part.state) {
    case "notRequested":
      return [type, "True", "NotRequested", ""];
    case "ready":
      return [type, "True", part.reason, part.message];
    case "progressing":
    case "broken":
      return [type, "False", part.reason, part.message];
  }
}

function summary(parts: Readonly<Record<PartName, PartState>>): readonly Said[] {
  const all = partNames.map((name) => parts[name]);
  const broken = all.find((part) => part.state === "broken");
  const progressing = all.find((part) => part.state === "progressing");
  const lacking = broken ?? progressing;
  return [
    lacking === undefined
      ? ["Ready", "True", "Ready", ""]
      : ["Ready", "False", lacking.reason, lacking.message],
    progressing === undefined
      ? ["Progressing", "False", broken === undefined ? "Done" : "Stuck", ""]
      : ["Progressing", "True", progressing.reason, progressing.message],
    broken === undefined
      ? ["Degraded", "False", "AsWanted", ""]
      : ["Degraded", "True", broken.reason, broken.message],
  ];
}

function said(findings: Findings): readonly Said[] {
  if (findings.kind === "made") {
    const { parts } = findings;
    return [...summary(parts), ...partNames.map((name) => statusOfPart(name, parts[name]))];
  }
  const { reason, message } = findings;
  return [
    ["Ready", "False", reason, message],
    ["Progressing", "False", "Stuck", ""],
    ["Degraded", "True", reason, message],
    ...partNames.map((name): Said => [conditionOfPart[name], "Unknown", reason, ""]),
  ];
}

/**
 * The status that says what was found. A condition keeps its time while its status stays. Pure.
 * @param before - the status as it is
 */
export function statusOf(
  findings: Findings,
  before: ApplicationStatus,
  { generation, now }: { readonly generation: number; readonly now: Date },
): ApplicationStatus {
  const conditions = said(findings).map(([type, status, reason, message]): Condition => {
    const earlier = before.conditions?.find((condition) => condition.type === type);
    return {
      type,
      status,
      reason,
      message: message.length > longestMessage ? `${message.slice(0, longestMessage - 1)}…` : message,
      // Whole seconds, as Kubernetes writes times.
      lastTransitionTime:
        earlier?.status === status ? earlier.lastTransitionTime : now.toISOString().replace(/\.\d+Z$/, "Z"),
      observedGeneration: generation,
    };
  });
  if (findings.kind === "unmade") return { observedGeneration: generation, conditions };
  const deployment = children(
    findings.outcomes.filter(({ wanted }) => wanted.resource.kind === "Deployment"),
  ).find(({ workload }) => workload !== undefined);
  const conflicts = conflictsIn(findings.outcomes);
  return {
    observedGeneration: generation,
    ...ofDeployment(deployment, before),
    ...(conflicts.length === 0 ? {} : { conflicts }),
    conditions,
  };
}

function ofDeployment(deployment: Child | undefined, before: ApplicationStatus): Partial<ApplicationStatus> {
  const workload = deployment?.workload;
  if (deployment === undefined || workload === undefined) return {};
  const image = workload.complete ? workload.image : before.image;
  return {
    replicas: deployment.pods,
    readyReplicas: workload.ready,
    selector: Object.entries(workload.matchLabels)
      .map(([key, value]) => `${key}=${value}`)
      .sort()
      .join(","),
    ...(image === undefined ? {} : { image }),
  };
}

function conflictsIn(outcomes: readonly Outcome[]): NonNullable<ApplicationStatus["conflicts"]> {
  return outcomes.flatMap(({ wanted, result }) =>
    result.kind === "conflict"
      ? [
          {
            kind: wanted.resource.kind,
            name: refOf(wanted.key).name,
            message: `${result.owner}; rename or remove it`,
          },
        ]
      : [],
  );
}

/** Whether two statuses say the same. Pure. */
export function sameStatus(one: ApplicationStatus, other: ApplicationStatus): boolean {
  return isDeepStrictEqual(one, other);
}

/** A merge patch that makes one status the other: what is said no more is taken out. Pure. */
export function statusPatch(
  before: ApplicationStatus,
  after: ApplicationStatus,
): Readonly<Record<string, unknown>> {
  const gone = Object.keys(before).filter((field) => !(field in after));
  return { ...after, ...Object.fromEntries(gone.map((field) => [field, null])) };
}

/** A condition of a status. Pure. */
export function conditionIn(status: ApplicationStatus, type: string): Condition | undefined {
  return status.conditions?.find((condition) => condition.type === type);
}
