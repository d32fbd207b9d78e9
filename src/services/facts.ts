import { z } from "zod";
import { labels } from "../application/names.ts";
import { hasOwnNamespace } from "../application/service-ref.ts";
import { storeKinds } from "../application/store-provider.ts";
import { storeCondition } from "../application/store-rules.ts";
import type { KubeObject, KubeTable, ObjectMeta } from "../cluster/object.ts";
import { cleanText } from "../cluster/text.ts";
import { workloadStatus } from "../cluster/workload-status.ts";
import { operationSchema } from "../provisioning/plan.ts";
import type { RunPhase } from "../provisioning/runs/run.ts";
import { serviceText } from "../provisioning/runs/service-of-run.ts";
import type { LastRun, Readiness } from "./service.ts";

/** What a dashboard keeps of a managed namespace. */
export interface NamespaceFacts {
  readonly name: string;
  /** The service whose own it is; empty where several may share it. */
  readonly service: string;
  readonly team: string;
  readonly createdAt: string;
  readonly terminating: boolean;
}

/** What the operator says of an Application; `silent`: nothing of what it is now. */
export interface OperatorWord {
  readonly state: "silent" | "ready" | "progressing" | "degraded";
  /** Cleaned; empty where all is well. */
  readonly message: string;
}

/** … of an Application. */
export interface ApplicationFacts {
  readonly name: string;
  readonly namespace: string;
  readonly team: string;
  readonly image: string;
  readonly starter: boolean;
  readonly replicas: number;
  readonly database: boolean;
  readonly cache: boolean;
  /**
   * Those of its data stores that are there and do not run as a StatefulSet: where the Application was written by a run, a
   * login proved them before; of what was applied the operator tells.
   */
  readonly elsewhere?: readonly ("database" | "cache")[];
  readonly monitored: boolean;
  readonly createdAt: string;
  readonly terminating: boolean;
  /** Kept where it shares its namespace: it is applied, and the operator makes it. Of the others, runs and workloads tell. */
  readonly operator?: OperatorWord;
}

/** … of a Deployment or StatefulSet. */
export interface WorkloadFacts {
  readonly name: string;
  readonly namespace: string;
  /** `workload`, `database` or `cache`; empty for somebody else's. */
  readonly component: string;
  readonly pods: Readiness;
  readonly image: string;
  /** False while the controller has not acted on the newest spec, or old pods are still being replaced. */
  readonly settled: boolean;
  /** What the controller itself reports as wrong: pods refused, deadline passed; empty where nothing. */
  readonly problem: string;
}

/** … of a Run. */
export interface RunFacts extends LastRun {
  /** Key of the row that it is about (`serviceKey`). */
  readonly service: string;
  /** What it does, or what failed. */
  readonly message: string;
}

export function namespaceFacts({ name, labels: own = {}, ...metadata }: ObjectMeta): NamespaceFacts {
  return {
    name,
    service: name.startsWith("app-") ? name.slice("app-".length) : "",
    team: own[labels.team] ?? "",
    createdAt: metadata.creationTimestamp ?? "",
    terminating: metadata.deletionTimestamp !== undefined,
  };
}

/** Less than the Application's own schema: a dashboard shows what an older or newer version wrote too. */
const applicationSchema = z.object({
  team: z.string().optional(),
  image: z.string().optional(),
  starter: z.boolean().optional(),
  replicas: z.int().optional(),
  database: z.object({ provider: z.string().optional() }).optional(),
  cache: z.object({ provider: z.string().optional() }).optional(),
  monitoring: z.object({ enabled: z.boolean().optional() }).optional(),
});

export function applicationFacts(object: KubeObject): ApplicationFacts {
  const spec = applicationSchema.safeParse(object.spec ?? {}).data ?? {};
  const { name, namespace = "", creationTimestamp = "", deletionTimestamp } = object.metadata;
  const own = hasOwnNamespace({ name, namespace });
  const elsewhere = storeKinds.filter(
    (store) => spec[store]?.provider !== undefined && (own || isTrue(object, storeCondition[store])),
  );
  return {
    name,
    namespace,
    team: cleanText(spec.team ?? ""),
    image: cleanText(spec.image ?? ""),
    starter: spec.starter ?? false,
    replicas: spec.replicas ?? 0,
    database: spec.database !== undefined,
    cache: spec.cache !== undefined,
    ...(elsewhere.length === 0 ? {} : { elsewhere }),
    monitored: spec.monitoring?.enabled ?? false,
    createdAt: creationTimestamp,
    terminating: deletionTimestamp !== undefined,
    ...(own ? {} : { operator: operatorWord(object) }),
  };
}

const statusSchema = z.object({
  conditions: z
    .array(
      z.object({
        type: z.string(),
        status: z.string(),
        message: z.string().default(""),
        observedGeneration: z.number().optional(),
      }),
    )
    .default([]),
});

function conditionsIn({ status }: KubeObject) {
  return statusSchema.safeParse(status ?? {}).data?.conditions ?? [];
}

/** Whether a condition holds. */
function isTrue(object: KubeObject, type: string): boolean {
  return conditionsIn(object).some((condition) => condition.type === type && condition.status === "True");
}

/** What the conditions of an Application say of its newest spec. */
function operatorWord(object: KubeObject): OperatorWord {
  const { metadata } = object;
  const conditions = conditionsIn(object);
  const saying = (type: string, is: string) =>
    conditions.find((condition) => condition.type === type && condition.status === is);
  const ready = conditions.find(({ type }) => type === "Ready");
  if (ready === undefined || ready.observedGeneration !== metadata.generation) {
    return { state: "silent", message: "" };
  }
  const degraded = saying("Degraded", "True");
  if (degraded !== undefined) return { state: "degraded", message: cleanText(degraded.message) };
  if (ready.status === "True") return { state: "ready", message: "" };
  return { state: "progressing", message: cleanText(ready.message) };
}

export function workloadFacts(object: KubeObject): WorkloadFacts {
  const { wanted, ready, image, updated, problem } = workloadStatus(object);
  return {
    name: object.metadata.name,
    namespace: object.metadata.namespace ?? "",
    component: object.metadata.labels?.[labels.component] ?? "",
    pods: { ready, wanted },
    image,
    settled: updated,
    problem: problem?.text ?? "",
  };
}

const phases: readonly RunPhase[] = [
  ...(["Pending", "Running", "Held", "Interrupted"] as const),
  ...(["Succeeded", "RollingBack", "RolledBack", "RollbackFailed", "Refused"] as const),
];

/** Runs of the server's table: a row has no journal, which makes it a hundredth of the bytes. */
export function runFacts({ columns, rows }: KubeTable): RunFacts[] {
  const index = (name: string): number => columns.findIndex((column) => column.name === name);
  const titles = ["Service", "Namespace", "Operation", "Phase", "Message"];
  const [service, namespace, operation, phase, message] = titles.map(index);
  return rows.flatMap(({ cells, metadata }) => {
    const text = (at: number | undefined): string => {
      const cell = at === undefined || at < 0 ? undefined : cells[at];
      return typeof cell === "string" ? cleanText(cell) : "";
    };
    const parsed = operationSchema.safeParse(text(operation));
    if (!parsed.success) return [];
    return [
      {
        name: metadata.name,
        service: serviceText({ service: text(service), sharedNamespace: text(namespace) || undefined }),
        operation: parsed.data,
        phase: phases.find((known) => known === text(phase)) ?? "Pending",
        message: text(message),
        at: metadata.creationTimestamp ?? "",
      },
    ];
  });
}

/** Whether `run` is newer than `other`. Creation times have whole seconds: the name decides between equals, the same way for everybody. */
export function isNewer(run: LastRun, other: LastRun | undefined): boolean {
  if (other === undefined || run.at !== other.at) return other === undefined || run.at > other.at;
  return run.name > other.name;
}
