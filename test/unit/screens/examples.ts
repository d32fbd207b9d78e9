import type { ApplicationSpec } from "../../../src/application/application.ts";
import { offersOf } from "../../../src/provisioning/data-stores/terms.ts";
import type { Release } from "../../../src/provisioning/operations/releases.ts";
import type { CleanupPlan, Orphan } from "../../../src/provisioning/orphans/orphan.ts";
import type { Plan } from "../../../src/provisioning/plan.ts";
import type { RollbackPreview, RunName, RunState, StepState } from "../../../src/provisioning/runs/run.ts";
import { byUrgency } from "../../../src/services/row.ts";
import type { Service } from "../../../src/services/service.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";
import { moment } from "./terminal.ts";

/** RFC 3339 time `seconds` before the tests' moment. */
export function ago(seconds: number): string {
  return new Date(moment - seconds * 1000).toISOString();
}

/** A healthy service; `change` makes it another. */
export function service(name: string, change: Partial<Service> = {}): Service {
  return {
    name,
    kind: "service",
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

/** Services that share namespaces, applied with kubectl, beside one of its own; and a namespace with none. */
export const sharing: readonly Service[] = [
  service("api-gateway"),
  ...(["production", "production-eu-central"] as const).map((namespace) =>
    service("api-gateway", { namespace, lastRun: undefined }),
  ),
  service("ledger", {
    namespace: "production",
    verdict: "degraded",
    reason: "1 of 3 pods ready: the process ends with code 1",
    replicas: { ready: 1, wanted: 3 },
    lastRun: undefined,
  }),
  service("staging", {
    kind: "namespace",
    namespace: "staging",
    verdict: "degraded",
    reason: "no Application is in it; kubectl apply -n staging -f FILE makes one",
    replicas: undefined,
    database: { type: "none" },
    cache: { type: "none" },
    monitoring: { status: "off" },
    image: "",
    lastRun: undefined,
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

/** Data stores as two organisations choose them: in the cluster, without prices, and at Google. */
export const offers = {
  inCluster: offersOf(standardsSchema.parse({})),
  atGoogle: offersOf(
    standardsSchema.parse({
      google: {
        project: "acme-prod",
        network: "projects/acme-prod/global/networks/main",
        range: "10.20.0.0/16",
      },
      database: { provider: "cloudsql", cloudsql: { tier: "db-custom-2-7680", highlyAvailable: true } },
      cache: { provider: "memorystore" },
      prices: {
        currency: "EUR",
        examples: true,
        cloudsql: { cpu: 55, memoryGib: 9, diskGb: 0.3 },
        memorystore: { memoryGb: 35 },
      },
    }),
  ),
} as const;

/** The plan of a creation with all its steps. */
export const wholePlan: Plan = {
  ...plan,
  steps: (
    [
      ["preflight", "Preflight", 0],
      ["create_namespace", "Namespace and guardrails", 9],
      ["provision_database", "Database", 2],
      ["provision_cache", "Cache", 2],
      ["generate_manifests", "Manifests", 0],
      ["setup_monitoring", "Monitoring", 4],
      ["configure_cicd", "Pipeline", 2],
      ["configure_network", "Network", 1],
      ["apply_kubernetes", "Application", 4],
      ["protect_data_stores", "Deletion protection", 0],
      ["verify", "Verify", 0],
    ] as const
  ).map(([id, title, objects]) => ({
    id,
    title,
    needs: [],
    effects: Array.from({ length: objects }, (_, index) => ({
      action: "create" as const,
      effect: object("ConfigMap", `${id}-${index}`),
    })),
    notes: [],
  })),
};

/** What a rollback of a creation says beforehand. */
export const preview: RollbackPreview = {
  run: running.name,
  restores: [],
  deletes: [
    { effects: [], text: "namespace app-ledger and what is in it", reason: "14 objects" },
    {
      effects: [object("StatefulSet", "ledger-db", "app-ledger")],
      text: "database ledger-db",
      reason: "made by this run, never used",
    },
  ],
  keeps: [{ effects: [], text: "repository platform/ledger", reason: "holds 2 commits that are not ours" }],
  irreversible: [{ effects: [], text: "the first image push", reason: "it is public history" }],
  destroysData: false,
};

const repository = "registry.example.internal/platform/checkout";
const digest = (start: string) => `${repository}@sha256:${start.padEnd(64, "0")}`;

/** What a service has that was deployed once. */
export const spec: ApplicationSpec = {
  team: "platform",
  language: "go",
  replicas: 3,
  image: digest("9f1c2d3e4f5a"),
  starter: false,
  resources: {
    requests: { cpu: "100m", memory: "256Mi" },
    limits: { cpu: "500m", memory: "512Mi" },
  },
  exposure: "internal",
  database: { type: "postgres" },
  monitoring: { enabled: true, alerts: ["high-error-rate", "high-latency"] },
};

/** The releases of a service, newest first. */
export const releases: readonly Release[] = [
  {
    number: 4,
    run: "checkout-deploy-x2m9q" as RunName,
    operation: "deploy",
    by: "system:serviceaccount:platform-system:pipeline-checkout",
    at: ago(360),
    spec,
    commit: "3f2c1a9d8e7b6a5f4e3d2c1b0a9f8e7d6c5b4a39",
    current: true,
  },
  {
    number: 3,
    run: "checkout-set-k7w2h" as RunName,
    operation: "set",
    by: "grace",
    at: ago(86_400),
    spec: { ...spec, image: digest("1a2b3c4d5e6f") },
    current: false,
  },
  {
    number: 2,
    run: "checkout-rollback-m4n8p" as RunName,
    operation: "rollback",
    by: "ada",
    at: ago(3 * 86_400),
    spec: {
      ...spec,
      image: digest("1a2b3c4d5e6f"),
      resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "500m", memory: "256Mi" } },
      monitoring: { enabled: true, alerts: ["high-error-rate"] },
    },
    current: false,
  },
  {
    number: 1,
    run: "checkout-create-7f3kz" as RunName,
    operation: "create",
    by: "ada",
    at: ago(9 * 86_400),
    spec: { ...spec, image: "registry.example.internal/starter:1.4", starter: true },
    current: false,
  },
];

const deployment = { ...object("Deployment", "checkout", "app-checkout"), apiVersion: "apps/v1" } as const;

/** A scale in the middle of its work, by somebody else. */
export const scaling: RunState = {
  ...running,
  name: "checkout-scale-p3q8r" as RunName,
  operation: "scale",
  service: "checkout",
  requestedBy: "grace",
  holder: "grace@workstation:812",
  change: { before: spec, after: { ...spec, replicas: 5 }, releaseBefore: 4, release: 4 },
  steps: [
    step("preflight", "Preflight", { summary: "11 checks", finishedAt: ago(39.8) }),
    step("apply_kubernetes", "Application", {
      phase: "Running",
      startedAt: ago(32),
      summary: "3 of 5 pods ready",
      effects: [
        {
          effect: {
            ...object("Application", "checkout", "app-checkout"),
            apiVersion: "platform.company.com/v1",
          },
          state: "changed",
        },
        {
          effect: deployment,
          state: "changed",
          before: { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "checkout" } },
        },
      ],
    }),
    step("verify", "Verify", { phase: "Waiting", needs: ["apply_kubernetes"], skippable: true }),
  ],
  log: [{ at: ago(30), step: "apply_kubernetes", line: "deployment checkout: 3 of 5 pods ready" }],
};

/** The same, undone. */
export const scaledBack: RunState = {
  ...scaling,
  phase: "RolledBack",
  finishedAt: ago(2),
  rollback: { by: "grace", dataStores: "keep-used" },
  failure: {
    step: "apply_kubernetes",
    error: {
      class: "unhealthy",
      message: "2 of 5 pods are not ready after 300 s: Insufficient cpu",
      mend: "ask for less cpu, or add a node",
    },
  },
  steps: scaling.steps.map((each) => ({
    ...each,
    phase: "Compensated",
    effects: each.effects.map((effect) => ({ ...effect, state: "restored" as const })),
  })),
};

/** A plan of a change. */
export const scalePlan: Plan = {
  operation: "scale",
  service: "checkout",
  change: scaling.change,
  steps: [
    { id: "preflight", title: "Preflight", needs: [], effects: [], notes: [] },
    {
      id: "apply_kubernetes",
      title: "Application",
      needs: ["preflight"],
      effects: [
        { action: "change", effect: object("Application", "checkout", "app-checkout") },
        { action: "change", effect: deployment },
      ],
      notes: [],
    },
    { id: "verify", title: "Verify", needs: ["apply_kubernetes"], effects: [], notes: [] },
  ],
};

/** A plan of a deletion with the data stores. */
export const deletePlan: Plan = {
  operation: "delete",
  service: "checkout",
  steps: [
    { id: "preflight", title: "Preflight", needs: [], effects: [], notes: [] },
    {
      id: "delete_kubernetes",
      title: "Workload",
      needs: ["preflight"],
      effects: [
        { action: "delete", effect: object("Application", "checkout", "app-checkout") },
        { action: "delete", effect: deployment },
      ],
      notes: [],
    },
    {
      id: "delete_data_stores",
      title: "Data stores",
      needs: ["delete_kubernetes"],
      effects: [
        { action: "delete", effect: object("StatefulSet", "checkout-db", "app-checkout") },
        { action: "delete", effect: object("PersistentVolumeClaim", "data-checkout-db-0", "app-checkout") },
      ],
      notes: ["the data is lost"],
    },
  ],
};

/** What a sweep finds. */
export const orphans: readonly Orphan[] = [
  {
    name: "namespace/app-ledger",
    effect: object("Namespace", "app-ledger"),
    uid: "1",
    service: "ledger",
    run: "ledger-create-x2m9",
    createdAt: ago(86_400),
    state: "orphan",
    reason: "the run that made it could not be rolled back",
    data: ["data-ledger-db-0"],
    protected: true,
  },
  {
    name: "repository/payments/ledger",
    effect: { kind: "repository", url: "file:///repositories/payments/ledger.git" },
    service: "ledger",
    run: "",
    createdAt: "",
    state: "orphan",
    reason: "no service has it, and no run made it",
    data: [],
    protected: false,
  },
  {
    name: "namespace/app-shop",
    effect: object("Namespace", "app-shop"),
    uid: "2",
    service: "shop",
    run: "shop-delete-m4n8p",
    createdAt: ago(9 * 86_400),
    state: "kept",
    reason: "the deletion of shop kept its data stores",
    data: ["data-shop-db-0"],
    protected: true,
  },
];

/** What the deletion of the first of them does. */
export const cleanup: CleanupPlan = {
  service: "ledger",
  orphans: orphans.slice(0, 1),
  takesAlong: ["all that is in app-ledger"],
  data: ["data-ledger-db-0"],
  protectedStores: ["database ledger-db"],
  notes: ["a last snapshot is taken of what is protected, and kept"],
};
