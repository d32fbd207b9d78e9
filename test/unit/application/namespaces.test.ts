import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Application, wholeSpec } from "../../../src/application/application.ts";
import {
  credentialSecretNames,
  credentialsMark,
  databaseNames,
  databaseSecret,
} from "../../../src/application/credentials.ts";
import {
  applicationObjects,
  desiredObjects,
  namespaceObjects,
} from "../../../src/application/desired-objects.ts";
import { applicationOf } from "../../../src/application/from-request.ts";
import {
  credentialsAnnotation,
  labels,
  namespaceOf,
  serviceNameSchema,
  sharedNameProblem,
} from "../../../src/application/names.ts";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

const standards = standardsSchema.parse({
  teams: { payments: { groups: ["team-payments"] } },
  images: { registries: ["gcr.io/company"] },
});

const spec = wholeSpec(
  { image: "gcr.io/company/a:1", database: { type: "postgres" }, cache: { type: "redis" } },
  "payments",
);

function inNamespace(name: string, namespace: string, more: object = {}, uid?: string): Application {
  const application = applicationOf(serviceNameSchema.parse(name), { ...spec, ...more });
  return {
    ...application,
    metadata: { ...application.metadata, namespace, ...(uid === undefined ? {} : { uid }) },
  };
}

const allOf = (application: Application, facts = {}) =>
  Object.values(applicationObjects(application, standards, facts)).flat();

const keyOf = ({ kind, metadata }: KubeObject) => `${kind}/${metadata.name}`;

function at(object: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>(
    (node, key) => (typeof node === "object" && node !== null ? Reflect.get(node, key) : undefined),
    object,
  );
}

function find(objects: readonly KubeObject[], kind: string): KubeObject | undefined {
  return objects.find((object) => object.kind === kind);
}

describe("a namespace that several services share", () => {
  const names = fc.stringMatching(/^[a-z]([-a-z0-9]{0,10}[a-z0-9])?(-(db|cache|to|metrics|dashboard))?$/);

  test("no two services in it have an object of one name", () => {
    fc.assert(
      fc.property(names, names, (one, other) => {
        fc.pre(one !== other);
        fc.pre([one, other].every((name) => sharedNameProblem(name, "production") === undefined));
        const keys = [one, other].flatMap((name) =>
          allOf(inNamespace(name, "production", { exposure: "public" })).map(keyOf),
        );
        expect(new Set(keys).size).toBe(keys.length);
      }),
    );
  });

  test("its own objects are nobody's service, and no service writes them", () => {
    const own = namespaceObjects({ name: "production", team: "payments" }, standards, { guardrails: true });
    for (const { metadata } of own) expect(metadata.labels).not.toHaveProperty([labels.service]);
    expect(own[0]).toMatchObject({
      kind: "Namespace",
      metadata: {
        labels: { [labels.managed]: "true", [labels.team]: "payments", [labels.tier]: "standard" },
      },
    });
    const keys = new Set(own.map(keyOf));
    for (const object of allOf(inNamespace("a", "production"))) expect(keys).not.toContain(keyOf(object));
    expect(find(own, "RoleBinding")).toBeDefined();
    expect(own.find(({ metadata }) => metadata.name === "team")).toMatchObject({
      roleRef: { kind: "ClusterRole", name: "platform-namespace-team" },
      subjects: [{ name: "team-payments" }],
    });
  });

  test("hosts, credentials and alerts are the service's own", () => {
    const application = inNamespace("a", "production", { exposure: "public" });
    const objects = allOf(application);
    expect(find(objects, "HTTPRoute")).toMatchObject({
      spec: { hostnames: ["a.production.apps.example.internal"] },
    });
    expect(databaseNames(application).host).toBe("a-db.production.svc");
    expect(JSON.stringify(find(objects, "PrometheusRule"))).toContain(
      'namespace=\\"production\\",job=\\"a\\"',
    );
    for (const { metadata } of objects) expect(metadata.namespace).toBe("production");
  });
});

test("together, a service and its own namespace are what a run writes", () => {
  const application = inNamespace("a", namespaceOf(serviceNameSchema.parse("a")));
  const facts = { guardrails: true, tier: "production" };
  const own = namespaceObjects(
    { name: "app-a", team: "payments", tier: "production", service: "a" },
    standards,
    facts,
  );
  const asJson = (objects: readonly KubeObject[]) => objects.map((object) => JSON.stringify(object)).sort();
  expect(asJson([...own, ...allOf(application, facts)])).toEqual(
    asJson(Object.values(desiredObjects(application, standards, facts)).flat()),
  );
});

test("the Application controls everything but data stores, which outlive it", () => {
  const parts = applicationObjects(inNamespace("a", "production", {}, "1-2-3"), standards);
  for (const [part, objects] of Object.entries(parts)) {
    for (const { metadata } of objects) {
      const owners = metadata.ownerReferences?.map(({ uid, controller }) => [uid, controller]);
      expect([part, owners]).toEqual([
        part,
        part === "database" || part === "cache" ? undefined : [["1-2-3", true]],
      ]);
    }
  }
  const own = namespaceObjects({ name: "app-a", team: "payments", service: "a" }, standards);
  for (const { metadata } of own) expect(metadata).not.toHaveProperty("ownerReferences");
});

test("an autoscaler is made where it is asked for, and then nothing else says how many pods there are", () => {
  const autoscaling = { minReplicas: 1, maxReplicas: 6, cpuPercent: 60 };
  const { workload } = applicationObjects(inNamespace("a", "production", { autoscaling }), standards);
  expect(find(workload, "HorizontalPodAutoscaler")).toMatchObject({
    spec: { minReplicas: 1, maxReplicas: 6, scaleTargetRef: { kind: "Deployment", name: "a" } },
  });
  expect(find(workload, "Deployment")?.spec).not.toHaveProperty("replicas");
  expect(find(workload, "PodDisruptionBudget")).toBeUndefined();
});

test("the size, the user and the version that are asked for are what is made", () => {
  const application = inNamespace("a", "production", {
    database: { type: "postgres", size: "db-custom-2-8192", user: "api_user" },
    cache: { type: "redis", version: "7.0" },
  });
  const { database, cache } = applicationObjects(application, standards);
  expect(at(find(database, "StatefulSet")?.spec, "template", "spec", "containers", 0, "resources")).toEqual({
    requests: { cpu: "2", memory: "8192Mi" },
    limits: { cpu: "2", memory: "8192Mi" },
  });
  expect(
    Buffer.from(String(at(databaseSecret(application, "x").data, "username")), "base64").toString(),
  ).toBe("api_user");
  expect(at(find(cache, "StatefulSet")?.spec, "template", "spec", "containers", 0, "image")).toBe(
    standards.cache.versions["7.0"],
  );
  const unknown = inNamespace("a", "production", { cache: { type: "redis", version: "6" } });
  expect(() => applicationObjects(unknown, standards)).toThrow(/offer no Redis 6, but 7.0, 7.2, 7.4/);
});

describe("credentials", () => {
  const secretOf = (password: string, uid = "u-1"): KubeObject => {
    const made = databaseSecret(inNamespace("a", "production"), password);
    return { ...made, metadata: { ...made.metadata, uid } };
  };

  test("pods carry a mark that changes with them, and with nothing else", () => {
    const mark = credentialsMark([secretOf("one")]);
    const labelled = { ...secretOf("one") };
    expect(credentialsMark([{ ...labelled, metadata: { ...labelled.metadata, resourceVersion: "9" } }])).toBe(
      mark,
    );
    expect(credentialsMark([secretOf("two")])).not.toBe(mark);
    expect(credentialsMark([secretOf("one", "u-2")])).not.toBe(mark);
    expect(credentialsMark([])).toBeUndefined();
    const { workload } = applicationObjects(inNamespace("a", "production"), standards, { credentials: mark });
    expect(at(find(workload, "Deployment")?.spec, "template", "metadata", "annotations")).toEqual({
      [credentialsAnnotation]: mark,
    });
  });

  test("the mark tells next to nothing of them", () => {
    fc.assert(
      fc.property(fc.string(), (password) => {
        expect(credentialsMark([secretOf(password)])).toMatch(/^[0-9a-f]{4}$/);
      }),
    );
  });

  test("only the Secrets of what the service has are read", () => {
    expect(credentialSecretNames(inNamespace("a", "production"))).toEqual(["a-db", "a-cache"]);
    const { database: _, cache: __, ...without } = spec;
    expect(credentialSecretNames(applicationOf(serviceNameSchema.parse("a"), without))).toEqual([]);
  });
});

test("a tier decides the quota and what images must be named by", () => {
  const tiered = standardsSchema.parse({
    teams: { payments: { groups: ["team-payments"] } },
    tiers: { small: { quota: { cpu: "2" } }, large: { imagesByDigest: true } },
    defaultTier: "small",
  });
  const of = (tier?: string) =>
    namespaceObjects({ name: "production", team: "payments", tier }, tiered, { guardrails: true });
  expect(find(of(), "ResourceQuota")).toMatchObject({
    spec: { hard: { "requests.cpu": "2", "requests.memory": "40Gi" } },
  });
  expect(find(of("large"), "ResourceQuota")).toMatchObject({ spec: { hard: { "requests.cpu": "20" } } });
  expect(find(of("large"), "Guardrails")).toMatchObject({ spec: { imagesByDigest: true } });
  expect(find(of(), "Guardrails")).toMatchObject({ spec: { imagesByDigest: false, registries: [] } });
  // A tier that was taken away makes nothing laxer.
  expect(find(of("forgotten"), "ResourceQuota")).toMatchObject({ spec: { hard: { "requests.cpu": "2" } } });
  expect(find(of("forgotten"), "Guardrails")).toMatchObject({ spec: { imagesByDigest: true } });
  expect(standardsSchema.safeParse({ defaultTier: "none-such" }).error?.issues[0]?.path).toEqual([
    "defaultTier",
  ]);
});

test("without ServiceMonitors, annotations say what to scrape", () => {
  const service = (facts: object) =>
    applicationObjects(inNamespace("a", "production"), standards, facts).monitoring.find(
      ({ metadata }) => metadata.name === "a-metrics",
    );
  expect(service({ serviceMonitors: false })?.metadata.annotations).toMatchObject({
    "prometheus.io/scrape": "true",
    "prometheus.io/port": "9090",
  });
  expect(service({})?.metadata).not.toHaveProperty("annotations");
});
