import { hasOwnNamespace } from "../application/service-ref.ts";
import type { Alert, Proof, Target } from "../monitoring/metrics.ts";
import { isOf, judgeTargets } from "../monitoring/prove.ts";
import type { ApplicationFacts, NamespaceFacts, RunFacts, WorkloadFacts } from "./facts.ts";
import type { DataStore, LastRun, Service, Verdict } from "./service.ts";

/** What Prometheus said of all services. */
export type Scraping =
  | { readonly state: "unasked" }
  | { readonly state: "failed"; readonly reason: string }
  | {
      readonly state: "answered";
      /** By namespace. */
      readonly targets: ReadonlyMap<string, readonly Target[]>;
      /** Firing alerts by namespace. */
      readonly firing: ReadonlyMap<string, readonly Alert[]>;
    };

/** All that is known of one service. What has not been read yet is undefined. */
export interface Parts {
  readonly name: string;
  readonly namespace: NamespaceFacts;
  readonly application: ApplicationFacts | undefined;
  readonly workload: WorkloadFacts | undefined;
  readonly database: WorkloadFacts | undefined;
  readonly cache: WorkloadFacts | undefined;
  /** The newest run about it. */
  readonly run: RunFacts | undefined;
  readonly scraping: Scraping;
  /** Why its pods are not ready, from the pods themselves; empty where they were not asked. */
  readonly problem: string;
  /** True once Applications, workloads and runs have all been listed: only then is something missing. */
  readonly complete: boolean;
}

/** A dashboard row. Pure. */
export function rowOf(parts: Parts): Service {
  const { name, namespace, application, workload, run } = parts;
  const own = isOwn(parts);
  const monitoring = proofOf(parts);
  const [verdict, reason] = own ? judge(parts, monitoring) : judgeShared(parts, monitoring);
  const teams = [namespace.team, application?.team ?? ""];
  return {
    kind: "service",
    name,
    namespace: namespace.name,
    team: (own ? teams : teams.reverse()).find((team) => team !== "") ?? "",
    verdict,
    reason,
    replicas: workload?.pods ?? (application && { ready: 0, wanted: application.replicas }),
    database: dataStore("postgres", application, parts.database),
    cache: dataStore("redis", application, parts.cache),
    monitoring,
    ...firingOf(parts),
    image: application?.image ?? workload?.image ?? "",
    starter: application?.starter ?? false,
    lastRun: run && lastRun(run),
    createdAt: own ? namespace.createdAt : (application?.createdAt ?? namespace.createdAt),
  };
}

/** The row of a namespace that several services may share, while none is in it. Pure. */
export function namespaceRow(
  { name, team, createdAt, terminating }: NamespaceFacts,
  complete: boolean,
): Service {
  const [verdict, reason]: readonly [Verdict, string] = terminating
    ? ["working", "the namespace is being deleted"]
    : complete
      ? ["degraded", `no Application is in it; kubectl apply -n ${name} -f FILE makes one`]
      : ["healthy", ""];
  return {
    kind: "namespace",
    name,
    namespace: name,
    team,
    verdict,
    reason,
    replicas: undefined,
    database: { type: "none" },
    cache: { type: "none" },
    monitoring: { status: "off" },
    image: "",
    starter: false,
    lastRun: undefined,
    createdAt,
  };
}

function isOwn({ name, namespace }: Pick<Parts, "name" | "namespace">): boolean {
  return hasOwnNamespace({ name, namespace: namespace.name });
}

/** Names of its alerts that fire; nothing where that is not known. */
function firingOf(parts: Parts): { readonly firing?: readonly string[] } {
  const { name, namespace, scraping } = parts;
  const alerts = scraping.state === "answered" ? scraping.firing.get(namespace.name) : undefined;
  if (alerts === undefined) return {};
  const own = isOwn(parts) ? alerts : alerts.filter(({ service }) => isOf(name, service));
  return own.length === 0 ? {} : { firing: own.map(({ alert }) => alert) };
}

/** What needs a person first, then by name. */
export function byUrgency(a: Service, b: Service): number {
  const difference = urgency[a.verdict] - urgency[b.verdict];
  if (difference !== 0) return difference;
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.namespace < b.namespace ? -1 : a.namespace > b.namespace ? 1 : 0;
}

const urgency: Readonly<Record<Verdict, number>> = {
  failed: 0,
  degraded: 1,
  working: 2,
  healthy: 3,
  kept: 4,
};

function judge(parts: Parts, monitoring: Proof): readonly [Verdict, string] {
  const { namespace, run, workload } = parts;
  const ofRun = run && judgeRun(run);
  if (ofRun !== undefined) return ofRun;
  if (namespace.terminating) return ["working", "the namespace is being deleted"];
  if (parts.application?.terminating === true) return ["working", "its Application is being deleted"];
  if (parts.application === undefined && workload === undefined) return withoutApplication(parts);
  const ofWorkload = judgeWorkload(workload, parts.problem);
  if (ofWorkload[0] === "failed" || ofWorkload[0] === "degraded") return ofWorkload;
  return judgeAround(parts, monitoring) ?? ofWorkload;
}

/** What a run that is not over makes of its service. */
function judgeRun(run: RunFacts): readonly [Verdict, string] | undefined {
  const because = run.message === "" ? "" : `: ${run.message}`;
  switch (run.phase) {
    case "Held":
      return ["failed", `${run.operation} is held${because}`];
    case "RollbackFailed":
      return ["failed", `the roll back of ${run.operation} failed${because}`];
    case "Interrupted":
      return ["degraded", `${run.operation} was interrupted, go on with: platform run resume ${run.name}`];
    case "Pending":
    case "Running":
    case "RollingBack":
      // Between two steps the run has no message of its own.
      return ["working", run.message === "" ? `${run.operation} is under way` : run.message];
    case "Succeeded":
    case "RolledBack":
    case "Refused":
      return undefined;
  }
}

/** What is wrong beside the workload: data stores, monitoring. */
function judgeAround({ database, cache }: Parts, monitoring: Proof): readonly [Verdict, string] | undefined {
  for (const store of [database, cache]) {
    if (store !== undefined && store.pods.ready < store.pods.wanted) {
      return [
        "degraded",
        store.problem === "" ? `${store.component} ${store.name} is not ready` : store.problem,
      ];
    }
  }
  return monitoring.status === "broken" ? ["degraded", monitoring.reason] : undefined;
}

/**
 * Of a service that shares its namespace its Application tells, in the operator's words: it is made as it was applied. Of
 * its deletion the run tells.
 */
function judgeShared(parts: Parts, monitoring: Proof): readonly [Verdict, string] {
  const { name, namespace, application, workload, run, complete } = parts;
  const deletion = run?.operation === "delete" ? judgeRun(run) : undefined;
  if (deletion !== undefined) return deletion;
  if (namespace.terminating) return ["working", "the namespace is being deleted"];
  if (application?.terminating === true) return ["working", "its Application is being deleted"];
  if (application === undefined && workload === undefined) {
    if (!complete) return ["healthy", ""];
    return [
      "kept",
      `kept: data stores of ${name}; an Application ${name} in ${namespace.name} uses them again, platform service delete ${namespace.name}/${name} --data-stores delete destroys them`,
    ];
  }
  const ofWorkload = judgeWorkload(workload, parts.problem);
  if (ofWorkload[0] === "failed" || ofWorkload[0] === "degraded") return ofWorkload;
  const { state = "silent", message = "" } = application?.operator ?? {};
  if (state === "degraded") return [workload === undefined ? "failed" : "degraded", message];
  if (state === "progressing") return ["working", message === "" ? "being made" : message];
  if (state === "silent" && workload === undefined && complete) {
    return ["working", "waits for the operator; platform doctor tells whether there is one"];
  }
  return judgeAround(parts, monitoring) ?? ofWorkload;
}

function judgeWorkload(workload: WorkloadFacts | undefined, problem: string): readonly [Verdict, string] {
  if (workload === undefined) return ["healthy", ""];
  const { ready, wanted } = workload.pods;
  if (ready >= wanted && (workload.settled || workload.problem === "")) {
    return workload.settled ? ["healthy", ""] : ["working", "rolling out"];
  }
  const why = problem === "" ? workload.problem : problem;
  if (why !== "") return [ready === 0 && wanted > 0 ? "failed" : "degraded", why];
  const count = `${ready} of ${wanted} pods ready`;
  // Pods that were ready and no longer are, without a rollout: nobody is at work on it.
  return workload.settled && ready > 0 ? ["degraded", count] : ["working", count];
}

function withoutApplication({
  name: service,
  complete,
  run,
  database,
  cache,
}: Parts): readonly [Verdict, string] {
  if (!complete) return ["healthy", ""];
  const over = run?.phase === "RolledBack" || (run?.operation === "delete" && run.phase === "Succeeded");
  if (!over) return ["degraded", "the namespace has no Application"];
  const stores = [database, cache].flatMap((store) => (store === undefined ? [] : [store.name]));
  if (stores.length === 0) {
    return [
      "kept",
      `kept: what is left of ${service}, see it with: platform orphans list --service ${service}`,
    ];
  }
  return [
    "kept",
    `kept: data stores of ${service}; platform service create ${service} uses them again, platform service delete ${service} --data-stores delete destroys them`,
  ];
}

function proofOf({ name, namespace, application, scraping }: Parts): Proof {
  if (application === undefined || !application.monitored) return { status: "off" };
  switch (scraping.state) {
    case "unasked":
      return { status: "unproven", reason: "Prometheus has not been asked yet" };
    case "failed":
      return { status: "unproven", reason: scraping.reason };
    case "answered": {
      const targets = scraping.targets.get(namespace.name) ?? [];
      const own = targets.filter(({ service }) => isOf(name, service));
      return judgeTargets(own) ?? { status: "unproven", reason: "Prometheus shows no target of the service" };
    }
  }
}

function dataStore(
  type: "postgres" | "redis",
  application: Parts["application"],
  workload: WorkloadFacts | undefined,
): DataStore {
  const store = type === "postgres" ? "database" : "cache";
  if (workload === undefined) {
    if (application?.[store] !== true) return { type: "none" };
    return { type, ready: application.elsewhere?.includes(store) === true };
  }
  return { type, ready: workload.pods.ready >= workload.pods.wanted };
}

function lastRun({ name, operation, phase, at }: RunFacts): LastRun {
  return { name, operation, phase, at };
}
