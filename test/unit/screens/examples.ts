import type { Plan } from "../../../src/provisioning/plan.ts";
import type { RollbackPreview, RunName, RunState, StepState } from "../../../src/provisioning/run.ts";
import { byUrgency } from "../../../src/services/row.ts";
import type { Service } from "../../../src/services/service.ts";
import { moment } from "./terminal.ts";

/** RFC 3339 time `seconds` before the tests' moment. */
export function ago(seconds: number): string {
  return new Date(moment - seconds * 1000).toISOString();
}

/** A healthy service; `change` makes it another. */
export function service(name: string, change: Partial<Service> = {}): Service {
  return {
    name,
    namespace: `app-${name}`,
    team: "platform",
    verdict: "healthy",
    reason: "",
    replicas: { ready: 3, wanted: 3 },
    database: { type: "postgres", ready: true },
    cache: { type: "redis", ready: true },
    monitoring: { status: "proven", targets: 3 },
    image: `registry.example.internal/platform/${name}@sha256:1c0f`,
    starter: false,
    lastRun: { name: `${name}-create-7f3k`, operation: "create", phase: "Succeeded", at: ago(4 * 86_400) },
    createdAt: ago(4 * 86_400),
    ...change,
  };
}

/** The dashboard of the design. */
export const dashboard: readonly Service[] = [
  service("api-gateway"),
  service("billing", { cache: { type: "none" }, replicas: { ready: 2, wanted: 2 } }),
  service("checkout", {
    verdict: "degraded",
    reason: "image ghcr.io/acme/checkout@sha256:9f1c cannot be pulled: not found",
    replicas: { ready: 1, wanted: 3 },
    createdAt: ago(360),
  }),
  service("ledger", {
    verdict: "failed",
    reason: "create held at Pipeline: push to acme/ledger refused",
    replicas: { ready: 0, wanted: 2 },
    database: { type: "none" },
    cache: { type: "none" },
    monitoring: { status: "off" },
    lastRun: { name: "ledger-create-x2m9", operation: "create", phase: "Held", at: ago(60) },
    createdAt: ago(60),
    starter: true,
  }),
  service("search", {
    database: { type: "none" },
    monitoring: { status: "unproven", reason: "no target yet" },
    createdAt: ago(9 * 86_400),
  }),
].sort(byUrgency);

function step(id: StepState["id"], title: string, change: Partial<StepState> = {}): StepState {
  return {
    id,
    title,
    needs: [],
    phase: "Succeeded",
    attempt: 1,
    startedAt: ago(40),
    finishedAt: ago(39.4),
    summary: "",
    warnings: [],
    effects: [],
    ...change,
  };
}

const object = (type: string, name: string, namespace = "app-api-gateway") =>
  ({ kind: "object", apiVersion: "v1", type, namespace, name }) as const;

/** A creation in the middle of its work. */
export const running: RunState = {
  name: "api-gateway-create-7f3k" as RunName,
  operation: "create",
  service: "api-gateway",
  team: "platform",
  requestedBy: "ada",
  requestedAt: ago(42),
  phase: "Running",
  epoch: 1,
  holder: "ada@laptop:4711",
  startedAt: ago(41),
  orphans: [],
  reachedReady: false,
  steps: [
    step("preflight", "Preflight", { summary: "14 checks", finishedAt: ago(39.8) }),
    step("create_namespace", "Namespace and guardrails", {
      summary: "app-api-gateway, 9 objects",
      effects: [
        {
          effect: { kind: "object", apiVersion: "v1", type: "Namespace", name: "app-api-gateway" },
          state: "created",
        },
        { effect: object("ResourceQuota", "quota"), state: "created" },
      ],
    }),
    step("provision_database", "Database", {
      phase: "Running",
      startedAt: ago(32.4),
      summary: "waiting for 1 of 1 replicas",
      effects: [{ effect: object("StatefulSet", "api-gateway-db"), state: "created" }],
    }),
    step("provision_cache", "Cache", {
      phase: "Retrying",
      attempt: 2,
      retryAt: new Date(moment + 4_000).toISOString(),
      error: { class: "transient", message: "the server is busy", mend: "" },
    }),
    step("apply_kubernetes", "Application", {
      phase: "Waiting",
      needs: ["provision_database", "provision_cache"],
    }),
    step("verify", "Verify", { phase: "Waiting", needs: ["apply_kubernetes"] }),
  ],
  log: [
    { at: ago(30), step: "provision_database", line: "StatefulSet api-gateway-db created" },
    { at: ago(28), step: "provision_database", line: "pod api-gateway-db-0: pulling postgres:15.15" },
    { at: ago(9), step: "provision_database", line: "pod api-gateway-db-0: started" },
  ],
};

/** The same, held at its database. */
export const held: RunState = {
  ...running,
  phase: "Held",
  steps: running.steps.map((each) =>
    each.id === "provision_database"
      ? {
          ...each,
          phase: "Failed",
          attempt: 3,
          finishedAt: ago(20),
          error: {
            class: "refused",
            message: "exceeded quota: requests.storage=10Gi, used: 95Gi, limited: 100Gi",
            mend: "delete a volume nobody needs, or ask a platform engineer for more",
          },
        }
      : each,
  ),
  failure: {
    step: "provision_database",
    error: {
      class: "refused",
      message: "exceeded quota: requests.storage=10Gi, used: 95Gi, limited: 100Gi",
      mend: "delete a volume nobody needs, or ask a platform engineer for more",
    },
  },
};

/** A plan as the wizard's last page shows it. */
export const plan: Plan = {
  operation: "create",
  service: "api-gateway",
  steps: [
    { id: "preflight", title: "Preflight", needs: [], effects: [], notes: [] },
    {
      id: "create_namespace",
      title: "Namespace and guardrails",
      needs: ["preflight"],
      effects: [
        {
          action: "create",
          effect: { kind: "object", apiVersion: "v1", type: "Namespace", name: "app-api-gateway" },
        },
        { action: "create", effect: object("ResourceQuota", "quota") },
        { action: "create", effect: object("LimitRange", "limits") },
      ],
      notes: [],
    },
    {
      id: "generate_manifests",
      title: "Manifests",
      needs: ["preflight"],
      effects: [
        {
          action: "create",
          effect: { kind: "repository", url: "file:///repositories/platform/api-gateway.git" },
        },
      ],
      notes: [],
    },
    {
      id: "setup_monitoring",
      title: "Monitoring",
      needs: ["create_namespace"],
      effects: [],
      notes: ["no ServiceMonitor is served on this cluster: monitoring will be off"],
    },
  ],
};

/** What a rollback of a creation says beforehand. */
export const preview: RollbackPreview = {
  run: running.name,
  restores: [],
  deletes: [
    { effects: [], text: "namespace app-ledger and what is in it", reason: "14 objects" },
    { effects: [], text: "database ledger-db", reason: "made by this run, never used" },
  ],
  keeps: [{ effects: [], text: "repository platform/ledger", reason: "holds 2 commits that are not ours" }],
  irreversible: [{ effects: [], text: "the first image push", reason: "it is public history" }],
  destroysData: false,
};
