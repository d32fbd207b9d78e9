import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applicationCrd } from "../../../src/application/crd.ts";
import {
  cacheSecret,
  databaseSecret,
  generatePassword,
  loginsOf,
} from "../../../src/application/credentials.ts";
import { desiredObjects } from "../../../src/application/desired-objects.ts";
import { applicationFor } from "../../../src/application/from-request.ts";
import { labels, namespaceOf } from "../../../src/application/names.ts";
import {
  alertNames,
  cacheTypes,
  databaseTypes,
  exposures,
  languages,
  maxReplicas,
  type ServiceRequest,
  serviceRequestSchema,
} from "../../../src/application/request.ts";
import { applicationSpecSchema, databaseUserSchema } from "../../../src/application/schema.ts";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { type Resource, resourceOf } from "../../../src/cluster/resource.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

const standards = standardsSchema.parse({
  teams: { payments: { groups: ["team-payments"] } },
  images: { starter: "registry.example.internal/starter:1" },
});

const requests: fc.Arbitrary<ServiceRequest> = fc
  .record({
    name: fc.stringMatching(/^[a-z]([-a-z0-9]{0,44}[a-z0-9])?$/),
    language: fc.constantFrom(...languages),
    replicas: fc.integer({ min: 1, max: maxReplicas }),
    database: fc.constantFrom(...databaseTypes),
    cache: fc.constantFrom(...cacheTypes),
    exposure: fc.constantFrom(...exposures),
    alerts: fc.subarray([...alertNames]),
  })
  .map((request) => serviceRequestSchema.parse(request));

function objectsOf(request: ServiceRequest): KubeObject[] {
  const application = applicationFor(request, standards);
  return [application, ...Object.values(desiredObjects(application, standards)).flat()];
}

/** Reads a path of a spec as a test sees it. */
function at(object: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>(
    (node, key) => (typeof node === "object" && node !== null ? Reflect.get(node, key) : undefined),
    object,
  );
}

const keyOf = (object: KubeObject) => {
  const resource: Resource = resourceOf(object);
  return `${resource.group}/${resource.plural} ${object.metadata.namespace ?? ""}/${object.metadata.name}`;
};

test("every object of every service is named, labelled and placed, and no two are the same", () => {
  fc.assert(
    fc.property(requests, (request) => {
      const objects = objectsOf(request);
      expect(new Set(objects.map(keyOf)).size).toBe(objects.length);
      for (const object of objects) {
        const { name, namespace } = object.metadata;
        const limit = object.kind === "StatefulSet" ? 52 : 63;
        expect(name).toMatch(/^[a-z]([-a-z0-9]*[a-z0-9])?$/);
        expect(name.length).toBeLessThanOrEqual(limit);
        expect(object.kind === "Namespace" ? name : namespace).toBe(namespaceOf(request.name));
        expect(object.metadata.labels).toMatchObject({
          "app.kubernetes.io/name": request.name,
          "app.kubernetes.io/managed-by": "platform",
          "app.kubernetes.io/component": expect.any(String),
          [labels.managed]: "true",
          [labels.service]: request.name,
          [labels.team]: "payments",
        });
        expect(object.metadata.labels).not.toHaveProperty([labels.run]);
        for (const value of Object.values(object.metadata.labels ?? {})) {
          expect(value).toMatch(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/);
          expect(value.length).toBeLessThanOrEqual(63);
        }
      }
    }),
  );
});

test("the same request makes the same objects, in the same order", () => {
  fc.assert(
    fc.property(requests, (request) => {
      expect(JSON.stringify(objectsOf(request))).toBe(JSON.stringify(objectsOf(structuredClone(request))));
    }),
  );
});

test("each selector selects its own pods and no others", () => {
  const request = serviceRequestSchema.parse({
    name: "ledger",
    language: "go",
    database: "postgres",
    cache: "redis",
  });
  const objects = objectsOf(request);
  const podLabels = new Map(
    objects
      .filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet")
      .map((object) => [object.metadata.name, at(object.spec, "template", "metadata", "labels")]),
  );
  const selected = (selector: unknown) =>
    [...podLabels].flatMap(([name, own]) =>
      Object.entries(selector ?? {}).every(([key, value]) => at(own, key) === value) ? [name] : [],
    );
  const selectors = objects.flatMap((object): [string, unknown][] => {
    const name = `${object.kind}/${object.metadata.name}`;
    if (object.kind === "Service") return [[name, at(object.spec, "selector")]];
    if (["Deployment", "StatefulSet", "PodDisruptionBudget"].includes(object.kind)) {
      return [[name, at(object.spec, "selector", "matchLabels")]];
    }
    return [];
  });
  expect(Object.fromEntries(selectors.map(([name, selector]) => [name, selected(selector)]))).toEqual({
    "Deployment/ledger": ["ledger"],
    "PodDisruptionBudget/ledger": ["ledger"],
    "Service/ledger": ["ledger"],
    "Service/ledger-cache": ["ledger-cache"],
    "Service/ledger-db": ["ledger-db"],
    "Service/ledger-metrics": ["ledger"],
    "StatefulSet/ledger-cache": ["ledger-cache"],
    "StatefulSet/ledger-db": ["ledger-db"],
  });
});

test("every container would be admitted at the restricted level, and none keeps data in an emptyDir", () => {
  fc.assert(
    fc.property(requests, (request) => {
      for (const object of objectsOf(request)) {
        const pod = at(object.spec, "template", "spec");
        if (pod === undefined) continue;
        expect(pod).toMatchObject({
          automountServiceAccountToken: false,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
        });
        const containers = at(pod, "containers");
        const emptyDirs = JSON.stringify(at(pod, "volumes"));
        expect(emptyDirs).not.toContain('"name":"data"');
        for (const container of Array.isArray(containers) ? containers : []) {
          expect(container).toMatchObject({
            resources: { requests: expect.anything(), limits: expect.anything() },
            livenessProbe: expect.anything(),
            readinessProbe: expect.anything(),
            securityContext: {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ["ALL"] },
            },
          });
        }
      }
    }),
  );
});

describe("credentials", () => {
  const application = applicationFor(
    serviceRequestSchema.parse({ name: "postgres", language: "go", database: "postgres", cache: "redis" }),
    standards,
  );
  const decoded = (secret: KubeObject) =>
    Object.fromEntries(
      Object.entries(secret.data ?? {}).map(([key, value]) => [
        key,
        Buffer.from(String(value), "base64").toString(),
      ]),
    );

  test("a database's secret has everything to connect, and its user is never a superuser's name", () => {
    expect(decoded(databaseSecret(application, "s3cret"))).toEqual({
      host: "postgres-db.app-postgres.svc",
      port: "5432",
      database: "app_postgres",
      username: "app_postgres",
      password: "s3cret",
      uri: "postgresql://app_postgres:s3cret@postgres-db.app-postgres.svc:5432/app_postgres?sslmode=disable",
    });
  });

  test("a cache's secret likewise", () => {
    expect(decoded(cacheSecret(application, "s3cret"))).toEqual({
      host: "postgres-cache.app-postgres.svc",
      port: "6379",
      username: "app_postgres",
      password: "s3cret",
      uri: "redis://app_postgres:s3cret@postgres-cache.app-postgres.svc:6379/0",
    });
  });

  test("two logins that take turns are never the same, and PostgreSQL takes the name of either", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,62}$/), (user) => {
        const [first, second] = loginsOf(user);
        expect(first).toBe(user);
        expect(second).not.toBe(first);
        expect(
          databaseUserSchema.safeParse(second).success || !databaseUserSchema.safeParse(user).success,
        ).toBe(true);
      }),
    );
    expect(loginsOf("pg")).toEqual(["pg", "pg2"]);
    expect(loginsOf(`${"a".repeat(61)}_2`)).toEqual([`${"a".repeat(61)}_2`, `${"a".repeat(61)}_3`]);
  });

  test("a password is long, and safe in a URI, a shell and a configuration file", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 24, maxLength: 24 }), (bytes) => {
        expect(generatePassword(() => bytes)).toMatch(/^[0-9a-f]{48}$/);
      }),
    );
  });
});

test("what a request makes, the CRD's schema accepts", () => {
  fc.assert(
    fc.property(requests, (request) => {
      expect(applicationSpecSchema.safeParse(applicationFor(request, standards).spec).error).toBeUndefined();
    }),
  );
  const schema = at(applicationCrd.spec, "versions", 0, "schema", "openAPIV3Schema", "properties", "spec");
  expect(Object.keys(Object(at(schema, "properties"))).sort()).toEqual(
    Object.keys(applicationSpecSchema.shape).sort(),
  );
});

test("workload objects belong to the Application once it exists", () => {
  const application = applicationFor(serviceRequestSchema.parse({ name: "a", language: "go" }), standards);
  const existing = { ...application, metadata: { ...application.metadata, uid: "1-2-3" } };
  for (const object of desiredObjects(existing, standards).workload) {
    expect(object.metadata.ownerReferences).toMatchObject([{ kind: "Application", name: "a", uid: "1-2-3" }]);
  }
  expect(desiredObjects(application, standards).workload[0]?.metadata).not.toHaveProperty("ownerReferences");
});

test("a public service has a route, a certificate and a name, an internal one a Service, a worker neither", () => {
  const kinds = (exposure: string) =>
    objectsOf(serviceRequestSchema.parse({ name: "a", language: "go", exposure })).map(
      ({ kind, metadata }) => `${kind}/${metadata.name}`,
    );
  expect(kinds("public")).toEqual(
    expect.arrayContaining(["HTTPRoute/a", "Certificate/a", "DNSEndpoint/a", "Service/a"]),
  );
  expect(kinds("internal")).toContain("Service/a");
  expect(kinds("internal")).not.toContain("HTTPRoute/a");
  expect(kinds("none")).not.toContain("Service/a");
});
