import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { deployment, namespace, type World, world } from "./world.ts";

let w: World;
beforeEach(() => {
  w = world();
});
afterEach(() => w.stop());

const waiting = () => w.pods()[0]?.status.containerStatuses[0]?.state.waiting;
const podEvents = () => w.events(w.pods()[0]?.metadata.name ?? "");
const one = (image: string, container?: Record<string, unknown>) =>
  w.create("apps/deployments", deployment({ image, replicas: 1, ...(container ? { container } : {}) }));

describe("a pod whose image", () => {
  test("does not exist waits in ImagePullBackOff, with the runtime's words", async () => {
    one("registry.example.internal/web:missing");
    await w.until(() => waiting()?.reason === "ErrImagePull");
    expect(waiting()?.message).toBe(
      'rpc error: code = NotFound desc = failed to pull and unpack image "registry.example.internal/web:missing": failed to resolve reference "registry.example.internal/web:missing": registry.example.internal/web:missing: not found',
    );
    await w.until(() => waiting()?.reason === "ImagePullBackOff");
    expect(waiting()?.message).toContain('Back-off pulling image "registry.example.internal/web:missing"');
    expect(w.pods()[0]?.status.phase).toBe("Pending");
    await w.advance(120_000);
    expect(podEvents().some((event) => event.startsWith("BackOff: Back-off pulling image"))).toBe(true);
    expect(podEvents().some((event) => /^Pulling: .* ×[3-9]$/.test(event))).toBe(true);
  });

  test("is on a registry that is not there says which host was looked up", async () => {
    one("registry.invalid/team/web:1");
    await w.until(() => waiting()?.reason === "ErrImagePull");
    expect(waiting()?.message).toContain("dial tcp: lookup registry.invalid: no such host");
  });

  test.each([
    ["crash", 1, "Error"],
    ["oom", 137, "OOMKilled"],
  ])("%ss is restarted ever more slowly in CrashLoopBackOff", async (tag, exitCode, reason) => {
    one(`registry.example.internal/web:${tag}`);
    await w.until(() => waiting()?.reason === "CrashLoopBackOff");
    const status = () => w.pods()[0]?.status.containerStatuses[0];
    expect(status()?.lastState.terminated).toMatchObject({ exitCode, reason });
    expect(waiting()?.message).toMatch(/^back-off 10s restarting failed container=web pod=web-/);
    await w.until(() => status()?.restartCount === 4, 200);
    await w.until(() => waiting()?.message?.startsWith("back-off 1m20s") === true, 200);
    expect(
      podEvents().some((event) => event.startsWith("BackOff: Back-off restarting failed container")),
    ).toBe(true);
  });

  test("runs but never answers its readiness probe stays unready", async () => {
    one("registry.example.internal/web:unready", { readinessProbe: { httpGet: { path: "/healthz" } } });
    await w.until(() => podEvents().some((event) => event.startsWith("Unhealthy")));
    await w.advance(60_000);
    expect(w.pods()[0]?.status.phase).toBe("Running");
    expect(w.pods()[0]?.status.conditions.find(({ type }) => type === "Ready")).toMatchObject({
      status: "False",
      reason: "ContainersNotReady",
      message: "containers with unready status: [web]",
    });
  });

  test("is no image reference fails as InvalidImageName", async () => {
    one("Registry/Web Server:1");
    await w.until(() => waiting()?.reason === "InvalidImageName");
  });
});

test("a Secret that a container needs holds it up, with the reason, until it is there", async () => {
  const env = [{ name: "URI", valueFrom: { secretKeyRef: { name: "web-db", key: "uri" } } }];
  one("registry.example.internal/web:1", { env });
  await w.until(() => waiting()?.reason === "CreateContainerConfigError");
  expect(waiting()?.message).toBe('secret "web-db" not found');
  w.create("/secrets", {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "web-db" },
    data: { host: "aA==" },
  });
  await w.until(() => waiting()?.message === `couldn't find key uri in Secret ${namespace}/web-db`);
  const stored = w.see("/secrets", "web-db");
  w.api.update("/secrets", { ...stored, data: { host: "aA==", uri: "aA==" } });
  await w.until(() => w.pods()[0]?.status.phase === "Running");
});

test("a pod that no node can hold says so and is scheduled when its claim is bound", async () => {
  w.create("/pods", {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "big" },
    spec: { containers: [{ name: "big", image: "big:1", resources: { requests: { cpu: "64" } } }] },
  });
  await w.until(() => w.events("big").length > 0);
  expect(w.events("big")).toEqual(["FailedScheduling: 0/3 nodes are available: 3 Insufficient cpu."]);
});

test("a deleted pod stops its containers before it is gone", async () => {
  one("registry.example.internal/web:1");
  await w.until(() => w.pods()[0]?.status.phase === "Running");
  const name = w.pods()[0]?.metadata.name ?? "";
  w.api.delete("/pods", namespace, name);
  expect(w.api.get("/pods", namespace, name)).toBeDefined();
  await w.until(() => w.api.get("/pods", namespace, name) === undefined);
  expect(w.events(name)).toContain("Killing: Stopping container web");
});

describe("a Job", () => {
  const job = (image: string) => ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "migrate" },
    spec: {
      backoffLimit: 1,
      template: { spec: { restartPolicy: "Never", containers: [{ name: "migrate", image }] } },
    },
  });

  test("completes", async () => {
    w.create("batch/jobs", job("migrate:1"));
    await w.until(() => JSON.stringify(w.see("batch/jobs", "migrate").status ?? {}).includes('"Complete"'));
    expect(w.see("batch/jobs", "migrate").status).toMatchObject({ succeeded: 1 });
    expect(w.pods()[0]?.status.phase).toBe("Succeeded");
  });

  test("whose pods fail gives up at its limit", async () => {
    w.create("batch/jobs", job("migrate:crash"));
    await w.until(() =>
      JSON.stringify(w.see("batch/jobs", "migrate").status ?? {}).includes("BackoffLimitExceeded"),
    );
    expect(w.see("batch/jobs", "migrate").status).toMatchObject({ failed: 2 });
  });
});
