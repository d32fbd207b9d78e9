import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readDeployment } from "../../../src/sandbox/controllers/shapes.ts";
import { deployment, namespace, type World, world } from "./world.ts";

let w: World;
beforeEach(() => {
  w = world();
});
afterEach(() => w.stop());

const status = (name = "web") => readDeployment(w.see("apps/deployments", name)).status;
const condition = (type: string) => status().conditions.find((candidate) => candidate.type === type);
const setImage = (image: string) => {
  const stored = w.see("apps/deployments", "web");
  const { spec } = deployment({ image });
  w.api.update("apps/deployments", { ...stored, spec });
};

describe("a Deployment", () => {
  test("comes up within believable seconds and says so as a real one does", async () => {
    w.create("apps/deployments", deployment({}));
    const seconds = await w.until(() => status().readyReplicas === 3);
    expect(seconds).toBeGreaterThan(1);
    expect(seconds).toBeLessThan(8);
    expect(status()).toMatchObject({
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      availableReplicas: 3,
    });
    expect(condition("Available")).toMatchObject({ status: "True", reason: "MinimumReplicasAvailable" });
    expect(condition("Progressing")).toMatchObject({ status: "True", reason: "NewReplicaSetAvailable" });
    expect(w.see("apps/deployments", "web").metadata.annotations).toEqual({
      "deployment.kubernetes.io/revision": "1",
    });
    expect(new Set(w.pods().map(({ spec }) => spec.nodeName)).size).toBe(3);
    const set = w.api.list("apps/replicasets")[0]?.metadata.name ?? "";
    expect(w.events("web")).toEqual([`ScalingReplicaSet: Scaled up replica set ${set} from 0 to 3`]);
    const pod = w.pods()[0]?.metadata.name ?? "";
    expect(w.events(pod).map((event) => event.split(":")[0])).toEqual([
      "Scheduled",
      "Pulling",
      "Pulled",
      "Created",
      "Started",
    ]);
  });

  test("rolls a new image out without ever having fewer pods ready than it may", async () => {
    w.create("apps/deployments", deployment({ replicas: 4 }));
    await w.until(() => status().readyReplicas === 4);
    const stored = w.see("apps/deployments", "web");
    const { spec } = deployment({ image: "registry.example.internal/web:2", replicas: 4 });
    w.api.update("apps/deployments", { ...stored, spec });
    let least = 4;
    let most = 4;
    await w.until(() => {
      least = Math.min(least, status().availableReplicas);
      most = Math.max(most, w.pods().filter(({ metadata }) => !metadata.deletionTimestamp).length);
      return (
        condition("Progressing")?.message?.includes("successfully") === true &&
        status().observedGeneration === 2 &&
        status().updatedReplicas === 4
      );
    });
    expect(least).toBeGreaterThanOrEqual(3);
    expect(most).toBeLessThanOrEqual(5);
    await w.until(() => w.pods().length === 4);
    expect(w.pods().every(({ spec: { containers } }) => containers[0]?.image.endsWith(":2"))).toBe(true);
    expect(w.see("apps/deployments", "web").metadata.annotations).toEqual({
      "deployment.kubernetes.io/revision": "2",
    });
  });

  test("going back to an earlier template uses its ReplicaSet again, as a new revision", async () => {
    w.create("apps/deployments", deployment({ image: "web:1" }));
    await w.until(() => status().readyReplicas === 3);
    setImage("web:2");
    await w.until(
      () => w.pods().length === 3 && w.pods().every(({ spec }) => spec.containers[0]?.image === "web:2"),
    );
    setImage("web:1");
    await w.until(
      () => w.pods().length === 3 && w.pods().every(({ spec }) => spec.containers[0]?.image === "web:1"),
    );
    expect(w.api.list("apps/replicasets")).toHaveLength(2);
    expect(w.see("apps/deployments", "web").metadata.annotations).toEqual({
      "deployment.kubernetes.io/revision": "3",
    });
  });

  test("whose new image cannot be pulled keeps its old pods and exceeds its deadline", async () => {
    w.create("apps/deployments", deployment({ spec: { progressDeadlineSeconds: 60 } }));
    await w.until(() => status().readyReplicas === 3);
    const stored = w.see("apps/deployments", "web");
    const broken = deployment({
      image: "registry.example.internal/web:missing",
      spec: { progressDeadlineSeconds: 60 },
    });
    w.api.update("apps/deployments", { ...stored, spec: broken.spec });
    const seconds = await w.until(() => condition("Progressing")?.reason === "ProgressDeadlineExceeded", 90);
    expect(seconds).toBeGreaterThan(55);
    expect(condition("Available")?.status).toBe("True");
    expect(status().availableReplicas).toBe(3);
    setImage("registry.example.internal/web:3");
    await w.until(() => condition("Progressing")?.reason === "NewReplicaSetAvailable");
  });

  test("does not exceed its deadline while the controllers are kept from working", async () => {
    w.create("apps/deployments", deployment({ image: "registry.example.internal/web:missing" }));
    for (let minutes = 0; minutes < 20; minutes += 1) {
      await w.advance(1_000);
      w.clock.stall(60_000);
    }
    expect(condition("Progressing")?.reason).toBe("ReplicaSetUpdated");
    const seconds = await w.until(() => condition("Progressing")?.reason === "ProgressDeadlineExceeded", 700);
    expect(seconds).toBeGreaterThan(300);
  });

  test("replaces a pod that somebody deletes", async () => {
    w.create("apps/deployments", deployment({}));
    await w.until(() => status().readyReplicas === 3);
    const gone = w.pods()[0]?.metadata;
    w.api.delete("/pods", namespace, gone?.name ?? "");
    await w.until(() => w.pods().every(({ metadata }) => metadata.uid !== gone?.uid));
    await w.until(() => status().readyReplicas === 3);
    expect(w.pods()).toHaveLength(3);
  });

  test("scales down, the youngest pods first, and to nothing", async () => {
    w.create("apps/deployments", deployment({}));
    await w.until(() => status().readyReplicas === 3);
    const stored = w.see("apps/deployments", "web");
    w.api.update("apps/deployments", { ...stored, spec: deployment({ replicas: 0 }).spec });
    await w.until(() => w.pods().length === 0);
    expect(status().readyReplicas).toBe(0);
  });

  test("says why pods are refused when their service account is missing", async () => {
    w.api.delete("/serviceaccounts", namespace, "default");
    w.create("apps/deployments", deployment({}));
    await w.until(() => condition("ReplicaFailure") !== undefined);
    expect(condition("ReplicaFailure")?.message).toContain(
      `error looking up service account ${namespace}/default: serviceaccount "default" not found`,
    );
    w.create("/serviceaccounts", { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } });
    await w.until(() => status().readyReplicas === 3);
    expect(condition("ReplicaFailure")).toBeUndefined();
  });

  test("that a quota holds back says which, and goes on when there is room", async () => {
    w.create("/resourcequotas", {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "quota" },
      spec: { hard: { pods: "2" } },
    });
    w.create("apps/deployments", deployment({}));
    await w.until(() => condition("ReplicaFailure") !== undefined);
    expect(condition("ReplicaFailure")).toMatchObject({ status: "True", reason: "FailedCreate" });
    expect(condition("ReplicaFailure")?.message).toMatch(
      /^pods "web-[a-z0-9]+-[a-z0-9]{5}" is forbidden: exceeded quota: quota, requested: pods=1, used: pods=2, limited: pods=2$/,
    );
    await w.until(() => status().readyReplicas === 2);
    const quota = w.see("/resourcequotas", "quota");
    w.api.update("/resourcequotas", { ...quota, spec: { hard: { pods: "5" } } });
    await w.until(() => status().readyReplicas === 3);
    expect(condition("ReplicaFailure")).toBeUndefined();
  });

  test("counts a pod as available only after its minReadySeconds", async () => {
    w.create("apps/deployments", deployment({ spec: { minReadySeconds: 20 } }));
    await w.until(() => status().readyReplicas === 3);
    expect(status().availableReplicas).toBe(0);
    expect(condition("Available")?.status).toBe("False");
    const seconds = await w.until(() => status().availableReplicas === 3);
    expect(seconds).toBeGreaterThan(17);
    expect(seconds).toBeLessThan(25);
  });

  test("leaves Events behind for an hour", async () => {
    w.create("apps/deployments", deployment({}));
    await w.until(() => status().readyReplicas === 3);
    expect(w.events("web")).toHaveLength(1);
    w.clock.advance(75 * 60_000);
    expect(w.api.list("/events")).toEqual([]);
  });
});
