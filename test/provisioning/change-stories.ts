import { expect, test } from "vitest";
import type { ServiceChange } from "../../src/application/change.ts";
import { labels, namespaceOf } from "../../src/application/names.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import type { KubeObject } from "../../src/cluster/object.ts";
import { resources } from "../../src/cluster/resource.ts";
import type { Provisioner } from "../../src/provisioning/provisioner.ts";
import type { RunState } from "../../src/provisioning/runs/run.ts";
import { faulty, forwarding } from "./fault.ts";
import { picture } from "./picture.ts";
import { full, named, onStage, type Stage, small, withDatabase } from "./telling.ts";

const digest = (character: string) => `@sha256:${character.repeat(64)}`;
const image = (character: string) => `registry.example.internal/platform/ledger${digest(character)}`;

async function succeeded(run: Promise<{ readonly finished: Promise<RunState> }>): Promise<RunState> {
  const state = await (await run).finished;
  expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
  return state;
}

function changed(provisioner: Provisioner, service: ReturnType<typeof named>, change: ServiceChange) {
  return succeeded(provisioner.change(service, change, { onFailure: "hold", dataStores: "keep" }));
}

/** The pod as a kubelet reports one whose image has no valid name. */
function invalid(pod: KubeObject): KubeObject {
  const waiting = { reason: "InvalidImageName", message: "couldn't parse image name" };
  return {
    ...pod,
    status: { phase: "Pending", containerStatuses: [{ name: "app", ready: false, state: { waiting } }] },
  };
}

/**
 * What changes, deletions and their rollbacks promise, told on the embedded cluster and on a real one alike.
 * @param sickness - what keeps a rollout from getting healthy: an image that is not there, or, where images are
 *   never pulled, a quota that lets no other pod in
 */
export function changeStories(title: string, open: () => Promise<Stage>, sickness: "image" | "quota"): void {
  onStage(title, open, ({ stage, made, leftOf, removeRuns }) => {
    async function deleted(service: ReturnType<typeof named>) {
      await succeeded(made.provisioner().delete(service, { dataStores: "delete", confirmed: service }));
      expect(await leftOf(service)).toEqual([]);
      await removeRuns(service);
    }

    test("every change does what it says, and its rollback brings back exactly what was", async () => {
      const service = named("change-all");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(small(service), { onFailure: "hold" }));
      const changes: readonly ServiceChange[] = [
        { operation: "scale", replicas: 3 },
        { operation: "deploy", image: image("a"), commit: "abc1234" },
        {
          operation: "set",
          requests: { cpu: "150m" },
          limits: { memory: "640Mi" },
          alerts: ["high-latency"],
        },
        { operation: "set", alerts: [] },
      ];
      for (const change of changes) {
        const before = await picture(stage.cluster, service);
        const run = await changed(provisioner, service, change);
        const after = await picture(stage.cluster, service);
        expect(after, change.operation).not.toEqual(before);
        const preview = await provisioner.previewRollback(run.name, "keep-used");
        expect(preview.restores.length, change.operation).toBeGreaterThan(0);
        const back = await (await provisioner.rollback(run.name, { dataStores: "keep-used" })).finished;
        expect(back.phase, JSON.stringify(back.steps.map(({ error }) => error))).toBe("RolledBack");
        expect(await picture(stage.cluster, service), change.operation).toEqual(before);
      }
      await deleted(service);
    });

    test("a change touches nothing but what differs, and one that changes nothing is refused", async () => {
      const service = named("change-small");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(full(service), { onFailure: "hold" }));
      const scale: ServiceChange = { operation: "scale", replicas: 2 };
      const { plan, diff } = await provisioner.planChange(service, scale, { dataStores: "keep" });
      expect(diff).toEqual([{ field: "replicas", before: "3", after: "2" }]);
      const planned = plan.steps.flatMap(({ effects }) =>
        effects.map(
          ({ action, effect }) => `${action} ${effect.kind === "object" ? effect.type : effect.kind}`,
        ),
      );
      expect(planned).toEqual(["change Application", "change Deployment"]);
      const run = await changed(provisioner, service, scale);
      const touched = run.steps.flatMap(({ effects }) =>
        effects.map(
          ({ effect, state }) => `${state} ${effect.kind === "object" ? effect.type : effect.kind}`,
        ),
      );
      expect(touched.sort()).toEqual(["changed Application", "changed Deployment"]);
      const again = provisioner.change(service, { operation: "scale", replicas: 2 }, { dataStores: "keep" });
      await expect(again).rejects.toThrow("nothing to change");
      await deleted(service);
    });

    test("a cache is added and taken away again; its data goes only where that was asked for", async () => {
      const service = named("change-cache");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(small(service), { onFailure: "hold" }));
      const cache = { namespace: namespaceOf(service), name: `${service}-cache` };
      await changed(provisioner, service, { operation: "set", cache: "redis" });
      const added = await stage.cluster.get(resources.statefulSets, cache);
      await changed(provisioner, service, { operation: "set", cache: "none" });
      expect((await stage.cluster.get(resources.statefulSets, cache)).metadata.uid).toBe(added.metadata.uid);
      const again = await changed(provisioner, service, { operation: "set", cache: "redis" });
      expect(again.change?.after?.cache).toEqual({ type: "redis" });
      await deleted(service);
    });

    test("a deployment that does not get healthy goes back by itself", async () => {
      const service = named("change-sick");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(small(service), { onFailure: "hold" }));
      await changed(provisioner, service, { operation: "deploy", image: image("b") });
      if (sickness === "quota") {
        const namespace = namespaceOf(service);
        const body = { spec: { hard: { pods: "1" } } };
        const { items } = await stage.cluster.list(resources.resourceQuotas, { namespace });
        for (const { metadata } of items) {
          const place = { namespace, name: metadata.name };
          await stage.cluster.patch(resources.resourceQuotas, place, { type: "merge", body });
        }
      }
      const before = await picture(stage.cluster, service);
      const sick = `registry.example.internal/platform/missing${digest("c")}`;
      const run = await provisioner.change(
        service,
        { operation: "deploy", image: sick },
        { dataStores: "keep" },
      );
      const state = await run.finished;
      expect(state.phase).toBe("RolledBack");
      expect(state.failure?.error.class).toBe(sickness === "image" ? "unhealthy" : "refused");
      expect(await picture(stage.cluster, service)).toEqual(before);
      const [current] = await provisioner.releases(service);
      expect(current?.spec.image).toBe(image("b"));
      await deleted(service);
    });

    test("a deployment that mends a sick one is not judged by the sick one's pods", async () => {
      const service = named("change-mend");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(small(service), { onFailure: "hold" }));
      const { cluster } = stage;
      const namespace = namespaceOf(service);
      // What runs now breaks by itself, and stays so.
      const labelSelector = `${labels.service}=${service},${labels.component}=workload`;
      const sick: Cluster = {
        ...forwarding(cluster),
        list: async (resource, options) => {
          const found = await cluster.list(resource, options);
          if (resource.plural !== "pods" || options?.step !== "apply_kubernetes") return found;
          return {
            ...found,
            items: found.items.map((pod) => (old.has(pod.metadata.uid) ? invalid(pod) : pod)),
          };
        },
      };
      const { items } = await cluster.list(resources.pods, { namespace, labelSelector });
      const old = new Set(items.map(({ metadata }) => metadata.uid));
      const mended = await succeeded(
        made
          .provisioner({ cluster: sick })
          .change(service, { operation: "deploy", image: image("9") }, { dataStores: "keep" }),
      );
      expect(mended.phase).toBe("Succeeded");
      await deleted(service);
    });

    test("a release rollback goes back to any earlier release, and leaves replicas and data alone", async () => {
      const service = named("change-release");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(withDatabase(service), { onFailure: "hold" }));
      await changed(provisioner, service, { operation: "deploy", image: image("d") });
      await changed(provisioner, service, { operation: "deploy", image: image("e") });
      await changed(provisioner, service, { operation: "scale", replicas: 4 });
      const run = await changed(provisioner, service, { operation: "rollback", release: 2 });
      expect(run.change?.after).toMatchObject({
        image: image("d"),
        replicas: 4,
        database: { type: "postgres" },
      });
      const releases = await provisioner.releases(service);
      expect(releases.map(({ number, operation }) => `${number} ${operation}`)).toEqual([
        "4 rollback",
        "3 deploy",
        "2 deploy",
        "1 create",
      ]);
      expect(releases.map(({ current }) => current)).toEqual([true, false, false, false]);
      const unknown = provisioner.change(
        service,
        { operation: "rollback", release: 9 },
        { dataStores: "keep" },
      );
      await expect(unknown).rejects.toThrow(`${service} has no release 9; it has 4, 3, 2, 1`);
      await deleted(service);
    });

    test("a deletion that kept the data is taken back whole", async () => {
      const service = named("change-delete");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(full(service), { onFailure: "hold" }));
      const before = await picture(stage.cluster, service);
      const gone = await succeeded(provisioner.delete(service, { dataStores: "keep" }));
      expect(await picture(stage.cluster, service)).not.toEqual(before);
      const back = await (await provisioner.rollback(gone.name, { dataStores: "keep-used" })).finished;
      expect(back.phase, JSON.stringify(back.steps.map(({ error }) => error))).toBe("RolledBack");
      expect(await picture(stage.cluster, service)).toEqual(before);
      const { readyReplicas } = await deploymentStatus(service);
      expect(readyReplicas).toBe(3);
      await deleted(service);
    });

    test("a whole service without data is deleted and taken back, its namespace too", async () => {
      const service = named("change-whole");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(small(service), { onFailure: "hold" }));
      const before = await picture(stage.cluster, service);
      const gone = await succeeded(provisioner.delete(service, { dataStores: "delete", confirmed: service }));
      expect(await leftOf(service)).toEqual([]);
      const back = await (await provisioner.rollback(gone.name, { dataStores: "keep-used" })).finished;
      expect(back.phase, JSON.stringify(back.steps.map(({ error }) => error))).toBe("RolledBack");
      expect(await picture(stage.cluster, service)).toEqual(before);
      await deleted(service);
    });

    test("a change that failed is held, resumed by somebody else, and makes nothing twice", async () => {
      const service = named("change-held");
      await succeeded(made.provisioner().create(small(service), { onFailure: "hold" }));
      const broken = made.provisioner({
        cluster: faulty(stage.cluster, { step: "apply_kubernetes", write: 2, time: "before", times: 1 }),
      });
      const held = await (
        await broken.change(
          service,
          { operation: "scale", replicas: 3 },
          { onFailure: "hold", dataStores: "keep" },
        )
      ).finished;
      expect(held.phase).toBe("Held");
      const other = made.provisioner({ holder: "other@there:2" });
      await expect(
        other.change(service, { operation: "scale", replicas: 2 }, { dataStores: "keep" }),
      ).rejects.toThrow(held.name);
      await succeeded(other.retry(held.name, { onFailure: "hold" }));
      expect((await deploymentStatus(service)).readyReplicas).toBe(3);
      await deleted(service);
    });

    test("what somebody changes between plan and write is not written over", async () => {
      const service = named("change-raced");
      await succeeded(made.provisioner().create(small(service), { onFailure: "hold" }));
      const place = { namespace: namespaceOf(service), name: service };
      const { cluster } = stage;
      let raced = false;
      const provisioner = made.provisioner({
        cluster: {
          ...faulty(cluster, { step: "verify", write: Number.POSITIVE_INFINITY, time: "before" }),
          get: async (resource, ref, options) => {
            if (!raced && options?.step === "apply_kubernetes") {
              raced = true;
              await cluster.patch(resources.applications, place, {
                type: "merge",
                body: { spec: { replicas: 7 } },
              });
            }
            return cluster.get(resource, ref, options);
          },
        },
      });
      const run = await provisioner.change(
        service,
        { operation: "deploy", image: image("f") },
        { onFailure: "rollback", dataStores: "keep" },
      );
      const state = await run.finished;
      expect(state.phase).toBe("RolledBack");
      expect(state.failure?.error.class).toBe("conflict");
      const application = await cluster.get(resources.applications, place);
      expect(application.spec).toMatchObject({ replicas: 7 });
      await deleted(service);
    });

    async function deploymentStatus(service: ReturnType<typeof named>) {
      const place = { namespace: namespaceOf(service), name: service };
      const { status } = await stage.cluster.get(resources.deployments, place);
      return typeof status === "object" && status !== null
        ? (status as { readonly readyReplicas?: number })
        : {};
    }
  });
}
