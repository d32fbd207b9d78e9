import { describe, expect, test } from "vitest";
import { z } from "zod";
import { desiredObjects, namespaceObjects } from "../../../src/application/desired-objects.ts";
import { applicationFor } from "../../../src/application/from-request.ts";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { resourceOf, resources } from "../../../src/cluster/resource.ts";
import { guardrailsSpecSchema } from "../../../src/guardrails/crd.ts";
import { accessObjects } from "../../../src/guardrails/index.ts";
import { operatorUser } from "../../../src/guardrails/principals.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

const standards = standardsSchema.parse({
  teams: { payments: { groups: ["team-payments"] }, search: { groups: ["team-search", "team-payments"] } },
  images: { starter: "registry.example.internal/platform/starter:0.1.0", registries: ["gcr.io/company"] },
  monitoring: { prometheus: { namespace: "monitoring", service: "prometheus-operated", port: 9090 } },
});
const rulesSchema = z.array(
  z.object({
    apiGroups: z.array(z.string()),
    resources: z.array(z.string()),
    verbs: z.array(z.string()),
    resourceNames: z.array(z.string()).optional(),
  }),
);
const objects = accessObjects(standards);

function named(kind: string, name: string): KubeObject {
  const object = objects.find((candidate) => candidate.kind === kind && candidate.metadata.name === name);
  if (object === undefined) throw new Error(`no ${kind} ${name}`);
  return object;
}
const rulesOf = (name: string, kind = "ClusterRole") => rulesSchema.parse(named(kind, name).rules);

function allows(rules: z.output<typeof rulesSchema>, verb: string, group: string, resource: string): boolean {
  return rules.some(
    ({ apiGroups, resources: names, verbs, resourceNames }) =>
      apiGroups.includes(group) &&
      names.includes(resource) &&
      verbs.includes(verb) &&
      resourceNames === undefined,
  );
}

describe("roles of people", () => {
  test.each([
    ["platform-developer", ["delete runs"]],
    [
      "platform-oncall",
      ["delete runs", "patch runs", "update runs", "create pods/exec", "create pods/portforward"],
    ],
    [
      "platform-team",
      [
        "update applications",
        "patch applications",
        "update applications/scale",
        "patch applications/scale",
        "create secrets",
      ],
    ],
  ])("%s may write what it is for, and nothing else", (role, more) => {
    const writes = rulesOf(role).flatMap(({ resources: names, verbs }) =>
      names.flatMap((name) =>
        verbs.filter((verb) => !["get", "list", "watch"].includes(verb)).map((verb) => `${verb} ${name}`),
      ),
    );
    const expected = role === "platform-team" ? more : ["create runs", ...more];
    expect(writes.sort()).toEqual([...expected].sort());
  });

  test("none reads Secrets, and none has a wildcard", () => {
    for (const role of [
      "platform-developer",
      "platform-oncall",
      "platform-team",
      "platform-namespace-team",
    ]) {
      const rules = rulesOf(role);
      const onSecrets = rules.filter(({ resources: names }) => names.includes("secrets"));
      expect(onSecrets.flatMap(({ verbs }) => verbs)).toEqual(role === "platform-team" ? ["create"] : []);
      expect(JSON.stringify(rules)).not.toContain("*");
    }
  });

  test("every team's groups are developers, each once, and on-call is bound to its own", () => {
    expect(named("ClusterRoleBinding", "platform-developer").subjects).toEqual(
      ["team-payments", "team-search"].map((name) => ({
        apiGroup: "rbac.authorization.k8s.io",
        kind: "Group",
        name,
      })),
    );
    expect(named("ClusterRoleBinding", "platform-oncall").subjects).toMatchObject([{ name: "oncalls" }]);
  });

  test("the right to manage guardrails is in one role, bound to nobody", () => {
    const managing = objects.filter(({ rules }) => JSON.stringify(rules ?? []).includes('"manage"'));
    expect(managing.map(({ metadata }) => metadata.name)).toEqual(["platform-admin"]);
    expect(objects.filter(({ roleRef }) => JSON.stringify(roleRef ?? {}).includes("platform-admin"))).toEqual(
      [],
    );
  });
});

describe("a service's pipeline", () => {
  const pipelineOf = (service: string | undefined) =>
    namespaceObjects({ name: `app-${service ?? "shared"}`, team: "payments", service }, standards, {
      guardrails: true,
    }).filter(({ metadata }) => metadata.name === "pipeline");

  test("is an account of its namespace with a role that writes nothing, and no Secret", () => {
    const [account, binding, ...more] = pipelineOf("shop");
    expect(more).toEqual([]);
    expect(account).toMatchObject({ kind: "ServiceAccount", automountServiceAccountToken: false });
    expect(account).not.toHaveProperty("secrets");
    expect(binding).toMatchObject({
      roleRef: { kind: "ClusterRole", name: "platform-pipeline" },
      subjects: [{ kind: "ServiceAccount", name: "pipeline", namespace: "app-shop" }],
    });
    expect(rulesOf("platform-pipeline")).toEqual([
      { apiGroups: ["platform.company.com"], resources: ["applications"], verbs: ["get"] },
    ]);
    expect(rulesOf("platform-pipeline", "Role")).toEqual([
      { apiGroups: ["platform.company.com"], resources: ["runs"], verbs: ["create", "get"] },
    ]);
  });

  test("is not in a namespace of several services, where its name says of none which", () => {
    expect(pipelineOf(undefined)).toEqual([]);
  });

  test("of a service that is called so is the service's own account", () => {
    expect(pipelineOf("pipeline").map(({ kind }) => kind)).toEqual(["RoleBinding"]);
  });
});

describe("the operator's role", () => {
  const rules = rulesOf("platform-operator");

  test("has no wildcard, no Secrets, no shells, no nodes, and hands on nothing but shipped roles", () => {
    expect(JSON.stringify(rules)).not.toContain('"*"');
    const names = rules.flatMap(({ resources: all }) => all);
    for (const name of ["secrets", "pods/exec", "nodes", "serviceaccounts/token", "clusterrolebindings"]) {
      expect(names).not.toContain(name);
    }
    const verbs = rules.flatMap(({ verbs: all }) => all);
    expect(verbs).not.toContain("escalate");
    expect(verbs).not.toContain("impersonate");
    const binding = rules.filter(({ verbs: all }) => all.includes("bind"));
    const shipped = objects.filter(({ kind }) => kind === "ClusterRole").map(({ metadata }) => metadata.name);
    expect(binding).toHaveLength(1);
    for (const name of binding[0]?.resourceNames ?? []) expect(shipped).toContain(name);
    expect(binding[0]?.resourceNames).not.toHaveLength(0);
  });

  test("writes and undoes every kind that a service or a managed namespace has", () => {
    const request = serviceRequestSchema.parse({
      name: "shop",
      language: "go",
      team: "payments",
      database: "postgres",
      cache: "redis",
      exposure: "public",
      replicas: 3,
    });
    const application = applicationFor(request, standards);
    const desired = desiredObjects(application, standards, { guardrails: true });
    const kinds = new Set([application, ...Object.values(desired).flat()].map(resourceOf));
    for (const { group, plural } of [
      ...kinds,
      resources.horizontalPodAutoscalers,
      resources.persistentVolumeClaims,
    ]) {
      for (const verb of ["get", "list", "watch", "create", "patch", "delete"]) {
        expect(allows(rules, verb, group, plural), `${verb} ${plural}`).toBe(true);
      }
    }
    const inNamespace = rulesOf("platform-operator-namespace");
    for (const verb of ["get", "list", "create", "patch", "delete"]) {
      expect(allows(inNamespace, verb, "", "secrets"), verb).toBe(true);
    }
  });

  test("is known to the policies by the name its ServiceAccount has", () => {
    expect(operatorUser).toBe("system:serviceaccount:platform-system:platform-operator");
    expect(named("ClusterRoleBinding", "platform-operator").subjects).toEqual([
      { kind: "ServiceAccount", name: "platform-operator", namespace: "platform-system" },
    ]);
  });
});

test("what a managed namespace gets as parameters is what the policies read", () => {
  const written = namespaceObjects({ name: "shared", team: "payments", tier: "production" }, standards, {
    guardrails: true,
  }).find(({ kind }) => kind === "Guardrails");
  expect(guardrailsSpecSchema.parse(written?.spec)).toMatchObject({
    registries: ["gcr.io/company"],
    images: expect.arrayContaining(["registry.example.internal/platform/starter:0.1.0"]),
    imagesByDigest: true,
  });
});
