import { describe, expect, test } from "vitest";
import { resources } from "../../src/cluster/resource.ts";
import { at, type Contract, configMap, deployment, failureOf } from "./contract.ts";

/** Create, read, replace and patch: versions, conflicts, generations and the server's own words. */
export function crud(contract: () => Contract): void {
  const { configMaps, deployments, secrets } = resources;

  describe("create and get", () => {
    test("gives an object identity, and the same on reading", async () => {
      const { cluster, namespace } = contract();
      const made = await cluster.create(configMaps, configMap(namespace, "made", { data: { a: "1" } }));
      expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
      expect(made.metadata.resourceVersion).toMatch(/^\d+$/);
      expect(made.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(made.metadata.generation).toBeUndefined();
      expect(await cluster.get(configMaps, { namespace, name: "made" })).toEqual(made);
    });

    test("answers 201", async () => {
      const { http, namespace } = contract();
      const path = `/api/v1/namespaces/${namespace}/configmaps`;
      const answer = await http({ method: "POST", path, body: configMap(namespace, "created") });
      expect(answer.status).toBe(201);
    });

    test("refuses a name that is taken", async () => {
      const { cluster, namespace } = contract();
      await cluster.create(configMaps, configMap(namespace, "taken"));
      const error = await failureOf(cluster.create(configMaps, configMap(namespace, "taken")));
      expect(error).toMatchObject({
        kind: "already-exists",
        status: 409,
        reason: "AlreadyExists",
        message: 'configmaps "taken" already exists',
      });
    });

    test("names an object after generateName", async () => {
      const { http, namespace } = contract();
      const answer = await http({
        method: "POST",
        path: `/api/v1/namespaces/${namespace}/configmaps`,
        body: { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "some-" } },
      });
      expect(at(answer.body, "metadata", "name")).toMatch(/^some-[a-z0-9]{5}$/);
    });

    test("does not know what is missing", async () => {
      const { cluster, namespace } = contract();
      const error = await failureOf(cluster.get(deployments, { namespace, name: "nobody" }));
      expect(error).toMatchObject({
        kind: "not-found",
        reason: "NotFound",
        message: 'deployments.apps "nobody" not found',
        request: `get deployments.apps ${namespace}/nobody`,
      });
    });

    test("does not know a type it does not serve", async () => {
      const { http } = contract();
      const error = await failureOf(http({ method: "GET", path: "/apis/nobody.example/v1/things" }));
      expect(error.kind).toBe("not-found");
    });

    test("refuses an object of another namespace", async () => {
      const { http, namespace } = contract();
      const error = await failureOf(
        http({
          method: "POST",
          path: `/api/v1/namespaces/${namespace}/configmaps`,
          body: configMap("default", "astray"),
        }),
      );
      expect(error).toMatchObject({ kind: "invalid", status: 400, reason: "BadRequest" });
      expect(error.message).toContain("does not match the namespace sent on the request");
    });

    test("refuses a resourceVersion on create", async () => {
      const { cluster, namespace } = contract();
      const error = await failureOf(
        cluster.create(configMaps, configMap(namespace, "versioned", { metadata: { resourceVersion: "1" } })),
      );
      expect(error.message).toContain("resourceVersion should not be set on objects to be created");
    });

    test("keeps a Secret's stringData as base64 data", async () => {
      const { cluster, namespace } = contract();
      const secret = await cluster.create(secrets, {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "words", namespace },
        stringData: { password: "pässword" },
      });
      expect(secret.data).toEqual({ password: Buffer.from("pässword").toString("base64") });
      expect(secret.stringData).toBeUndefined();
      expect(secret.type).toBe("Opaque");
    });
  });

  describe("validation", () => {
    test("names the field that is wrong", async () => {
      const { cluster, namespace } = contract();
      const error = await failureOf(cluster.create(configMaps, configMap(namespace, "My_Map")), "invalid");
      expect(error).toMatchObject({ status: 422, reason: "Invalid" });
      expect(error.message).toContain(
        'ConfigMap "My_Map" is invalid: metadata.name: Invalid value: "My_Map"',
      );
      expect(error.causes.map(({ field }) => field)).toEqual(["metadata.name"]);
    });

    test("refuses label values that are none", async () => {
      const { cluster, namespace } = contract();
      const object = configMap(namespace, "labelled", { metadata: { labels: { a: "not a value" } } });
      const error = await failureOf(cluster.create(configMaps, object), "invalid");
      expect(error.causes.map(({ field }) => field)).toEqual(["metadata.labels"]);
    });

    test("refuses fields it does not know when asked strictly", async () => {
      const { cluster, namespace } = contract();
      const object = { ...deployment(namespace, "strict"), surprise: 1 };
      const error = await failureOf(cluster.create(deployments, object), "invalid");
      expect(error).toMatchObject({ status: 400, reason: "BadRequest" });
      expect(error.message).toContain('unknown field "surprise"');
      const nested = deployment(namespace, "strict", { replica: 2 });
      expect((await failureOf(cluster.create(deployments, nested))).message).toContain(
        'unknown field "spec.replica"',
      );
    });

    test("warns of fields it does not know otherwise", async () => {
      const { http, namespace, warnings } = contract();
      const path = `/api/v1/namespaces/${namespace}/configmaps`;
      await http({
        method: "POST",
        path,
        query: { fieldValidation: "Warn" },
        body: { ...configMap(namespace, "lenient"), surprise: 1 },
        text: "lenient",
      });
      expect(warnings.filter(({ request }) => request === "lenient")).toEqual([
        { warning: 'unknown field "surprise"', request: "lenient" },
      ]);
    });

    test("refuses a Deployment whose selector misses its pods, and one without", async () => {
      const { cluster, namespace } = contract();
      const astray = deployment(namespace, "astray", { selector: { matchLabels: { app: "other" } } });
      const error = await failureOf(cluster.create(deployments, astray), "invalid");
      expect(error.causes.map(({ field }) => field)).toEqual(["spec.template.metadata.labels"]);
      const { selector: _, ...spec } = { selector: 1, ...Object(deployment(namespace, "without").spec) };
      const without = { ...deployment(namespace, "without"), spec };
      const missing = await failureOf(cluster.create(deployments, without), "invalid");
      expect(missing.causes.map(({ field }) => field)).toContain("spec.selector");
    });

    test("keeps a Deployment's selector for good", async () => {
      const { cluster, namespace } = contract();
      await cluster.create(deployments, deployment(namespace, "fixed", { replicas: 0 }));
      const error = await failureOf(
        cluster.patch(
          deployments,
          { namespace, name: "fixed" },
          {
            type: "merge",
            body: {
              spec: {
                selector: { matchLabels: { app: "other" } },
                template: { metadata: { labels: { app: "other" } } },
              },
            },
          },
        ),
        "invalid",
      );
      expect(error.message).toContain("field is immutable");
    });

    test("refuses values that are out of range", async () => {
      const { cluster, namespace } = contract();
      const error = await failureOf(
        cluster.create(deployments, deployment(namespace, "negative", { replicas: -1 })),
      );
      expect(error).toMatchObject({ kind: "invalid", status: 422 });
      expect(error.causes.map(({ field }) => field)).toEqual(["spec.replicas"]);
      const text = await failureOf(
        cluster.create(deployments, deployment(namespace, "wordy", { replicas: "three" })),
      );
      expect(text).toMatchObject({ kind: "invalid", status: 400 });
    });

    test("fills in a Deployment's defaults", async () => {
      const { cluster, namespace } = contract();
      const made = await cluster.create(deployments, deployment(namespace, "defaults", { replicas: 0 }));
      expect(made.spec).toMatchObject({
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
        template: {
          spec: {
            restartPolicy: "Always",
            dnsPolicy: "ClusterFirst",
            schedulerName: "default-scheduler",
            securityContext: {},
            terminationGracePeriodSeconds: 30,
            containers: [
              {
                imagePullPolicy: "IfNotPresent",
                resources: {},
                terminationMessagePath: "/dev/termination-log",
                terminationMessagePolicy: "File",
                ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
              },
            ],
          },
        },
      });
    });

    test("gives a Service its address and its ports their defaults", async () => {
      const { cluster, namespace } = contract();
      const made = await cluster.create(resources.services, {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "addressed", namespace },
        spec: { selector: { app: "a" }, ports: [{ name: "http", port: 80 }] },
      });
      expect(at(made, "spec", "clusterIP")).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      expect(made.spec).toMatchObject({
        type: "ClusterIP",
        sessionAffinity: "None",
        ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: 80 }],
      });
      const nameless = await failureOf(
        cluster.create(resources.services, {
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "portless", namespace },
          spec: { selector: { app: "a" }, ports: [{ port: 1 }, { port: 2 }] },
        }),
        "invalid",
      );
      expect(nameless.causes.map(({ field }) => field)).toContain("spec.ports[0].name");
    });
  });

  describe("replace", () => {
    test("refuses an old version", async () => {
      const { cluster, namespace } = contract();
      const first = await cluster.create(configMaps, configMap(namespace, "old"));
      const second = await cluster.replace(configMaps, { ...first, data: { a: "1" } });
      expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion));
      const error = await failureOf(cluster.replace(configMaps, { ...first, data: { a: "2" } }));
      expect(error).toMatchObject({
        kind: "conflict",
        status: 409,
        reason: "Conflict",
        message:
          'Operation cannot be fulfilled on configmaps "old": the object has been modified; please apply your changes to the latest version and try again',
      });
    });

    test("merges nothing into an object of another UID", async () => {
      const { cluster, namespace } = contract();
      const made = await cluster.create(configMaps, configMap(namespace, "another"));
      const ref = { namespace, name: "another" };
      const uid = "00000000-0000-4000-8000-000000000000";
      const body = { metadata: { uid, labels: { x: "y" } } };
      const error = await failureOf(cluster.patch(configMaps, ref, { type: "merge", body }), "invalid");
      expect(error.message).toContain("metadata.uid");
      const own = { metadata: { uid: made.metadata.uid, labels: { x: "y" } } };
      const patched = await cluster.patch(configMaps, ref, { type: "merge", body: own });
      expect(patched.metadata.labels).toEqual({ x: "y" });
    });

    test("writes nothing where nothing changes", async () => {
      const { cluster, namespace } = contract();
      const made = await cluster.create(configMaps, configMap(namespace, "same", { data: { a: "1" } }));
      const again = await cluster.replace(configMaps, made);
      expect(again.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    });

    test("makes nothing that is missing", async () => {
      const { cluster, namespace } = contract();
      await failureOf(cluster.replace(configMaps, configMap(namespace, "nobody")), "not-found");
    });

    test("refuses another UID", async () => {
      const { cluster, namespace } = contract();
      const made = await cluster.create(configMaps, configMap(namespace, "other"));
      const uid = "00000000-0000-4000-8000-000000000000";
      const other = { ...made, metadata: { ...made.metadata, uid }, data: { a: "1" } };
      const error = await failureOf(cluster.replace(configMaps, other), "conflict");
      expect(error.message).toContain("Precondition failed: UID in precondition");
    });
  });

  describe("patch", () => {
    test("merges: sets, removes with null, replaces lists", async () => {
      const { cluster, namespace } = contract();
      await cluster.create(configMaps, configMap(namespace, "merged", { data: { a: "1", b: "2" } }));
      const body = { data: { b: null, c: "3" }, metadata: { labels: { x: "y" } } };
      const patched = await cluster.patch(configMaps, { namespace, name: "merged" }, { type: "merge", body });
      expect(patched.data).toEqual({ a: "1", c: "3" });
      expect(patched.metadata.labels).toEqual({ x: "y" });
    });

    test("writes nothing where nothing changes", async () => {
      const { cluster, namespace } = contract();
      const made = await cluster.create(configMaps, configMap(namespace, "idle", { data: { a: "1" } }));
      const patched = await cluster.patch(
        configMaps,
        { namespace, name: "idle" },
        { type: "merge", body: { data: { a: "1" } } },
      );
      expect(patched.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    });

    test("takes a resourceVersion as a precondition", async () => {
      const { cluster, namespace } = contract();
      const made = await cluster.create(configMaps, configMap(namespace, "guarded"));
      const { resourceVersion } = made.metadata;
      const write = (value: string) =>
        cluster.patch(
          configMaps,
          { namespace, name: "guarded" },
          { type: "merge", body: { metadata: { resourceVersion }, data: { a: value } } },
        );
      await write("1");
      expect(await failureOf(write("2"))).toMatchObject({ kind: "conflict", reason: "Conflict" });
    });

    test("follows JSON patches, tests included", async () => {
      const { cluster, namespace } = contract();
      await cluster.create(configMaps, configMap(namespace, "pointed", { data: { a: "1" } }));
      const ref = { namespace, name: "pointed" };
      const patched = await cluster.patch(configMaps, ref, {
        type: "json",
        body: [
          { op: "test", path: "/data/a", value: "1" },
          { op: "replace", path: "/data/a", value: "2" },
          { op: "add", path: "/data/b.c", value: "3" },
          { op: "add", path: "/metadata/annotations", value: {} },
          { op: "add", path: "/metadata/annotations/example.com~1d", value: "4" },
        ],
      });
      expect(patched.data).toEqual({ a: "2", "b.c": "3" });
      expect(patched.metadata.annotations).toEqual({ "example.com/d": "4" });
      const error = await failureOf(
        cluster.patch(configMaps, ref, {
          type: "json",
          body: [
            { op: "test", path: "/data/a", value: "1" },
            { op: "remove", path: "/data/a" },
          ],
        }),
      );
      expect(error).toMatchObject({ kind: "invalid", status: 422 });
    });

    test("makes nothing that is missing", async () => {
      const { cluster, namespace } = contract();
      const patch = cluster.patch(
        configMaps,
        { namespace, name: "nobody" },
        { type: "merge", body: { data: {} } },
      );
      await failureOf(patch, "not-found");
    });

    test("refuses a content type it does not know", async () => {
      const { http, namespace } = contract();
      const error = await failureOf(
        http({
          method: "PATCH",
          path: `/api/v1/namespaces/${namespace}/configmaps/any`,
          contentType: "text/plain",
          body: {},
        }),
      );
      expect(error.status).toBe(415);
    });
  });

  describe("generation, status and scale", () => {
    test("counts changes of the spec only", async () => {
      const { cluster, namespace } = contract();
      const ref = { namespace, name: "counted" };
      const made = await cluster.create(deployments, deployment(namespace, "counted", { replicas: 0 }));
      expect(made.metadata.generation).toBe(1);
      const merge = (body: unknown, subresource?: "status") =>
        cluster.patch(
          deployments,
          ref,
          { type: "merge", body },
          subresource === undefined ? {} : { subresource },
        );
      expect((await merge({ metadata: { labels: { a: "b" } } })).metadata.generation).toBe(1);
      expect((await merge({ spec: { paused: true } })).metadata.generation).toBe(2);
      const status = await merge({ status: { collisionCount: 7 }, spec: { paused: false } }, "status");
      expect(status.metadata.generation).toBe(2);
      expect(at(status, "status", "collisionCount")).toBe(7);
      expect(at(status, "spec", "paused")).toBe(true);
      const main = await merge({ status: { collisionCount: 9 } });
      expect(at(main, "status", "collisionCount")).not.toBe(9);
    });

    test("scales through the scale subresource", async () => {
      const { cluster, namespace } = contract();
      const ref = { namespace, name: "scaled" };
      await cluster.create(deployments, deployment(namespace, "scaled", { replicas: 0 }));
      const scale = await cluster.get(deployments, ref, { subresource: "scale" });
      expect(scale).toMatchObject({
        apiVersion: "autoscaling/v1",
        kind: "Scale",
        metadata: { name: "scaled", namespace },
        spec: {},
        status: { selector: "app=scaled" },
      });
      const patch = { type: "merge" as const, body: { spec: { replicas: 1 } } };
      const patched = await cluster.patch(deployments, ref, patch, { subresource: "scale" });
      expect(at(patched, "spec", "replicas")).toBe(1);
      const after = await cluster.get(deployments, ref);
      expect(at(after, "spec", "replicas")).toBe(1);
      expect(after.metadata.generation).toBe(2);
    });
  });

  describe("dry run", () => {
    test("answers as if it wrote, and writes nothing", async () => {
      const { cluster, namespace } = contract();
      const ref = { namespace, name: "dry" };
      const made = await cluster.create(deployments, deployment(namespace, "dry"), { dryRun: true });
      expect(made.metadata.uid).toBeDefined();
      expect(at(made, "spec", "revisionHistoryLimit")).toBe(10);
      await failureOf(cluster.get(deployments, ref), "not-found");
      await failureOf(
        cluster.create(deployments, deployment(namespace, "dry", { replicas: -1 }), { dryRun: true }),
        "invalid",
      );
      const map = await cluster.create(configMaps, configMap(namespace, "dry", { data: { a: "1" } }));
      const patched = await cluster.patch(
        configMaps,
        ref,
        { type: "merge", body: { data: { a: "2" } } },
        { dryRun: true },
      );
      expect(patched.data).toEqual({ a: "2" });
      await cluster.delete(configMaps, ref, { dryRun: true });
      expect(await cluster.get(configMaps, ref)).toEqual(map);
    });
  });
}
