import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { applicationCrd } from "../../../src/application/crd.ts";
import { databaseSecret } from "../../../src/application/credentials.ts";
import { desiredObjects, namespaceObjects } from "../../../src/application/desired-objects.ts";
import { applicationFor } from "../../../src/application/from-request.ts";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import { apply, type Cluster } from "../../../src/cluster/cluster.ts";
import { connect } from "../../../src/cluster/connect.ts";
import { isClusterError } from "../../../src/cluster/errors.ts";
import { find } from "../../../src/cluster/find.ts";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { resourceOf, resources } from "../../../src/cluster/resource.ts";
import { guardrailsCrd } from "../../../src/guardrails/crd.ts";
import { accessObjects, guardrailObjects } from "../../../src/guardrails/index.ts";
import { installationObjects, standardsObject } from "../../../src/installation/objects.ts";
import { runCrd } from "../../../src/provisioning/runs/run-crd.ts";
import { standardsCrd } from "../../../src/standards/crd.ts";
import { type Standards, standardsSchema } from "../../../src/standards/standards.ts";
import { uniqueName } from "../connection.ts";
import { workload } from "./objects.ts";
import { type Answer, type Asked, type Person, person, refusedBy } from "./requests.ts";

/** The standards under which the attempts are made; teams of others on the same cluster are kept beside them. */
const decisions = {
  teams: { payments: { groups: ["team-payments"] }, search: { groups: ["team-search"] } },
  oncall: { groups: ["oncalls"] },
  images: {
    starter: "registry.example.internal/platform/starter:0.1.0",
    registries: ["registry.example.internal/platform", "gcr.io/company"],
  },
};

/** Who may be asked to attempt something. */
export const actors = [
  "developer",
  "developer2",
  "oncall",
  "operator",
  /** Bound to `cluster-admin` by RoleBindings in the managed namespaces and in platform-system: the worst case. */
  "namespace-admin",
  /** May write namespaces in the whole cluster, and nothing else. */
  "namespace-maker",
  "pipeline",
  "other-pipeline",
  /** May manage guardrails, and nothing else but write them. */
  "engineer",
  "admin",
] as const;
export type Actor = (typeof actors)[number];

/** A cluster with the guardrails in force, a service made by the operator, and people with the shipped roles. */
export interface Scene {
  readonly service: string;
  /** `app-SERVICE`, of team payments, made by the operator. */
  readonly own: string;
  /** A namespace of several services, tier production, of team payments. */
  readonly shared: string;
  /** A namespace that nobody manages. */
  readonly free: string;
  /** A run of the service, requested by the developer, that nobody has begun with. */
  readonly run: string;
  /** The same, and the operator has begun with it. */
  readonly begunRun: string;
  readonly standards: Standards;
  /** A token of the operator's ServiceAccount. */
  readonly operatorToken: string;
  ask(actor: Actor, asked: Asked): Promise<Answer>;
  close(): Promise<void>;
}

const groupsOf = (namespace: string) => [
  "system:serviceaccounts",
  `system:serviceaccounts:${namespace}`,
  "system:authenticated",
];

function binding(namespace: string, user: string): KubeObject {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: user, namespace },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
  };
}

/** What the API server takes a moment to know: rights and parameters that were just written. */
export async function eventually<T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const value = await attempt();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`not within 30 s: ${what}`);
    await setTimeout(100);
  }
}

const stored = z.looseObject({ metadata: z.looseObject({ name: z.string() }) });
const tokenSchema = z.object({ status: z.object({ token: z.string() }) });

/** A Run as the command would write it. */
export function runObject(
  spec: {
    readonly operation: string;
    readonly service: string;
    readonly team: string;
    readonly requestedBy: string;
  } & Readonly<Record<string, unknown>>,
  metadata: Readonly<Record<string, unknown>> = {},
) {
  const { operation, service, team } = spec;
  return {
    apiVersion: "platform.company.com/v1",
    kind: "Run",
    metadata: {
      name: `${service}-${operation}-22222`,
      namespace: "platform-system",
      labels: {
        "platform.company.com/managed": "true",
        "platform.company.com/service": service,
        "platform.company.com/team": team,
        "platform.company.com/operation": operation,
      },
      ...metadata,
    },
    spec: { parameters: {}, ...spec },
  };
}

/**
 * Puts the guardrails in force and builds the scene.
 * @param kubeconfig - with the contexts admin, developer, developer2 and oncall
 */
export async function openScene(kubeconfig: string): Promise<Scene> {
  const admin = await connect({ kind: "kubeconfig", path: kubeconfig, context: "admin" });
  const undo: (() => Promise<unknown>)[] = [];
  const write = (object: KubeObject) => apply(admin, resourceOf(object), object);
  const gone = (object: KubeObject) => () =>
    admin
      .delete(resourceOf(object), object.metadata)
      .catch((error) => (isClusterError(error, "not-found") ? undefined : Promise.reject(error)));

  const standards = await prepare(admin, undo);
  const service = uniqueName("guard");
  const [own, shared, free] = [`app-${service}`, `${service}-shared`, `${service}-free`];
  const request = serviceRequestSchema.parse({
    name: service,
    language: "go",
    team: "payments",
    database: "postgres",
    exposure: "public",
  });
  const application = applicationFor(request, standards);
  const { namespace: place, ...others } = desiredObjects(application, standards, { guardrails: true });
  const namespace = (name: string): KubeObject => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name },
  });
  for (const name of [own, shared, free]) undo.push(gone(namespace(name)));

  const people = new Map<Actor, Person>(
    (["admin", "developer", "developer2", "oncall"] as const).map((context) => [
      context,
      person(kubeconfig, { context }),
    ]),
  );
  const asAdmin = people.get("admin");
  if (asAdmin === undefined) throw new Error("no admin");
  const account = installationObjects({ standards }).operator.find(({ kind }) => kind === "ServiceAccount");
  if (account === undefined) throw new Error("an installation has no operator's account");
  if ((await find(admin, resources.serviceAccounts, account.metadata)) === undefined)
    undo.push(gone(account));
  await write(account);
  const token = await asAdmin.ask({
    method: "POST",
    path: "/api/v1/namespaces/platform-system/serviceaccounts/platform-operator/token",
    body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3600 } },
  });
  const operatorToken = tokenSchema.parse(token.body).status.token;
  people.set("operator", person(kubeconfig, { token: operatorToken }));

  await Promise.all([write(namespace(free)), asOperator(people, [...place])]);
  for (const object of namespaceObjects({ name: shared, team: "payments", tier: "production" }, standards, {
    guardrails: true,
  })) {
    await write(object);
  }
  const maker = `${service}-maker`;
  const engineer = `${service}-engineer`;
  const extra: KubeObject[] = [
    ...[own, shared, free, "platform-system"].map((name) => binding(name, `${service}-warden`)),
    role(maker, [{ apiGroups: [""], resources: ["namespaces"], verbs: ["*"] }]),
    role(engineer, [{ apiGroups: ["platform.company.com"], resources: ["guardrails"], verbs: ["*"] }]),
    ...[maker, engineer].map(clusterBinding),
  ];
  for (const object of extra) {
    await write(object);
    if (object.metadata.namespace === undefined || object.metadata.namespace === "platform-system")
      undo.push(gone(object));
  }
  const impersonated: Partial<Record<Actor, readonly [string, ...string[]]>> = {
    "namespace-admin": [`${service}-warden`, "system:authenticated"],
    "namespace-maker": [maker, "system:authenticated"],
    engineer: [engineer, "system:authenticated"],
    pipeline: [`system:serviceaccount:${own}:pipeline`, ...groupsOf(own)],
    "other-pipeline": [`system:serviceaccount:${own}:other`, ...groupsOf(own)],
  };
  const ask = (actor: Actor, asked: Asked) => {
    const impersonate = impersonated[actor];
    const somebody = people.get(actor) ?? asAdmin;
    return somebody.ask(impersonate === undefined ? asked : { ...asked, impersonate });
  };
  // Everything of a service, written with the operator's own rights, once those are known.
  await asOperator(people, [
    databaseSecret(application, randomBytes(24).toString("hex")),
    application,
    ...Object.values(others).flat(),
  ]);
  await inForce(ask, own, shared);
  await lastInForce(ask, own);
  const [run, begunRun] = [await requested(ask, service, "22222"), await requested(ask, service, "22223")];
  const refused = {
    type: "RunRefused",
    at: new Date().toISOString(),
    refusal: { kind: "usage", message: "of the scene", mend: "" },
  };
  const begun = await ask("operator", {
    method: "PATCH",
    path: `/apis/platform.company.com/v1/namespaces/platform-system/runs/${begunRun}/status`,
    body: { status: { phase: "Refused", epoch: 1, events: [refused] } },
  });
  if (begun.status >= 300) throw new Error(`the operator may not write a journal: ${begun.message}`);
  for (const name of [run, begunRun]) {
    undo.push(() => admin.delete(resources.runs, { namespace: "platform-system", name }));
  }
  return {
    service,
    own,
    shared,
    free,
    run,
    begunRun,
    standards,
    operatorToken,
    ask,
    async close() {
      for (const each of people.values()) each.close();
      for (const each of undo.reverse()) await each();
      await admin.close();
    },
  };
}

function role(name: string, rules: readonly object[]): KubeObject {
  return { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name }, rules };
}

function clusterBinding(name: string): KubeObject {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name }],
  };
}

/** CRDs, standards, roles and policies; what was not there before is taken away at the end. */
async function prepare(admin: Cluster, undo: (() => Promise<unknown>)[]): Promise<Standards> {
  const system: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "platform-system" } };
  for (const object of [applicationCrd, standardsCrd, runCrd, guardrailsCrd, system]) {
    await apply(admin, resourceOf(object), object);
  }
  await eventually("the CRDs are served", async () => {
    const kinds = [resources.guardrails, resources.standards, resources.runs, resources.applications];
    const [first, ...others] = await Promise.all(kinds.map((kind) => admin.serves(kind, { refresh: true })));
    return first === true && others.every(Boolean) ? true : undefined;
  });
  const before = await find(admin, resources.standards, { name: "platform" });
  const known = standardsSchema.safeParse(before?.spec ?? {});
  const standards = standardsSchema.parse({
    ...decisions,
    teams: { ...known.data?.teams, ...decisions.teams },
    oncall: { groups: [...new Set([...(known.data?.oncall.groups ?? []), ...decisions.oncall.groups])] },
  });
  // Only what the policies read, and what a new service runs: whoever else works on this cluster keeps their standards.
  const { teams, oncall } = standards;
  const images = {
    starter: known.data?.images.starter ?? decisions.images.starter,
    registries: [...new Set([...(known.data?.images.registries ?? []), ...decisions.images.registries])],
  };
  if (before === undefined) {
    await admin.create(resources.standards, standardsObject(standards));
    undo.push(() => admin.delete(resources.standards, { name: "platform" }));
  } else {
    await admin.patch(
      resources.standards,
      { name: "platform" },
      { type: "merge", body: { spec: { teams, oncall, images } } },
    );
    const spec = {
      teams: { payments: null, search: null, ...known.data?.teams },
      oncall: known.data?.oncall ?? null,
      images: {
        starter: known.data?.images.starter ?? null,
        registries: known.data?.images.registries ?? null,
      },
    };
    undo.push(() =>
      admin.patch(resources.standards, { name: "platform" }, { type: "merge", body: { spec } }),
    );
  }
  for (const object of [...accessObjects(standards), ...guardrailObjects(standards)]) {
    const there = await find(admin, resourceOf(object), object.metadata);
    await apply(admin, resourceOf(object), object);
    if (there === undefined) undo.push(() => admin.delete(resourceOf(object), object.metadata));
  }
  return standards;
}

/** Writes objects with the operator's own rights, as it would: in order, and again where rights are not known yet. */
async function asOperator(people: ReadonlyMap<Actor, Person>, objects: readonly KubeObject[]): Promise<void> {
  const operator = people.get("operator");
  if (operator === undefined) throw new Error("no operator");
  for (const object of objects) {
    const { group, version, plural } = resourceOf(object);
    const { name, namespace } = object.metadata;
    const place = namespace === undefined ? "" : `/namespaces/${namespace}`;
    const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
    await eventually(`the operator writes ${object.kind} ${name}`, async () => {
      const answer = await operator.ask({
        method: "PATCH",
        path: `${root}${place}/${plural}/${name}?fieldManager=platform&force=true`,
        patch: "apply",
        body: object,
      });
      if (answer.status < 300) return true;
      const known =
        /failed to configure|cannot .* resource "secrets"|cannot create resource|cannot patch resource/;
      if (answer.status === 403 && known.test(answer.message)) return undefined;
      throw new Error(`the operator may not write ${object.kind} ${name}: ${answer.message}`);
    });
  }
}

/** Policies, rights and parameters take a moment to be known after they were written. */
async function inForce(ask: Scene["ask"], own: string, shared: string): Promise<void> {
  for (const namespace of [own, shared]) {
    await eventually(`guardrails are in force in ${namespace}`, async () => {
      const body = workload("Pod", "tool", { image: "elsewhere.example/tool:v1" });
      const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
      const answer = await ask("namespace-admin", { method: "POST", path, body });
      return refusedBy(answer) === "pods" && answer.message.includes("registry:") ? true : undefined;
    });
  }
}

/** The last policy that was written is in force, and so are all before it. */
async function lastInForce(ask: Scene["ask"], own: string): Promise<void> {
  await eventually("the last guardrail is in force", async () => {
    const answer = await ask("operator", {
      method: "POST",
      path: `/apis/rbac.authorization.k8s.io/v1/namespaces/${own}/rolebindings?dryRun=All`,
      body: {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata: { name: "nobody" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "platform-team" },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "nobody" }],
      },
    });
    return refusedBy(answer) === "operator-bindings" ? true : undefined;
  });
}

async function requested(ask: Scene["ask"], service: string, suffix: string): Promise<string> {
  const body = runObject(
    { operation: "deploy", service, team: "payments", requestedBy: "developer" },
    { name: `${service}-deploy-${suffix}` },
  );
  return eventually("the developer requests a run", async () => {
    const answer = await ask("developer", {
      method: "POST",
      path: "/apis/platform.company.com/v1/namespaces/platform-system/runs",
      body,
    });
    return answer.status < 300 ? stored.parse(answer.body).metadata.name : undefined;
  });
}
