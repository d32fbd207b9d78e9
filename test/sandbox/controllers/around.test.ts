import { afterEach, beforeEach, expect, test } from "vitest";
import { deployment, namespace, type World, world } from "./world.ts";

let w: World;
beforeEach(() => {
  w = world();
});
afterEach(() => w.stop());

test("a Service's endpoints are its ready pods, and empty once they are gone", async () => {
  w.create("/services", {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web" },
    spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http" }] },
  });
  w.create("apps/deployments", deployment({}));
  const slice = () => w.api.list("discovery.k8s.io/endpointslices")[0];
  const ready = () =>
    ((slice()?.endpoints ?? []) as { conditions: { ready: boolean } }[]).filter(
      ({ conditions }) => conditions.ready,
    );
  await w.until(() => ready().length === 3);
  expect(slice()?.ports).toEqual([{ name: "http", port: 8080, protocol: "TCP" }]);
  expect(slice()?.metadata.labels).toMatchObject({ "kubernetes.io/service-name": "web" });
  w.api.delete("apps/deployments", namespace, "web");
  await w.until(() => ready().length === 0);
});

test("a budget counts the pods it protects", async () => {
  w.create("policy/poddisruptionbudgets", {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: "web" },
    spec: { maxUnavailable: 1, selector: { matchLabels: { app: "web" } } },
  });
  w.create("apps/deployments", deployment({}));
  const status = () => w.see("policy/poddisruptionbudgets", "web").status;
  await w.until(() => JSON.stringify(status() ?? {}).includes('"disruptionsAllowed":1'));
  expect(status()).toMatchObject({ currentHealthy: 3, desiredHealthy: 2, expectedPods: 3 });
});

test("an autoscaler raises its target to the minimum", async () => {
  w.create("autoscaling/horizontalpodautoscalers", {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "web" },
    spec: { minReplicas: 2, maxReplicas: 5, scaleTargetRef: { kind: "Deployment", name: "web" } },
  });
  w.create("apps/deployments", deployment({ replicas: 1 }));
  await w.until(() => w.pods().length === 2);
  expect(w.events("web")).toContain(
    "SuccessfulRescale: New size: 2; reason: Current number of replicas below Spec.MinReplicas",
  );
});

test("a quota shows what is used of it", async () => {
  w.create("/resourcequotas", {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "quota" },
    spec: { hard: { pods: "10", "requests.cpu": "2", "limits.memory": "4Gi" } },
  });
  const resources = { requests: { cpu: "100m" }, limits: { memory: "512Mi" } };
  w.create("apps/deployments", deployment({ container: { resources } }));
  const used = () => (w.see("/resourcequotas", "quota").status as { used: unknown } | undefined)?.used;
  await w.until(() => JSON.stringify(used() ?? {}).includes('"pods":"3"'));
  expect(used()).toEqual({ pods: "3", "requests.cpu": "300m", "limits.memory": "1536Mi" });
});

test("a certificate becomes ready and brings its Secret", async () => {
  w.create("cert-manager.io/certificates", {
    apiVersion: "cert-manager.io/v1",
    kind: "Certificate",
    metadata: { name: "web" },
    spec: { secretName: "web-tls", dnsNames: ["web.apps.example.internal"] },
  });
  const text = () => JSON.stringify(w.see("cert-manager.io/certificates", "web").status ?? {});
  await w.until(() => text().includes('"status":"False"'));
  await w.until(() => text().includes('"status":"True"'));
  expect(w.see("/secrets", "web-tls").type).toBe("kubernetes.io/tls");
});

test("a route is accepted by its gateway, and says when gateway or Service are missing", async () => {
  w.create("gateway.networking.k8s.io/httproutes", {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: "web" },
    spec: {
      parentRefs: [{ name: "internal", namespace: "gateway" }],
      rules: [{ backendRefs: [{ name: "web", port: 80 }] }],
    },
  });
  const text = () => JSON.stringify(w.see("gateway.networking.k8s.io/httproutes", "web").status ?? {});
  await w.until(() => text().includes("NoMatchingParent"));
  expect(text()).toContain('Service \\"web\\" not found');
  w.create("/services", {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web" },
    spec: { ports: [{ port: 80 }] },
  });
  w.api.create("gateway.networking.k8s.io/gateways", {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: "internal", namespace: "gateway" },
    spec: { listeners: [{ name: "https" }] },
  });
  await w.until(() => text().includes('"reason":"Accepted"') && text().includes('"reason":"ResolvedRefs"'));
});
