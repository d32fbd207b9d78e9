import { expect, test } from "vitest";
import { labels, type ServiceName } from "../../src/application/names.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { ClusterError } from "../../src/cluster/errors.ts";
import { resources } from "../../src/cluster/resource.ts";
import { DeliveryError } from "../../src/delivery/delivery-error.ts";
import { atRest } from "../../src/provisioning/engine/decide.ts";
import { JournalError, ProvisioningError } from "../../src/provisioning/errors.ts";
import type { StepId } from "../../src/provisioning/plan.ts";
import type { Execution, RunState } from "../../src/provisioning/runs/run.ts";
import { runName, runObject } from "../../src/provisioning/runs/run-record.ts";
import { impatient } from "./composition.ts";
import { faulty, faultyHost, forwarding } from "./fault.ts";
import { full, named, onStage, type Stage, small, withDatabase } from "./telling.ts";

function phases(state: RunState): Record<string, string> {
  return Object.fromEntries(state.steps.map(({ id, phase }) => [id, phase]));
}

/** What provisioning promises, told on the embedded cluster and on a real one alike. */
export function provisioningStories(title: string, open: () => Promise<Stage>): void {
  onStage(title, open, ({ stage, made, leftOf, removeRuns, rolledBack }) => {
    test("creates a service whose pods are ready, and a rollback leaves nothing", async () => {
      const service = named("story-full");
      const provisioner = made.provisioner();
      const execution = await provisioner.create(full(service), { onFailure: "hold" });
      const seen: string[] = [];
      execution.subscribe((event) => seen.push(event.type));
      const state = await execution.finished;
      expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
      expect(seen.at(-1)).toBe("RunSucceeded");
      const pods = await stage.cluster.list(resources.pods, {
        namespace: `app-${service}`,
        labelSelector: `${labels.component}=workload`,
      });
      expect(pods.items).toHaveLength(3);
      // The record in the cluster says what this process saw.
      expect(await provisioner.get(execution.name)).toEqual(state);
      expect(JSON.stringify(state)).not.toMatch(/password"?:/i);

      const preview = await provisioner.previewRollback(execution.name, "keep-used");
      expect(preview.keeps.map(({ reason }) => reason)).toContain(
        "made by this run, and the service has run on it",
      );
      await rolledBack(
        service,
        await provisioner.rollback(execution.name, { dataStores: "delete", confirmed: service }),
      );
      await removeRuns(service);
    });

    test("a held run goes on from the failed step, and makes nothing twice", async () => {
      const service = named("story-retry");
      const broken = made.provisioner({
        cluster: faulty(stage.cluster, { step: "apply_kubernetes", write: 2, time: "after", times: 1 }),
      });
      const held = await (await broken.create(withDatabase(service), { onFailure: "hold" })).finished;
      expect(held.phase).toBe("Held");
      expect(phases(held).provision_database).toBe("Succeeded");
      expect(held.failure?.error.class).toBe("refused");
      const secret = await stage.cluster.get(resources.secrets, {
        namespace: `app-${service}`,
        name: `${service}-db`,
      });

      const provisioner = made.provisioner({ holder: "other@there:2" });
      const retried = await (await provisioner.retry(held.name, { onFailure: "hold" })).finished;
      expect(retried.phase).toBe("Succeeded");
      expect(retried.epoch).toBe(2);
      const after = await stage.cluster.get(resources.secrets, {
        namespace: `app-${service}`,
        name: `${service}-db`,
      });
      expect(after.metadata.resourceVersion).toBe(secret.metadata.resourceVersion);
      expect(await made.codeHost.log(made.codeHost.urlOf("platform", service), "main", 10)).toHaveLength(2);

      const gone = await provisioner.delete(service, { dataStores: "delete", confirmed: service });
      expect((await gone.finished).phase).toBe("Succeeded");
      expect(await leftOf(service)).toEqual([]);
      await removeRuns(service);
    });

    test("what somebody deleted between failure and retry is made again", async () => {
      const service = named("story-gone");
      const broken = made.provisioner({
        cluster: faulty(stage.cluster, { step: "apply_kubernetes", write: 1, time: "before", times: 1 }),
      });
      const held = await (await broken.create(withDatabase(service), { onFailure: "hold" })).finished;
      expect(held.phase).toBe("Held");
      const name = `app-${service}`;
      await stage.cluster.delete(resources.namespaces, { name });
      await expect
        .poll(() => stage.cluster.get(resources.namespaces, { name }).catch(({ kind }) => kind), {
          timeout: 60_000,
        })
        .toBe("not-found");
      const provisioner = made.provisioner();
      const retried = await (await provisioner.retry(held.name, { onFailure: "hold" })).finished;
      expect(retried.phase, JSON.stringify(retried.failure)).toBe("Succeeded");
      await rolledBack(
        service,
        await provisioner.rollback(held.name, { dataStores: "delete", confirmed: service }),
      );
      await removeRuns(service);
    });

    test("a write whose answer is lost is done again, and still counts as this run's", async () => {
      const service = named("story-lost");
      const provisioner = made.provisioner({
        cluster: faulty(
          stage.cluster,
          { step: "provision_database", write: 1, time: "after", times: 3 },
          "unreachable",
        ),
      });
      const execution = await provisioner.create(withDatabase(service), { onFailure: "hold" });
      const retries: string[] = [];
      execution.subscribe((event) => {
        if (event.type === "StepFailed") retries.push(event.retryAt ?? "never");
      });
      const state = await execution.finished;
      expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
      expect(retries.length).toBeGreaterThan(0);
      expect(retries).not.toContain("never");
      await rolledBack(
        service,
        await provisioner.rollback(state.name, { dataStores: "delete", confirmed: service }),
      );
      await removeRuns(service);
    });

    test("what cannot be undone is listed, and undone by the next rollback", async () => {
      const service = named("story-orphan");
      const created = await (await made.provisioner().create(small(service), { onFailure: "hold" })).finished;
      const { cluster } = stage;
      const stubborn: Cluster = {
        ...forwarding(cluster),
        delete: async (resource, ref, options) => {
          // The monitoring's objects go with the namespace; the namespace itself stays.
          if (options?.step === "setup_monitoring" || resource.plural === "namespaces") {
            throw new ClusterError("forbidden", "denied the request: a test's fault", { status: 403 });
          }
          return cluster.delete(resource, ref, options);
        },
      };
      const failed = await (
        await made.provisioner({ cluster: stubborn }).rollback(created.name, { dataStores: "keep-used" })
      ).finished;
      expect(failed.phase).toBe("RollbackFailed");
      const orphans = failed.orphans.map((effect) => (effect.kind === "object" ? effect.type : effect.kind));
      expect(orphans).toEqual(expect.arrayContaining(["Namespace", "ServiceMonitor"]));
      expect(orphans).not.toContain("Deployment");
      await rolledBack(service, await made.provisioner().rollback(created.name, { dataStores: "keep-used" }));
      await removeRuns(service);
    });

    test("a repository that went without a record takes the commits of every step with it", async () => {
      const service = named("story-repository");
      const created = await (await made.provisioner().create(small(service), { onFailure: "hold" })).finished;
      const forgetful = {
        ...faultyHost(made.codeHost, { write: Number.POSITIVE_INFINITY, time: "before" }),
        remove: async (...args: Parameters<typeof made.codeHost.remove>) => {
          await made.codeHost.remove(...args);
          throw new DeliveryError("refused", "the answer was lost: a test's fault", "");
        },
      };
      const failed = await (
        await made.provisioner({ codeHost: forgetful }).rollback(created.name, { dataStores: "keep-used" })
      ).finished;
      expect(failed.phase).toBe("RollbackFailed");
      await rolledBack(service, await made.provisioner().rollback(created.name, { dataStores: "keep-used" }));
      await removeRuns(service);
    });

    test("an object that its step could not delete is gone with the namespace, and recorded so", async () => {
      const service = named("story-with");
      const created = await (await made.provisioner().create(small(service), { onFailure: "hold" })).finished;
      const stubborn = faulty(stage.cluster, { step: "setup_monitoring", write: 1, time: "before" });
      const execution = await made
        .provisioner({ cluster: stubborn })
        .rollback(created.name, { dataStores: "keep-used" });
      await rolledBack(service, execution);
      expect(phases(execution.state).setup_monitoring).toBe("Compensated");
      await removeRuns(service);
    });

    test("a deletion keeps used data stores, and a second one takes them", async () => {
      const service = named("story-delete");
      const provisioner = made.provisioner();
      const created = await (await provisioner.create(withDatabase(service), { onFailure: "hold" })).finished;
      expect(created.phase).toBe("Succeeded");
      const kept = await (await provisioner.delete(service, { dataStores: "keep-used" })).finished;
      expect(kept.phase).toBe("Succeeded");
      const left = await leftOf(service);
      expect(left).toContain(`statefulsets.apps app-${service}/${service}-db`);
      expect(left).toContain(`persistentvolumeclaims app-${service}/data-${service}-db-0`);
      expect(
        left.filter((key) => key.startsWith("deployments.apps") || key.startsWith("applications.")),
      ).toEqual([]);

      // A service of the same name finds its data again, and a rollback of that run leaves it alone.
      const secret = { namespace: `app-${service}`, name: `${service}-db` };
      const before = await stage.cluster.get(resources.secrets, secret);
      const again = await (await provisioner.create(withDatabase(service), { onFailure: "hold" })).finished;
      expect(again.phase, JSON.stringify(again.failure)).toBe("Succeeded");
      expect((await stage.cluster.get(resources.secrets, secret)).metadata.uid).toBe(before.metadata.uid);
      const undone = await (
        await provisioner.rollback(again.name, { dataStores: "delete", confirmed: service })
      ).finished;
      expect(undone.phase).toBe("RolledBack");
      expect(await leftOf(service)).toContain(`statefulsets.apps app-${service}/${service}-db`);

      const all = await (await provisioner.delete(service, { dataStores: "delete", confirmed: service }))
        .finished;
      expect(all.phase, JSON.stringify(all.failure)).toBe("Succeeded");
      expect(await leftOf(service)).toEqual([]);
      await removeRuns(service);
    });

    test("a rollback keeps a namespace in which somebody has put something, and says why", async () => {
      const service = named("story-foreign");
      const provisioner = made.provisioner();
      const created = await (await provisioner.create(small(service), { onFailure: "hold" })).finished;
      const namespace = `app-${service}`;
      await stage.cluster.create(resources.configMaps, {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "notes", namespace },
      });
      const preview = await provisioner.previewRollback(created.name, "keep-used");
      expect(preview.keeps.map(({ reason }) => reason)).toEqual([
        expect.stringContaining("configmap/notes"),
        "guards the namespace, which stays",
      ]);
      const state = await (await provisioner.rollback(created.name, { dataStores: "keep-used" })).finished;
      expect(state.phase).toBe("RolledBack");
      const left = await leftOf(service);
      expect(left).toEqual(
        expect.arrayContaining([
          `namespaces ${namespace}`,
          `configmaps ${namespace}/notes`,
          `networkpolicies.networking.k8s.io ${namespace}/deny-all`,
        ]),
      );
      expect(
        (await made.provisioner().orphans.find({ service })).found.map(({ state }) => state),
      ).not.toContain("orphan");
      expect(left.filter((key) => key.includes(`/${service}`))).toEqual([]);
      await stage.cluster.delete(resources.namespaces, { name: namespace });
      await removeRuns(service);
    });

    test("a namespace that is not the platform's is refused, untouched", async () => {
      const service = named("story-taken");
      const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: `app-${service}` } };
      const before = await stage.cluster.create(resources.namespaces, namespace);
      const refusal = await made
        .provisioner()
        .create(small(service), { onFailure: "rollback" })
        .catch(String);
      expect(refusal).toContain("is not the platform's");
      const after = await stage.cluster.get(resources.namespaces, { name: `app-${service}` });
      expect(after.metadata.uid).toBe(before.metadata.uid);
      expect(after.metadata.labels?.[labels.managed]).toBeUndefined();
      expect(await made.provisioner().list({ service })).toEqual([]);
      await stage.cluster.delete(resources.namespaces, { name: `app-${service}` });
    });

    test("of two creations of one service one is done and the other is refused, having written nothing", async () => {
      const service = named("story-twice");
      const results = await Promise.allSettled(
        ["one@here:1", "two@here:2"].map((holder) =>
          made.provisioner({ holder }).create(small(service), { onFailure: "rollback" }),
        ),
      );
      const started = results.filter((result) => result.status === "fulfilled");
      const refused = results.filter((result) => result.status === "rejected");
      expect(started).toHaveLength(1);
      expect(refused[0]?.reason).toBeInstanceOf(ProvisioningError);
      const state = await started[0]?.value.finished;
      expect(state?.phase).toBe("Succeeded");
      expect(await made.provisioner().list({ service })).toHaveLength(1);
      if (state !== undefined) {
        await rolledBack(
          service,
          await made.provisioner().rollback(state.name, { dataStores: "delete", confirmed: service }),
        );
      }
      await removeRuns(service);
    });

    test("a run whose process vanished is rolled back by another, from the journal alone", async () => {
      const service = named("story-vanish");
      const execution = await vanishing(service, "apply_kubernetes");
      await expect(execution.finished).rejects.toBeInstanceOf(JournalError);
      const other = made.provisioner({ holder: "other@there:2" });
      expect((await other.get(execution.name)).phase).toBe("Running");
      await rolledBack(service, await other.rollback(execution.name, { dataStores: "keep-used" }));
      await removeRuns(service);
    });

    test("an interrupted run says so and goes on elsewhere", async () => {
      const service = named("story-stop");
      const provisioner = made.provisioner();
      const execution = await provisioner.create(withDatabase(service), { onFailure: "rollback" });
      const atDatabase = new Promise<void>((resolve) => {
        execution.subscribe((event) => {
          if (event.type === "EffectsRecorded" && event.step === "provision_database") resolve();
        });
      });
      await atDatabase;
      await execution.interrupt("ctrl-c");
      expect((await execution.finished).phase).toBe("Interrupted");
      const other = made.provisioner({ holder: "other@there:2" });
      const state = await (await other.retry(execution.name, { onFailure: "rollback" })).finished;
      expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
      await rolledBack(
        service,
        await other.rollback(execution.name, { dataStores: "delete", confirmed: service }),
      );
      await removeRuns(service);
    });

    test("a request that was cancelled before anybody took it can be resumed, and is done then", async () => {
      const service = named("story-pending");
      const provisioner = made.provisioner();
      const { username } = await stage.cluster.whoAmI();
      const { metadata } = await stage.cluster.create(
        resources.runs,
        runObject(runName(`${service}-create-7f3k2`), {
          operation: "create",
          service,
          team: "platform",
          parameters: { request: small(service) },
          requestedBy: username,
        }),
      );
      const run = runName(metadata.name);
      expect((await provisioner.cancel(run)).phase).toBe("Interrupted");
      const state = await (await provisioner.resume(run, { onFailure: "rollback" })).finished;
      expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
      expect(state.steps.map(({ id }) => id)).toContain("apply_kubernetes");
      await rolledBack(service, await provisioner.rollback(run, { dataStores: "delete" }));
      await removeRuns(service);
    });

    test("a living engine is cancelled by another process, and resumed there", async () => {
      const service = named("story-cancel");
      const execution = await made
        .provisioner({ holder: "alive@here:1", cluster: never() })
        .create(small(service), { onFailure: "rollback" });
      const other = made.provisioner({ holder: "other@there:2" });
      expect((await other.cancel(execution.name)).phase).toBe("Interrupted");
      expect((await execution.finished).phase).toBe("Interrupted");
      const { spec } = await stage.cluster.get(resources.runs, {
        namespace: "platform-system",
        name: execution.name,
      });
      expect(spec).not.toHaveProperty("action");
      const state = await (await other.resume(execution.name, { onFailure: "rollback" })).finished;
      expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
      await rolledBack(service, await other.rollback(execution.name, { dataStores: "delete" }));
      await removeRuns(service);
    });

    test("a second terminal sees the run live, to its end", async () => {
      const service = named("story-watch");
      const execution = await made.provisioner().create(small(service), { onFailure: "rollback" });
      const stop = new AbortController();
      const seen: RunState[] = [];
      for await (const state of made
        .provisioner({ holder: "other@there:2" })
        .watch(execution.name, stop.signal)) {
        seen.push(state);
        if (atRest(state)) break;
      }
      stop.abort();
      expect(seen.at(-1)?.phase).toBe("Succeeded");
      expect(seen.at(-1)).toEqual(await execution.finished);
      await rolledBack(
        service,
        await made.provisioner().rollback(execution.name, { dataStores: "delete", confirmed: service }),
      );
      await removeRuns(service);
    });

    test("while its holder lives, nobody else takes a run", async () => {
      const service = named("story-alive");
      // Its database never gets ready as long as this test wants it so.
      let release: () => void = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      const slow: Cluster = {
        ...forwarding(stage.cluster),
        patch: async (resource, ref, patch, options) => {
          if (options?.step === "apply_kubernetes") await released;
          return stage.cluster.patch(resource, ref, patch, options);
        },
      };
      const execution = await made
        .provisioner({ cluster: slow, holder: "alive@here:1" })
        .create(small(service), { onFailure: "rollback" });
      const refusal = await made
        .provisioner({ holder: "other@there:2" })
        .rollback(execution.name, { dataStores: "delete", confirmed: service })
        .catch(String);
      expect(refusal).toContain("alive@here:1");
      release();
      expect((await execution.finished).phase).toBe("Succeeded");
      await rolledBack(
        service,
        await made.provisioner().rollback(execution.name, { dataStores: "delete", confirmed: service }),
      );
      await removeRuns(service);
    });

    /** A cluster on which no deployment ever gets ready, as far as its steps can see. */
    function never(): Cluster {
      const { cluster } = stage;
      return {
        ...forwarding(cluster),
        get: async (resource, ref, options) => {
          const object = await cluster.get(resource, ref, options);
          return options?.step === "apply_kubernetes" && resource.plural === "deployments"
            ? { ...object, status: {} }
            : object;
        },
      };
    }

    /** A creation whose process loses the cluster for good at a step: as killed, its Lease is no longer renewed. */
    async function vanishing(service: ServiceName, step: StepId): Promise<Execution> {
      let dead = false;
      const check = async <T>(marked: string | undefined, call: () => Promise<T>): Promise<T> => {
        if (marked === step) dead = true;
        if (dead) throw new Error("the process is gone");
        return call();
      };
      const { cluster } = stage;
      const dying: Cluster = {
        ...forwarding(cluster),
        create: (resource, object, options) =>
          check(options?.step, () => cluster.create(resource, object, options)),
        replace: (resource, object, options) =>
          check(options?.step, () => cluster.replace(resource, object, options)),
        patch: (resource, ref, patch, options) =>
          check(options?.step, () => cluster.patch(resource, ref, patch, options)),
        delete: (resource, ref, options) =>
          check(options?.step, () => cluster.delete(resource, ref, options)),
      };
      return made
        .provisioner({ cluster: dying, clock: impatient, holder: "dead@gone:1" })
        .create(withDatabase(service), { onFailure: "rollback" });
    }
  });
}
