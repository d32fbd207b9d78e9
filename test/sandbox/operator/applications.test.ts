import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resources } from "../../../src/cluster/resource.ts";
import { type Running, runControllers } from "../../operator/running.ts";
import { application, condition, eventually, manage, prepare, read } from "../../operator/stage.ts";
import { applicationStories, storyStandards } from "../../operator/stories.ts";
import { embedded } from "../embedded.ts";

const cluster = embedded();

describe("an Application", () => {
  applicationStories({ cluster, unique: (prefix) => prefix });
});

describe("pods that do not get ready", () => {
  let operator: Running;
  beforeAll(async () => {
    await prepare(cluster(), storyStandards);
    await manage(cluster(), "broken", storyStandards);
    operator = await runControllers(cluster(), { momentMs: 0 });
  });
  afterAll(() => operator.stop());

  test.each([
    ["missing", "payments/missing:1", "ImagePullBackOff", "cannot be pulled"],
    ["greedy", "payments/greedy:oom", "OOMKilled", "out of memory"],
    ["broken", "payments/broken:crash", "CrashLoopBackOff", "crashes again and again"],
  ])("%s: the Application says why", async (name, image, reason, text) => {
    await cluster().create(
      resources.applications,
      application("broken", name, { image: `registry.example.internal/${image}` }),
    );
    await eventually("the cause is told", async () => {
      expect(await condition(cluster(), "broken", name, "Degraded")).toBe(`True ${reason}`);
      expect(await condition(cluster(), "broken", name, "WorkloadReady")).toBe(`False ${reason}`);
    });
    const stored = await read(cluster(), resources.applications, "broken", name);
    expect(JSON.stringify(stored?.status)).toContain(text);
    await cluster().patch(
      resources.applications,
      { namespace: "broken", name },
      { type: "merge", body: { spec: { image: "registry.example.internal/payments/good:1" } } },
    );
    await eventually("it recovers", async () =>
      expect(await condition(cluster(), "broken", name, "Ready")).toBe("True Ready"),
    );
    await eventually("its Events tell both, and are few", async () => {
      const { items } = await cluster().list(resources.events, { namespace: "broken" });
      const about = items.filter(({ involvedObject }) =>
        JSON.stringify(involvedObject).includes(`"kind":"Application","namespace":"broken","name":"${name}"`),
      );
      const reasons = about.map(({ reason: said }) => String(said));
      // A look may come when a container has ended once, and is not yet said to do so again and again.
      const settled = reasons.filter((said) => said !== "ContainerFailed");
      expect(new Set(settled)).toEqual(new Set([reason, "Recovered"]));
      expect(reasons.length).toBeLessThan(5);
    });
  });
});

test("a kind that is not served is left out, and made once it is", async () => {
  const crd = "servicemonitors.monitoring.coreos.com";
  const definition = await cluster().get(resources.customResourceDefinitions, { name: crd });
  await cluster().delete(resources.customResourceDefinitions, { name: crd });
  await eventually("it is served no more", async () =>
    expect(await cluster().serves(resources.serviceMonitors, { refresh: true })).toBe(false),
  );
  await manage(cluster(), "watched", storyStandards);
  const operator = await runControllers(cluster());
  await cluster().create(
    resources.applications,
    application("watched", "seen", { monitoring: { enabled: true } }),
  );
  await eventually("it is Ready without", async () => {
    expect(await condition(cluster(), "watched", "seen", "Ready")).toBe("True Ready");
    expect(await condition(cluster(), "watched", "seen", "MonitoringReady")).toBe("True Partial");
  });
  expect(await read(cluster(), resources.services, "watched", "seen-metrics")).toMatchObject({
    metadata: { annotations: { "prometheus.io/scrape": "true" } },
  });
  const { apiVersion, kind, metadata, spec } = definition;
  await cluster().create(resources.customResourceDefinitions, {
    apiVersion,
    kind,
    metadata: { name: metadata.name },
    spec,
  });
  await eventually("it is made", async () => {
    expect(await read(cluster(), resources.serviceMonitors, "watched", "seen")).toBeDefined();
    expect(await condition(cluster(), "watched", "seen", "MonitoringReady")).toBe("True Ready");
  });
  await operator.stop();
});
