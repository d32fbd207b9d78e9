import { pathOf, podSpec, withVolumeOf, workload, workloadKinds } from "./objects.ts";
import type { Asked } from "./requests.ts";
import { type Actor, runObject, type Scene } from "./scene.ts";

/** Something that must be refused, and by whom. */
export interface Attempt {
  readonly what: string;
  readonly as: Actor;
  readonly asked: Asked;
  /** A guardrail's name, `RBAC`, `Pod Security` or `schema`. */
  readonly refusedBy: string;
}

const evil = "evil.example/miner:v1";
const pinned = `sha256:${"a".repeat(64)}`;
const runsPath = "/apis/platform.company.com/v1/namespaces/platform-system/runs";
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const admission = "/apis/admissionregistration.k8s.io/v1";

type Row = readonly [what: string, as: Actor, refusedBy: string, asked: Asked];

const rows = (list: readonly Row[]): readonly Attempt[] =>
  list.map(([what, as, refusedBy, asked]) => ({ what, as, refusedBy, asked }));
const post = (path: string, body: unknown): Asked => ({ method: "POST", path, body });
const put = (path: string, body: unknown): Asked => ({ method: "PUT", path, body });
const merge = (path: string, body: unknown): Asked => ({ method: "PATCH", path, body });
const remove = (path: string): Asked => ({ method: "DELETE", path });

function ofNamespaces({ own, shared, free, service }: Scene): readonly Attempt[] {
  const at = (name: string) => `/api/v1/namespaces/${name}`;
  const labels = (values: Readonly<Record<string, string | null>>) => ({ metadata: { labels: values } });
  const managed = "platform.company.com/managed";
  const enforce = "pod-security.kubernetes.io/enforce";
  const fresh = (name: string) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { [managed]: "true", [enforce]: "restricted" } },
  });
  return rows([
    [
      "unmanage a namespace by removing its label",
      "namespace-admin",
      "namespaces",
      merge(at(own), labels({ [managed]: null })),
    ],
    [
      "set the managed label to false",
      "namespace-admin",
      "namespaces",
      merge(at(own), labels({ [managed]: "false" })),
    ],
    [
      "lower Pod Security to privileged",
      "namespace-admin",
      "namespaces",
      merge(at(own), labels({ [enforce]: "privileged" })),
    ],
    [
      "remove Pod Security's label",
      "namespace-admin",
      "namespaces",
      merge(at(own), labels({ [enforce]: null })),
    ],
    [
      "let claims of devices have an admin's access",
      "namespace-admin",
      "namespaces",
      merge(at(own), labels({ "resource.kubernetes.io/admin-access": "true" })),
    ],
    [
      "relabel through namespaces/status",
      "namespace-admin",
      "namespaces",
      merge(`${at(own)}/status`, labels({ [managed]: null })),
    ],
    [
      "relabel through namespaces/finalize",
      "namespace-admin",
      "namespaces",
      put(`${at(own)}/finalize`, {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: own },
        spec: { finalizers: ["kubernetes"] },
      }),
    ],
    [
      "move a namespace to a laxer tier",
      "namespace-admin",
      "namespaces",
      merge(at(shared), labels({ "platform.company.com/tier": "standard" })),
    ],
    [
      "hand a namespace to another team",
      "namespace-admin",
      "namespaces",
      merge(at(own), labels({ "platform.company.com/team": "search" })),
    ],
    [
      "take labels over by server-side apply under another manager",
      "namespace-admin",
      "namespaces",
      {
        method: "PATCH",
        patch: "apply",
        path: `${at(own)}?fieldManager=me&force=true`,
        body: { apiVersion: "v1", kind: "Namespace", ...labels({ [managed]: "false" }) },
      },
    ],
    [
      "the same in a dry run",
      "namespace-admin",
      "namespaces",
      merge(`${at(own)}?dryRun=All`, labels({ [managed]: null })),
    ],
    ["delete a managed namespace, to make it again", "namespace-admin", "namespaces", remove(at(own))],
    ["delete a managed namespace", "namespace-maker", "namespaces", remove(at(shared))],
    [
      "make a managed namespace",
      "namespace-maker",
      "namespaces",
      post("/api/v1/namespaces", fresh(`${service}-fresh`)),
    ],
    [
      "make a namespace managed",
      "namespace-maker",
      "namespaces",
      merge(at(free), labels({ [managed]: "true" })),
    ],
    ["make a namespace", "developer", "RBAC", post("/api/v1/namespaces", fresh(`app-${service}-two`))],
  ]);
}

function ofFences({ own, shared }: Scene): readonly Attempt[] {
  const core = `/api/v1/namespaces/${own}`;
  const quota = `${core}/resourcequotas/quota`;
  const policies = `/apis/networking.k8s.io/v1/namespaces/${own}/networkpolicies`;
  const guardrails = `/apis/platform.company.com/v1/namespaces/${own}/guardrails/guardrails`;
  const exceptions = [
    {
      rule: "registry",
      workload: "miner",
      owner: "nobody",
      reason: "because I want to",
      expires: "2099-01-01T00:00:00Z",
    },
  ];
  const self = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: "mine" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "developer" }],
  };
  const open = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "open" },
    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [{}], egress: [{}] },
  };
  return rows([
    ["delete the quota", "namespace-admin", "fences", remove(quota)],
    ["raise the quota", "namespace-admin", "fences", merge(quota, { spec: { hard: { pods: "10000" } } })],
    [
      "write that nothing of the quota is used",
      "namespace-admin",
      "quota-status",
      merge(`${quota}/status`, { status: { used: { pods: "0" } } }),
    ],
    ["delete all default limits at once", "namespace-admin", "fences", remove(`${core}/limitranges`)],
    ["open all network paths", "namespace-admin", "fences", post(policies, open)],
    ["delete the policy that closes all paths", "namespace-admin", "fences", remove(`${policies}/deny-all`)],
    [
      "bind a role to oneself",
      "namespace-admin",
      "fences",
      post(`${rbac}/namespaces/${own}/rolebindings`, self),
    ],
    [
      "bind a role to oneself, as the team",
      "developer",
      "RBAC",
      post(`${rbac}/namespaces/${own}/rolebindings`, self),
    ],
    [
      "make a role",
      "namespace-admin",
      "fences",
      post(`${rbac}/namespaces/${own}/roles`, {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "Role",
        metadata: { name: "mine" },
        rules: [],
      }),
    ],
    [
      "allow a registry",
      "namespace-admin",
      "fences",
      merge(guardrails, { spec: { registries: ["evil.example"] } }),
    ],
    [
      "allow a registry, as the team",
      "developer",
      "RBAC",
      merge(guardrails, { spec: { registries: ["evil.example"] } }),
    ],
    ["delete the guardrails' parameters", "namespace-admin", "fences", remove(guardrails)],
    ["write oneself an exception", "oncall", "RBAC", merge(guardrails, { spec: { exceptions } })],
    [
      "have the operator write an exception",
      "operator",
      "exceptions",
      merge(guardrails, { spec: { exceptions } }),
    ],
    [
      "write an exception without an owner",
      "engineer",
      "schema",
      merge(guardrails, { spec: { exceptions: [{ ...exceptions[0], owner: undefined }] } }),
    ],
    [
      "write an exception without an end",
      "engineer",
      "schema",
      merge(guardrails, { spec: { exceptions: [{ ...exceptions[0], expires: undefined }] } }),
    ],
    [
      "write a second object of parameters",
      "engineer",
      "schema",
      post(`/apis/platform.company.com/v1/namespaces/${shared}/guardrails`, {
        apiVersion: "platform.company.com/v1",
        kind: "Guardrails",
        metadata: { name: "lax" },
        spec: { registries: [], imagesByDigest: false },
      }),
    ],
  ]);
}

const policyOf: Readonly<Record<string, string>> = { Pod: "pods", Job: "jobs", CronJob: "cronjobs" };

function ofImages({ own, shared, service }: Scene): readonly Attempt[] {
  const create = (
    kind: (typeof workloadKinds)[number],
    namespace: string,
    spoilt: Parameters<typeof workload>[2],
    name = "miner",
  ) => post(pathOf(kind, namespace), workload(kind, name, spoilt));
  const image = (what: string, name: string): Row => [
    what,
    "namespace-admin",
    "pods",
    create("Pod", own, { image: name }),
  ];
  const pod = `/api/v1/namespaces/${own}/pods/tool`;
  const miner = {
    ...podSpec().containers[0],
    name: "debugger",
    image: evil,
    resources: undefined,
    readinessProbe: undefined,
    livenessProbe: undefined,
  };
  return rows([
    ...workloadKinds.map(
      (kind): Row => [
        `run a foreign image by a ${kind}`,
        "namespace-admin",
        policyOf[kind] ?? "workloads",
        create(kind, own, { image: evil }),
      ],
    ),
    [
      "hide it in an init container",
      "namespace-admin",
      "workloads",
      create("Deployment", own, {
        pod: {
          initContainers: [
            {
              ...podSpec().containers[0],
              name: "first",
              image: evil,
              readinessProbe: undefined,
              livenessProbe: undefined,
            },
          ],
        },
      }),
    ],
    ["mount it as a volume", "namespace-admin", "pods", create("Pod", own, withVolumeOf(evil))],
    [
      "mount it as a volume of a CronJob's pods",
      "namespace-admin",
      "cronjobs",
      create("CronJob", own, withVolumeOf(evil)),
    ],
    [
      "mount an image by its tag in a tier of digests",
      "namespace-admin",
      "workloads",
      create("Deployment", shared, {
        image: `gcr.io/company/tool@${pinned}`,
        ...withVolumeOf("gcr.io/company/data:v1"),
      }),
    ],
    [
      "add it to a living pod as an ephemeral container",
      "namespace-admin",
      "ephemeral-containers",
      {
        method: "PATCH",
        patch: "strategic",
        path: `${pod}/ephemeralcontainers`,
        body: { spec: { ephemeralContainers: [miner] } },
      },
    ],
    [
      "add an ephemeral container, on call",
      "oncall",
      "RBAC",
      {
        method: "PATCH",
        patch: "strategic",
        path: `${pod}/ephemeralcontainers`,
        body: { spec: { ephemeralContainers: [miner] } },
      },
    ],
    [
      "change the image of a living pod",
      "namespace-admin",
      "pod-images",
      {
        method: "PATCH",
        patch: "strategic",
        path: pod,
        body: { spec: { containers: [{ name: "tool", image: evil }] } },
      },
    ],
    [
      "change it to another image of an allowed registry",
      "namespace-admin",
      "pod-images",
      {
        method: "PATCH",
        patch: "json",
        path: pod,
        body: [{ op: "replace", path: "/spec/containers/0/image", value: "gcr.io/company/tool:v2" }],
      },
    ],
    [
      "let the server name the pod",
      "namespace-admin",
      "pods",
      post(pathOf("Pod", own), {
        ...workload("Pod", "x", { image: evil }),
        metadata: { generateName: "tool-" },
      }),
    ],
    [
      "name the image in a dry run",
      "namespace-admin",
      "pods",
      post(`${pathOf("Pod", own)}?dryRun=All`, workload("Pod", "miner", { image: evil })),
    ],
    image("a path that only begins alike", "gcr.io/company-evil/tool:v1"),
    image("a path that goes on without a slash", "gcr.io/companyx/tool:v1"),
    image("a host that only begins alike", "gcr.io.evil.example/company/tool:v1"),
    image("the allowed path on another host", "evil.example/gcr.io/company/tool:v1"),
    image("the allowed host's other path", "gcr.io/other/tool:v1"),
    image("another port of the allowed host", "gcr.io:8443/company/tool:v1"),
    image("a way out by dots", "gcr.io/company/../other/tool:v1"),
    image("the allowed path as a user's name", "gcr.io/company@evil.example/tool:v1"),
    image("the allowed host in capitals", "GCR.IO/company/tool:v1"),
    image("a short name of Docker Hub", "company/tool:v1"),
    image("an allowed image's name as a path", "docker.io/library/postgres:15.15/tool:v1"),
    image("the tag latest", "gcr.io/company/tool:latest"),
    image("no tag at all", "gcr.io/company/tool"),
    ["a tag in a tier of digests", "namespace-admin", "workloads", create("Deployment", shared, {})],
    [
      "a digest that is too short",
      "namespace-admin",
      "workloads",
      create("Deployment", shared, { image: "gcr.io/company/tool:v1@sha256:abc" }),
    ],
    [
      "a digest in the tag",
      "namespace-admin",
      "workloads",
      create("Deployment", shared, { image: `gcr.io/company/tool:sha256-${"a".repeat(64)}` }),
    ],
    [
      "a digest of a foreign image",
      "namespace-admin",
      "workloads",
      create("Deployment", shared, { image: `evil.example/miner@${pinned}` }),
    ],
    [
      "a foreign image for the service",
      "developer",
      "application-images",
      merge(`/apis/platform.company.com/v1/namespaces/${own}/applications/${service}`, {
        spec: { image: evil },
      }),
    ],
    [
      "a foreign image that migrates the service's database",
      "developer",
      "application-images",
      merge(`/apis/platform.company.com/v1/namespaces/${own}/applications/${service}`, {
        spec: { migrations: { image: evil, command: ["migrate"] } },
      }),
    ],
  ]);
}

function ofPods({ own, service }: Scene): readonly Attempt[] {
  const make = (kind: (typeof workloadKinds)[number], spoilt: Parameters<typeof workload>[2]) =>
    post(pathOf(kind, own), workload(kind, "greedy", spoilt));
  const privileged = { securityContext: { privileged: true } };
  const core = `/api/v1/namespaces/${own}`;
  const exec = "exec?command=sh&container=tool&stdout=true";
  const account = "/api/v1/namespaces/platform-system/serviceaccounts/platform-operator/token";
  const service_ = (spec: object) =>
    post(`${core}/services`, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "way-in" },
      spec: { ports: [{ port: 80 }], ...spec },
    });
  return rows([
    ["no resources", "namespace-admin", "workloads", make("Deployment", { container: { resources: {} } })],
    [
      "a limit of memory alone left out",
      "namespace-admin",
      "cronjobs",
      make("CronJob", { container: { resources: { requests: { cpu: "1m", memory: "1Mi" } } } }),
    ],
    [
      "no probes",
      "namespace-admin",
      "workloads",
      make("StatefulSet", { container: { readinessProbe: undefined } }),
    ],
    ["a privileged pod", "namespace-admin", "Pod Security", make("Pod", { container: privileged })],
    ["a privileged template", "namespace-admin", "workloads", make("DaemonSet", { container: privileged })],
    [
      "a capability",
      "namespace-admin",
      "jobs",
      make("Job", {
        container: {
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ["ALL"], add: ["SYS_ADMIN"] },
          },
        },
      }),
    ],
    [
      "run as root",
      "namespace-admin",
      "workloads",
      make("Deployment", {
        pod: {
          securityContext: { runAsNonRoot: true, runAsUser: 0, seccompProfile: { type: "RuntimeDefault" } },
        },
      }),
    ],
    [
      "no seccomp profile",
      "namespace-admin",
      "workloads",
      make("Deployment", {
        container: {
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ["ALL"] },
            seccompProfile: { type: "Unconfined" },
          },
        },
      }),
    ],
    [
      "the node's network",
      "namespace-admin",
      "workloads",
      make("Deployment", { pod: { hostNetwork: true } }),
    ],
    ["the node's processes", "namespace-admin", "cronjobs", make("CronJob", { pod: { hostPID: true } })],
    [
      "a path of the node",
      "namespace-admin",
      "workloads",
      make("ReplicaSet", { pod: { volumes: [{ name: "root", hostPath: { path: "/" } }] } }),
    ],
    [
      "a port of the node",
      "namespace-admin",
      "workloads",
      make("Deployment", { container: { ports: [{ containerPort: 80, hostPort: 80 }] } }),
    ],
    ["a Service on every node's port", "namespace-admin", "services", service_({ type: "NodePort" })],
    ["a load balancer", "namespace-admin", "services", service_({ type: "LoadBalancer" })],
    [
      "a name that leads out of the cluster",
      "namespace-admin",
      "services",
      service_({ type: "ExternalName", externalName: "evil.example" }),
    ],
    ["somebody else's address", "namespace-admin", "services", service_({ externalIPs: ["192.0.2.1"] })],
    [
      "another service's host name",
      "namespace-admin",
      "routes",
      post(`/apis/networking.k8s.io/v1/namespaces/${own}/ingresses`, {
        apiVersion: "networking.k8s.io/v1",
        kind: "Ingress",
        metadata: { name: "theft" },
        spec: {
          rules: [
            {
              host: "checkout.apps.example.internal",
              http: {
                paths: [
                  {
                    path: "/",
                    pathType: "Prefix",
                    backend: { service: { name: service, port: { number: 80 } } },
                  },
                ],
              },
            },
          ],
        },
      }),
    ],
    ["a shell, as the team", "developer", "RBAC", post(`${core}/pods/tool/${exec}`, undefined)],
    [
      "a shell, with every right in the namespace",
      "namespace-admin",
      "shells",
      post(`${core}/pods/tool/${exec}`, undefined),
    ],
    ["a tunnel", "namespace-admin", "shells", post(`${core}/pods/tool/portforward?ports=5432`, undefined)],
    [
      "read credentials, as the team",
      "developer",
      "RBAC",
      { method: "GET", path: `${core}/secrets/${service}-db` },
    ],
    ["read credentials, on call", "oncall", "RBAC", { method: "GET", path: `${core}/secrets/${service}-db` }],
    ["list all Secrets", "oncall", "RBAC", { method: "GET", path: "/api/v1/secrets" }],
    [
      "get the operator's token",
      "developer",
      "RBAC",
      post(account, { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} }),
    ],
    [
      "act as the operator",
      "developer",
      "RBAC",
      {
        method: "GET",
        path: "/api/v1/namespaces",
        impersonate: ["system:serviceaccount:platform-system:platform-operator"],
      },
    ],
    [
      "act as cluster administrators",
      "oncall",
      "RBAC",
      { method: "GET", path: "/api/v1/namespaces", impersonate: ["somebody", "system:masters"] },
    ],
    [
      "unbind a policy",
      "developer",
      "RBAC",
      remove(`${admission}/validatingadmissionpolicybindings/platform-pods`),
    ],
    [
      "unbind a policy, on call",
      "oncall",
      "RBAC",
      remove(`${admission}/validatingadmissionpolicybindings/platform-pods`),
    ],
    [
      "have a policy only warn",
      "namespace-admin",
      "RBAC",
      merge(`${admission}/validatingadmissionpolicybindings/platform-pods`, {
        spec: { validationActions: ["Warn"] },
      }),
    ],
    [
      "write the standards",
      "developer",
      "RBAC",
      merge("/apis/platform.company.com/v1/standards/platform", {
        spec: { teams: { payments: { groups: ["developers"] } } },
      }),
    ],
  ]);
}

function ofObjects({ own, service, shared }: Scene): readonly Attempt[] {
  const apps = `/apis/apps/v1/namespaces/${own}`;
  const core = `/api/v1/namespaces/${own}`;
  const applications = (namespace: string) =>
    `/apis/platform.company.com/v1/namespaces/${namespace}/applications`;
  const mine = { "platform.company.com/service": service, "platform.company.com/component": "workload" };
  const application = (name: string, team?: string) => ({
    apiVersion: "platform.company.com/v1",
    kind: "Application",
    metadata: { name },
    spec: {
      image: `gcr.io/company/tool:v1@${pinned}`,
      language: "go",
      ...(team === undefined ? {} : { team }),
    },
  });
  return rows([
    [
      "a pod that passes for the service's",
      "namespace-admin",
      "labels",
      post(pathOf("Pod", own), workload("Pod", "spy", { labels: mine })),
    ],
    [
      "relabel a pod of one's own",
      "namespace-admin",
      "labels",
      merge(`${core}/pods/tool`, { metadata: { labels: mine } }),
    ],
    [
      "the same through pods/status",
      "namespace-admin",
      "labels",
      merge(`${core}/pods/tool/status`, { metadata: { labels: mine } }),
    ],
    [
      "a Deployment whose pods pass for the service's",
      "namespace-admin",
      "template-labels",
      post(pathOf("Deployment", own), workload("Deployment", "spy", { labels: mine })),
    ],
    [
      "a CronJob whose pods do",
      "namespace-admin",
      "cronjob-labels",
      post(pathOf("CronJob", own), workload("CronJob", "spy", { labels: mine })),
    ],
    [
      "take the platform's label off its Deployment",
      "namespace-admin",
      "labels",
      merge(`${apps}/deployments/${service}`, {
        metadata: { labels: { "platform.company.com/managed": null } },
      }),
    ],
    [
      "change the service's Deployment",
      "namespace-admin",
      "managed-objects",
      merge(`${apps}/deployments/${service}`, { spec: { minReadySeconds: 5 } }),
    ],
    [
      "change the service's Deployment, as the team",
      "developer",
      "RBAC",
      merge(`${apps}/deployments/${service}`, { spec: { minReadySeconds: 5 } }),
    ],
    [
      "delete the database",
      "namespace-admin",
      "managed-objects",
      remove(`${apps}/statefulsets/${service}-db`),
    ],
    ["delete the database, on call", "oncall", "RBAC", remove(`${apps}/statefulsets/${service}-db`)],
    [
      "take the database's protection away",
      "namespace-admin",
      "managed-objects",
      merge(`${apps}/statefulsets/${service}-db`, {
        metadata: { annotations: { "platform.company.com/deletion-protection": "false" } },
      }),
    ],
    [
      "change the credentials",
      "namespace-admin",
      "managed-objects",
      merge(`${core}/secrets/${service}-db`, { data: { password: "eA==" } }),
    ],
    ["delete every Secret at once", "namespace-admin", "managed-objects", remove(`${core}/secrets`)],
    ...ofOwnSecrets(core, service),
    [
      "scale past the Application",
      "namespace-admin",
      "scale",
      merge(`${apps}/deployments/${service}/scale`, { spec: { replicas: 9 } }),
    ],
    [
      "write that the service is ready",
      "namespace-admin",
      "application-status",
      merge(`${applications(own)}/${service}/status`, { status: { readyReplicas: 9 } }),
    ],
    [
      "write that, as the team",
      "developer",
      "RBAC",
      merge(`${applications(own)}/${service}/status`, { status: { readyReplicas: 9 } }),
    ],
    [
      "edit another team's Application",
      "developer2",
      "RBAC",
      merge(`${applications(own)}/${service}`, { spec: { replicas: 9 } }),
    ],
    [
      "a second service in a service's namespace",
      "namespace-admin",
      "application-places",
      post(applications(own), application("second")),
    ],
    [
      "an Application of another team",
      "namespace-admin",
      "application-places",
      post(applications(shared), application("second", "search")),
    ],
    ["delete the Application, as the team", "developer", "RBAC", remove(`${applications(own)}/${service}`)],
  ]);
}

/** What a team that may make Secrets tries with that. */
function ofOwnSecrets(core: string, service: string): readonly Row[] {
  const own = `${service}.stripe.stripe-key.1`;
  const secret = (name: string, more: object = {}) =>
    post(`${core}/secrets`, {
      apiVersion: "v1",
      kind: "Secret",
      type: "Opaque",
      immutable: true,
      metadata: { name },
      data: { KEY: "eA==" },
      ...more,
    });
  const account = { "kubernetes.io/service-account.name": "pipeline" };
  const token = {
    type: "kubernetes.io/service-account-token",
    immutable: false,
    data: {},
    metadata: { name: own, annotations: account },
  };
  const labels = { "platform.company.com/managed": "true", "platform.company.com/service": service };
  return [
    ["have a service account's token made", "developer", "own-secrets", secret(own, token)],
    [
      "make a rotation's Secret, which the database reads",
      "developer",
      "own-secrets",
      secret(`${service}-db-next`),
    ],
    ["make a cache's credentials", "developer", "own-secrets", secret(`${service}-cache`)],
    ["make a Secret of another service", "developer", "own-secrets", secret("checkout.stripe.stripe-key.1")],
    ["make a Secret that can be changed", "developer", "own-secrets", secret(own, { immutable: false })],
    [
      "make a Secret with the platform's labels",
      "developer",
      "labels",
      secret(own, { metadata: { name: own, labels } }),
    ],
    ["make a Secret of another team's service", "developer2", "RBAC", secret(own)],
    ["make a Secret, on call", "oncall", "RBAC", secret(own)],
    ["list Secrets", "developer", "RBAC", { method: "GET", path: `${core}/secrets` }],
    ["read a Secret of one's own", "developer", "RBAC", { method: "GET", path: `${core}/secrets/${own}` }],
    ["patch a Secret, whose answer would show it", "developer", "RBAC", merge(`${core}/secrets/${own}`, {})],
  ];
}

const ask = (spec: Parameters<typeof runObject>[0], metadata?: Parameters<typeof runObject>[1]) =>
  post(runsPath, runObject(spec, { name: `${spec.service}-${spec.operation}-33333`, ...metadata }));

function ofRuns({ service, run, begunRun, own, free }: Scene): readonly Attempt[] {
  const base = { operation: "deploy", service, team: "payments", requestedBy: "developer" };
  const create = {
    operation: "create",
    service: `${service}-new`,
    team: "payments",
    requestedBy: "developer",
  };
  const at = `${runsPath}/${run}`;
  const begun = `${runsPath}/${begunRun}`;
  const by = "platform.company.com/action-by";
  const orphan = { apiVersion: "v1", type: "Secret", namespace: free, name: "gone", uid: "1" };
  return rows([
    ["ask for a run in somebody else's name", "developer", "runs", ask({ ...base, requestedBy: "oncall" })],
    [
      "deploy another team's service",
      "developer2",
      "run-ownership",
      ask({ ...base, requestedBy: "developer2" }),
    ],
    [
      "roll back another team's service",
      "developer2",
      "run-ownership",
      ask({ ...base, operation: "rollback", requestedBy: "developer2" }),
    ],
    [
      "delete another team's service",
      "developer2",
      "run-ownership",
      ask({ ...base, operation: "delete", requestedBy: "developer2" }),
    ],
    [
      "deploy a service as a team one is not of",
      "developer2",
      "run-ownership",
      ask({ ...base, team: "search", requestedBy: "developer2" }),
    ],
    ["create a service for another team", "developer", "run-teams", ask({ ...create, team: "search" })],
    [
      "create a service for a team that is none",
      "developer",
      "run-teams",
      ask({ ...create, team: "nobody" }),
    ],
    [
      "create for one team what the request says is another's",
      "developer",
      "runs",
      ask({ ...create, parameters: { request: { name: create.service, language: "go", team: "search" } } }),
    ],
    [
      "ask about one service with another's request",
      "developer",
      "runs",
      ask({ ...create, parameters: { request: { name: "checkout", language: "go", team: "payments" } } }),
    ],
    [
      "a run with another service's labels",
      "developer",
      "runs",
      ask(base, {
        labels: { ...runObject(base).metadata.labels, "platform.company.com/service": "checkout" },
      }),
    ],
    [
      "create for another team under another operation's label",
      "developer",
      "runs",
      ask(
        { ...create, team: "search" },
        { labels: runObject({ ...create, team: "search", operation: "deploy" }).metadata.labels },
      ),
    ],
    ["a run named after the operator's Lease", "developer", "runs", ask(base, { name: "platform-operator" })],
    [
      "a run that is deleted with its owner",
      "developer",
      "runs",
      ask(base, { ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "gone", uid: "1" }] }),
    ],
    [
      "a run outside platform-system",
      "namespace-admin",
      "runs",
      {
        ...ask({ ...base, requestedBy: `${service}-warden` }, { namespace: free }),
        path: runsPath.replace("platform-system", free),
      },
    ],
    [
      "install the platform",
      "developer",
      "run-ownership",
      ask({ ...base, operation: "install" }, { name: "platform-install-33333" }),
    ],
    [
      "clean up in another namespace",
      "developer",
      "run-ownership",
      ask({ ...base, operation: "cleanup", parameters: { orphans: [orphan] } }),
    ],
    [
      "clean up another service's repository",
      "developer",
      "run-ownership",
      ask({
        ...base,
        operation: "cleanup",
        parameters: {
          repositories: [{ url: "https://git.example/search/checkout.git", run: "checkout-create-44444" }],
        },
      }),
    ],
    [
      "scale by a pipeline",
      "pipeline",
      "run-ownership",
      ask({ ...base, operation: "scale", requestedBy: `system:serviceaccount:${own}:pipeline` }),
    ],
    [
      "deploy another service by a pipeline",
      "pipeline",
      "run-ownership",
      ask({ ...base, service: "checkout", requestedBy: `system:serviceaccount:${own}:pipeline` }),
    ],
    [
      "deploy by another service account",
      "other-pipeline",
      "run-ownership",
      ask({ ...base, requestedBy: `system:serviceaccount:${own}:other` }),
    ],
    ["write a run's journal", "developer", "RBAC", merge(`${at}/status`, { status: { phase: "Succeeded" } })],
    [
      "write a run's journal, on call",
      "oncall",
      "RBAC",
      merge(`${at}/status`, { status: { phase: "Succeeded" } }),
    ],
    [
      "write a run's journal, with every right in platform-system",
      "namespace-admin",
      "run-journals",
      merge(`${at}/status`, { status: { phase: "Succeeded" } }),
    ],
    ["delete a run, with every right in platform-system", "namespace-admin", "run-journals", remove(at)],
    ["delete a run of one's own that has begun", "developer", "run-journals", remove(begun)],
    ["take somebody else's request back", "developer2", "run-journals", remove(at)],
    ["take somebody else's request back, on call", "oncall", "run-journals", remove(at)],
    ["delete all runs at once", "developer", "RBAC", remove(runsPath)],
    ["cancel a run", "developer2", "RBAC", merge(at, { spec: { action: "cancel" } })],
    [
      "roll back in somebody else's name",
      "oncall",
      "run-actions",
      merge(at, { metadata: { annotations: { [by]: "developer" } }, spec: { action: "rollback" } }),
    ],
    [
      "give a run to another service",
      "oncall",
      "run-actions",
      merge(at, { metadata: { labels: { "platform.company.com/service": "checkout" } } }),
    ],
    ["change what a run asks for", "oncall", "schema", merge(at, { spec: { team: "search" } })],
  ]);
}

/** Runs about services that share their namespace: rights in it decide, and nobody names another one to be judged by. */
function ofSharedRuns({ service, run, own, shared }: Scene): readonly Attempt[] {
  const deletion = {
    operation: "delete",
    service: "ledger",
    sharedNamespace: shared,
    team: "payments",
    requestedBy: "developer",
  };
  const provision = { ...deletion, operation: "provision" };
  const { sharedNamespace: _, ...provisionAlone } = { ...provision, service };
  const application = { uid: "1", generation: 1, standards: "1" };
  const labels = runObject(deletion).metadata.labels;
  const pipeline = `system:serviceaccount:${own}:pipeline`;
  const byOperator = { requestedBy: "system:serviceaccount:platform-system:platform-operator" };
  const byWarden = { requestedBy: `${service}-warden` };
  const orphan = { apiVersion: "v1", type: "Secret", namespace: "app-checkout", name: "gone", uid: "1" };
  const request = { name: "checkout", language: "go", team: "payments" };
  const parametersOf: Readonly<Record<string, object>> = {
    create: { request },
    cleanup: { orphans: [orphan] },
  };
  return rows([
    [
      "delete another team's service beside others",
      "developer2",
      "run-ownership",
      ask({ ...deletion, requestedBy: "developer2" }),
    ],
    [
      "delete another team's service beside others, for one's own team",
      "developer2",
      "run-ownership",
      ask({ ...deletion, team: "search", requestedBy: "developer2" }),
    ],
    [
      "delete a service beside others, on call",
      "oncall",
      "run-ownership",
      ask({ ...deletion, requestedBy: "oncall" }),
    ],
    [
      "delete a service beside others, as a pipeline",
      "pipeline",
      "run-ownership",
      ask({ ...deletion, requestedBy: pipeline }),
    ],
    [
      "delete a service beside others in the operator's name",
      "developer",
      "runs",
      ask({ ...deletion, ...byOperator }),
    ],
    [
      "name the service's own namespace",
      "developer",
      "runs",
      ask({ ...deletion, service, sharedNamespace: own }),
    ],
    [
      "delete a service in another service's namespace",
      "developer",
      "runs",
      ask({ ...deletion, sharedNamespace: own }),
    ],
    [
      "delete a service in platform-system, with every right there",
      "namespace-admin",
      "runs",
      ask({ ...deletion, ...byWarden, sharedNamespace: "platform-system" }),
    ],
    ...["app-checkout", "platform-state", "platform-databases", "kube-system"].map(
      (sharedNamespace): Row => [
        `the operator deletes a service in ${sharedNamespace}`,
        "operator",
        "runs",
        ask({ ...deletion, ...byOperator, sharedNamespace }),
      ],
    ),
    ...[
      ...["create", "deploy", "scale", "set", "rollback"],
      ...["rotate", "backup", "restore", "import", "cleanup"],
    ].map(
      (operation): Row => [
        `${operation} another's service, judged in a namespace of one's own`,
        "developer",
        "runs",
        ask({ ...deletion, operation, service: "checkout", parameters: parametersOf[operation] ?? {} }),
      ],
    ),
    [
      "the operator installs the platform into a namespace",
      "operator",
      "runs",
      ask({ ...deletion, ...byOperator, operation: "install" }, { name: "platform-install-33333" }),
    ],
    ["ask for data stores of an Application", "developer", "run-ownership", ask(provision)],
    [
      "ask for data stores of an Application, telling of it",
      "developer",
      "run-ownership",
      ask({ ...provision, parameters: { application } }),
    ],
    ["ask for data stores of one's service", "developer", "run-ownership", ask(provisionAlone)],
    ["ask for data stores, on call", "oncall", "run-ownership", ask({ ...provision, requestedBy: "oncall" })],
    [
      "ask for data stores, as a pipeline",
      "pipeline",
      "run-ownership",
      ask({ ...provisionAlone, requestedBy: pipeline }),
    ],
    [
      "ask for data stores, with every right in the namespace",
      "namespace-admin",
      "run-ownership",
      ask({ ...provision, ...byWarden }),
    ],
    [
      "tell of an Application with another operation",
      "developer",
      "run-ownership",
      ask({ ...deletion, parameters: { application } }),
    ],
    [
      "the operator labels a provision as another operation",
      "operator",
      "runs",
      ask({ ...provision, ...byOperator }, { labels }),
    ],
    [
      "a run labelled with another namespace",
      "developer",
      "runs",
      ask(deletion, { labels: { ...labels, "platform.company.com/namespace": "search" } }),
    ],
    [
      "a run about what passes for the installation",
      "developer",
      "runs",
      ask({ ...deletion, service: "platform.company.com" }),
    ],
    ["a run about what cannot be a service", "developer", "runs", ask({ ...deletion, service: "1-ledger" })],
    ["a run in no namespace", "developer", "schema", ask({ ...deletion, sharedNamespace: "" })],
    [
      "a run in a path",
      "developer",
      "schema",
      ask({ ...deletion, sharedNamespace: `${shared}/applications` }),
    ],
    [
      "move a run to another namespace",
      "oncall",
      "schema",
      merge(`${runsPath}/${run}`, { spec: { sharedNamespace: shared } }),
    ],
  ]);
}

function ofOperator({ own, shared, free, service }: Scene): readonly Attempt[] {
  const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "left" } };
  const bound = (role: string, subject: object) => ({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: "handed-on" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    subjects: [subject],
  });
  const group = (name: string) => ({ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name });
  const bindings = (namespace: string) => `${rbac}/namespaces/${namespace}/rolebindings`;
  const managed = { "platform.company.com/managed": "true", "platform.company.com/service": "x" };
  return rows([
    [
      "the operator writes in kube-system",
      "operator",
      "operator-reach",
      post("/api/v1/namespaces/kube-system/configmaps", configMap),
    ],
    [
      "the operator runs something in a namespace nobody manages",
      "operator",
      "operator-reach",
      post(pathOf("Deployment", free), workload("Deployment", "tool")),
    ],
    [
      "the operator changes its own Deployment's namespace",
      "operator",
      "operator-reach",
      post(pathOf("Deployment", "platform-system"), workload("Deployment", "tool")),
    ],
    [
      "the operator takes a namespace",
      "operator",
      "operator-namespaces",
      merge(`/api/v1/namespaces/${free}`, { metadata: { labels: managed } }),
    ],
    [
      "the operator unmanages a namespace",
      "operator",
      "operator-namespaces",
      merge(`/api/v1/namespaces/${own}`, { metadata: { labels: { "platform.company.com/managed": null } } }),
    ],
    [
      "the operator makes a namespace that is no service's",
      "operator",
      "operator-namespaces",
      post("/api/v1/namespaces", {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: `${service}-x`, labels: managed },
      }),
    ],
    [
      "the operator deletes a namespace of several services",
      "operator",
      "operator-namespaces",
      remove(`/api/v1/namespaces/${shared}`),
    ],
    [
      "the operator deletes a namespace that nobody manages",
      "operator",
      "operator-namespaces",
      remove(`/api/v1/namespaces/${free}`),
    ],
    [
      "the operator binds a role that is not shipped",
      "operator",
      "RBAC",
      post(bindings(own), bound("cluster-admin", group("team-payments"))),
    ],
    [
      "the operator binds another team",
      "operator",
      "operator-bindings",
      post(bindings(own), bound("platform-team", group("team-search"))),
    ],
    [
      "the operator binds everybody",
      "operator",
      "operator-bindings",
      post(bindings(own), bound("platform-team", group("system:authenticated"))),
    ],
    [
      "the operator lets another namespace's pipeline in",
      "operator",
      "operator-bindings",
      post(
        bindings(own),
        bound("platform-pipeline", { kind: "ServiceAccount", name: "pipeline", namespace: shared }),
      ),
    ],
    [
      "the operator lets somebody act as the pipeline",
      "operator",
      "RBAC",
      post(bindings(own), bound("platform-pipeline-token", group("team-payments"))),
    ],
    [
      "the operator takes the pipeline's token",
      "operator",
      "RBAC",
      post(`/api/v1/namespaces/${own}/serviceaccounts/pipeline/token`, {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: {},
      }),
    ],
    [
      "take the pipeline's token, as the team",
      "developer",
      "RBAC",
      post(`/api/v1/namespaces/${own}/serviceaccounts/pipeline/token`, {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: {},
      }),
    ],
    [
      "the operator hands its Secrets on",
      "operator",
      "operator-bindings",
      post(bindings(own), bound("platform-operator-namespace", group("team-payments"))),
    ],
    [
      "the operator deletes a namespace's parameters",
      "operator",
      "operator-reach",
      remove(`/apis/platform.company.com/v1/namespaces/${own}/guardrails/guardrails`),
    ],
    [
      "the operator deletes all parameters of a namespace at once",
      "operator",
      "RBAC",
      remove(`/apis/platform.company.com/v1/namespaces/${own}/guardrails`),
    ],
    [
      "the operator lets itself into kube-system",
      "operator",
      "operator-reach",
      post(
        bindings("kube-system"),
        bound("platform-operator-namespace", {
          kind: "ServiceAccount",
          name: "platform-operator",
          namespace: "platform-system",
        }),
      ),
    ],
    [
      "the operator reads a Secret elsewhere",
      "operator",
      "RBAC",
      { method: "GET", path: `/api/v1/namespaces/${free}/secrets/any` },
    ],
    ["the operator lists all Secrets", "operator", "RBAC", { method: "GET", path: "/api/v1/secrets" }],
    [
      "the operator opens a shell",
      "operator",
      "RBAC",
      post(`/api/v1/namespaces/${own}/pods/tool/exec?command=sh`, undefined),
    ],
    [
      "the operator starts a pod of its own",
      "operator",
      "operator-reach",
      post(pathOf("Pod", own), workload("Pod", "own")),
    ],
    [
      "the operator writes its own rights",
      "operator",
      "RBAC",
      merge(`${rbac}/clusterroles/platform-operator`, { rules: [] }),
    ],
    [
      "the operator unbinds a policy",
      "operator",
      "RBAC",
      remove(`${admission}/validatingadmissionpolicybindings/platform-operator-reach`),
    ],
    [
      "the operator writes the standards",
      "operator",
      "RBAC",
      merge("/apis/platform.company.com/v1/standards/platform", { spec: { organization: "mine" } }),
    ],
    [
      "the operator acts as somebody else",
      "operator",
      "RBAC",
      { method: "GET", path: "/api/v1/namespaces", impersonate: ["admin"] },
    ],
    [
      "the operator runs a foreign image",
      "operator",
      "workloads",
      post(pathOf("Deployment", own), workload("Deployment", "miner", { image: evil })),
    ],
  ]);
}

/** Every way round the guardrails that anybody thought of. */
export function attemptsIn(scene: Scene): readonly Attempt[] {
  return [ofNamespaces, ofFences, ofImages, ofPods, ofObjects, ofRuns, ofSharedRuns, ofOperator].flatMap(
    (of) => of(scene),
  );
}
