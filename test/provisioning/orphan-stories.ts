import { expect, test } from "vitest";
import { adoptedAnnotation, labels, protectionAnnotation } from "../../src/application/names.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { ClusterError } from "../../src/cluster/errors.ts";
import { resources } from "../../src/cluster/resource.ts";
import type { Orphan } from "../../src/provisioning/orphans/orphan.ts";
import type { RunState } from "../../src/provisioning/runs/run.ts";
import { testStandards } from "./composition.ts";
import { forwarding } from "./fault.ts";
import { named, onStage, type Stage, small, whole, withDatabase } from "./telling.ts";

function states(found: readonly Orphan[]): Record<string, string> {
  return Object.fromEntries(found.map(({ name, state }) => [name, state]));
}

function problem(state: RunState): string {
  return JSON.stringify(state.steps.map(({ id, phase, error }) => [id, phase, error]));
}

/** What deletion protection and the sweep for orphans promise, told on the embedded cluster and on a real one alike. */
export function orphanStories(
  title: string,
  open: () => Promise<Stage>,
  { snapshots }: { readonly snapshots: boolean },
): void {
  onStage(title, open, ({ stage, made, leftOf, removeRuns }) => {
    const orphansOf = async (service: string) => (await made.provisioner().orphans.find({ service })).found;

    async function contentsOf(service: string): Promise<readonly string[]> {
      if (!(await stage.cluster.serves(resources.volumeSnapshotContents))) return [];
      const { items } = await stage.cluster.list(resources.volumeSnapshotContents, {
        labelSelector: `${labels.service}=${service}`,
      });
      return items.map(({ metadata }) => metadata.name);
    }

    async function cleaned(service: ReturnType<typeof named>): Promise<void> {
      for (const name of await contentsOf(service)) {
        await stage.cluster.delete(resources.volumeSnapshotContents, { name });
      }
      await removeRuns(service);
    }

    test("protected data is destroyed only by who names the service, after a last snapshot", async () => {
      const service = named("guard-all");
      const provisioner = made.provisioner();
      const created = await (await provisioner.create(whole(service), { onFailure: "hold" })).finished;
      expect(created.phase, problem(created)).toBe("Succeeded");
      const namespace = `app-${service}`;
      const store = { namespace, name: `${service}-db` };
      const guarded = await stage.cluster.get(resources.statefulSets, store);
      expect(guarded.metadata.annotations?.[protectionAnnotation]).toBe("true");
      expect(await orphansOf(service)).toEqual([]);

      const planned = await provisioner.planDelete(service, "delete");
      expect(planned.protectedStores).toEqual([`${service}-db`, `${service}-cache`]);
      await expect(provisioner.delete(service, { dataStores: "delete" })).rejects.toThrow(
        /protected against deletion/,
      );
      const preview = await provisioner.previewRollback(created.name, "delete");
      expect(preview.protectedStores).toEqual([`${service}-db`, `${service}-cache`]);
      await expect(provisioner.rollback(created.name, { dataStores: "delete" })).rejects.toThrow(
        /protected against deletion/,
      );
      expect((await provisioner.list({ service })).map(({ operation }) => operation)).toEqual(["create"]);

      const deletion = await provisioner.delete(service, { dataStores: "delete", confirmed: service });
      const state = await deletion.finished;
      expect(state.phase, problem(state)).toBe("Succeeded");
      expect(await leftOf(service)).toEqual([]);
      expect(await contentsOf(service)).toHaveLength(snapshots ? 2 : 0);
      const kept = await orphansOf(service);
      expect(kept.filter(({ state: now }) => now === "orphan")).toEqual([]);
      expect(kept.filter(({ effect }) => effect.kind === "object")).toHaveLength(snapshots ? 2 : 0);
      await cleaned(service);
    });

    test("a deletion that fails before anything is lost goes back: the data is protected again", async () => {
      const service = named("guard-back");
      const provisioner = made.provisioner();
      expect((await (await provisioner.create(whole(service), { onFailure: "hold" })).finished).phase).toBe(
        "Succeeded",
      );
      const stubborn: Cluster = {
        ...forwarding(stage.cluster),
        delete: async (resource, ref, options) => {
          if (resource.plural === "statefulsets") {
            throw new ClusterError("forbidden", "denied the request: a test's fault", { status: 403 });
          }
          return stage.cluster.delete(resource, ref, options);
        },
      };
      const held = await (
        await made
          .provisioner({ cluster: stubborn })
          .delete(service, { dataStores: "delete", confirmed: service })
      ).finished;
      expect(held.phase).toBe("Held");
      // While the run is unfinished, it accounts for what is there.
      expect((await orphansOf(service)).filter(({ state }) => state === "orphan")).toEqual([]);
      const undone = await (await provisioner.rollback(held.name, { dataStores: "keep-used" })).finished;
      expect(undone.phase, problem(undone)).toBe("RolledBack");
      for (const name of [`${service}-db`, `${service}-cache`]) {
        const object = await stage.cluster.get(resources.statefulSets, { namespace: `app-${service}`, name });
        expect(object.metadata.annotations?.[protectionAnnotation]).toBe("true");
      }
      expect(await contentsOf(service)).toEqual([]);
      expect(await orphansOf(service)).toEqual([]);
      const gone = await provisioner.delete(service, { dataStores: "delete", confirmed: service });
      expect((await gone.finished).phase, problem(gone.state)).toBe("Succeeded");
      await cleaned(service);
    });

    test("what a deletion kept is kept, not an orphan; a cleanup of it needs the service's name", async () => {
      const service = named("kept-data");
      const provisioner = made.provisioner();
      await (await provisioner.create(whole(service), { onFailure: "hold" })).finished;
      const kept = await (await provisioner.delete(service, { dataStores: "keep" })).finished;
      expect(kept.phase, problem(kept)).toBe("Succeeded");
      const namespace = `app-${service}`;
      const { items } = await stage.cluster.list(resources.networkPolicies, { namespace });
      expect(items.map(({ metadata }) => metadata.name)).toContain("deny-all");
      const found = await orphansOf(service);
      const byName = states(found);
      expect(Object.values(byName)).not.toContain("orphan");
      expect(byName[`namespace/${namespace}`]).toBe("kept");
      expect(found.find(({ name }) => name === `namespace/${namespace}`)).toMatchObject({
        protected: true,
        contains: expect.arrayContaining([
          `${namespace}/persistentvolumeclaim/data-${service}-db-0`,
          `${namespace}/networkpolicy/deny-all`,
        ]),
        data: [`volume claim data-${service}-cache-0`, `volume claim data-${service}-db-0`],
      });

      const [plan] = await provisioner.orphans.planDelete([`namespace/${namespace}`]);
      if (plan === undefined) throw new Error("no plan");
      expect(plan.protectedStores).toEqual([`${service}-db`, `${service}-cache`]);
      expect(plan.takesAlong).toContain(`statefulset/${service}-db`);
      await expect(provisioner.orphans.delete(plan)).rejects.toThrow(/protected against deletion/);
      const cleanup = await provisioner.orphans.delete(plan, { confirmed: service });
      const state = await cleanup.finished;
      expect(state.phase, problem(state)).toBe("Succeeded");
      expect(await leftOf(service)).toEqual([]);
      await expect(provisioner.rollback(state.name, { dataStores: "keep" })).rejects.toThrow(
        /has deleted data/,
      );
      expect(await contentsOf(service)).toHaveLength(snapshots ? 2 : 0);

      // What was kept goes when a person wants it to, the repository too.
      const names = (await orphansOf(service)).map(({ name }) => name);
      expect(names).toContain(`repository/platform/${service}`);
      const [rest] = await provisioner.orphans.planDelete(names);
      if (rest === undefined) throw new Error("no plan");
      const over = await (await provisioner.orphans.delete(rest)).finished;
      expect(over.phase, problem(over)).toBe("Succeeded");
      expect(await contentsOf(service)).toEqual([]);
      expect(await orphansOf(service)).toEqual([]);
      await cleaned(service);
    });

    test("a cache that a change takes away is kept unless the service is named, and then it alone goes", async () => {
      const service = named("take-away");
      const provisioner = made.provisioner();
      await (await provisioner.create(whole(service), { onFailure: "hold" })).finished;
      const change = { operation: "set", cache: "none" } as const;
      const namespace = `app-${service}`;
      const claim = { namespace, name: `data-${service}-cache-0` };

      const kept = await (
        await provisioner.change(service, change, { onFailure: "hold", dataStores: "keep" })
      ).finished;
      expect(kept.phase, problem(kept)).toBe("Succeeded");
      const found = await orphansOf(service);
      expect(new Set(Object.values(states(found)))).toEqual(new Set(["kept"]));
      expect(states(found)[`${namespace}/persistentvolumeclaim/${claim.name}`]).toBe("kept");
      const back = { operation: "set", cache: "redis" } as const;
      const again = await (await provisioner.change(service, back, { onFailure: "hold", dataStores: "keep" }))
        .finished;
      expect(again.phase, problem(again)).toBe("Succeeded");
      expect(await orphansOf(service)).toEqual([]);

      const planned = await provisioner.planChange(service, change, { dataStores: "delete" });
      expect(planned.protectedStores).toEqual([`${service}-cache`]);
      await expect(
        provisioner.change(service, change, { onFailure: "hold", dataStores: "delete" }),
      ).rejects.toThrow(/protected against deletion/);
      const execution = await provisioner.change(service, change, {
        onFailure: "hold",
        dataStores: "delete",
        confirmed: service,
      });
      const state = await execution.finished;
      expect(state.phase, problem(state)).toBe("Succeeded");
      await expect(stage.cluster.get(resources.persistentVolumeClaims, claim)).rejects.toMatchObject({
        kind: "not-found",
      });
      await expect(
        stage.cluster.get(resources.secrets, { namespace, name: `${service}-cache` }),
      ).rejects.toMatchObject({ kind: "not-found" });
      const database = await stage.cluster.get(resources.statefulSets, { namespace, name: `${service}-db` });
      expect(database.metadata.annotations?.[protectionAnnotation]).toBe("true");
      expect(await contentsOf(service)).toHaveLength(snapshots ? 1 : 0);
      const gone = await (await provisioner.delete(service, { dataStores: "delete", confirmed: service }))
        .finished;
      expect(gone.phase, problem(gone)).toBe("Succeeded");
      expect(await leftOf(service)).toEqual([]);
      await cleaned(service);
    });

    test("where the standards demand a snapshot that cannot be taken, nothing is destroyed", async () => {
      const service = named("demand");
      const standards = {
        ...testStandards,
        dataStores: { ...testStandards.dataStores, deletionProtection: true, snapshot: "required" },
      } as const;
      const without: Cluster = {
        ...forwarding(stage.cluster),
        serves: async (resource, options) =>
          resource.group !== "snapshot.storage.k8s.io" && stage.cluster.serves(resource, options),
      };
      const strict = made.provisioner({ cluster: without, standards });
      await (await strict.create(withDatabase(service), { onFailure: "hold" })).finished;
      const runs = await strict.list({ service });
      await expect(strict.delete(service, { dataStores: "delete", confirmed: service })).rejects.toThrow(
        /the standards demand a last snapshot, and none can be taken/,
      );
      expect(await strict.list({ service })).toEqual(runs);
      // Neither does a rollback destroy it.
      const [created] = runs;
      if (created === undefined) throw new Error("no run");
      await expect(
        strict.rollback(created.name, { dataStores: "delete", confirmed: service }),
      ).rejects.toThrow(/the standards demand a last snapshot/);
      const store = { namespace: `app-${service}`, name: `${service}-db` };
      expect((await stage.cluster.get(resources.statefulSets, store)).metadata.annotations).toMatchObject({
        [protectionAnnotation]: "true",
      });
      const provisioner = made.provisioner();
      const undone = await (
        await provisioner.rollback(created.name, { dataStores: "delete", confirmed: service })
      ).finished;
      expect(undone.phase, problem(undone)).toBe("RolledBack");
      expect(await leftOf(service)).toEqual([]);
      await cleaned(service);
    });

    test("what nothing accounts for is found, adopted by its service and deleted with it, or deleted by itself", async () => {
      const service = named("stray");
      const provisioner = made.provisioner();
      await (await provisioner.create(small(service), { onFailure: "hold" })).finished;
      const namespace = `app-${service}`;
      const stray = (name: string) => ({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name, namespace, labels: { [labels.managed]: "true", [labels.service]: service } },
      });
      for (const name of ["stray-one", "stray-two"])
        await stage.cluster.create(resources.configMaps, stray(name));
      const [one, two] = [`${namespace}/configmap/stray-one`, `${namespace}/configmap/stray-two`];
      expect(states(await orphansOf(service))).toEqual({ [one]: "orphan", [two]: "orphan" });

      await provisioner.orphans.adopt([one]);
      const adopted = await stage.cluster.get(resources.configMaps, { namespace, name: "stray-one" });
      expect(adopted.metadata.annotations?.[adoptedAnnotation]).toMatch(
        new RegExp(`^for ${service} by .+ at 20`),
      );
      expect(states(await orphansOf(service))).toEqual({ [two]: "orphan" });
      await expect(provisioner.orphans.planDelete([one])).rejects.toThrow(/is no orphan/);

      const [plan] = await provisioner.orphans.planDelete([two]);
      if (plan === undefined) throw new Error("no plan");
      expect(plan).toMatchObject({ service, data: [], protectedStores: [] });
      // Another object takes the name in between: it is not the one that was shown.
      await stage.cluster.delete(resources.configMaps, { namespace, name: "stray-two" });
      await stage.cluster.create(resources.configMaps, stray("stray-two"));
      await expect(provisioner.orphans.delete(plan)).rejects.toThrow(/replaced meanwhile/);
      const [again] = await provisioner.orphans.planDelete([two]);
      if (again === undefined) throw new Error("no plan");
      const state = await (await provisioner.orphans.delete(again)).finished;
      expect(state.phase, problem(state)).toBe("Succeeded");
      expect(await orphansOf(service)).toEqual([]);

      const gone = await (await provisioner.delete(service, { dataStores: "delete" })).finished;
      expect(gone.phase, problem(gone)).toBe("Succeeded");
      expect(await leftOf(service)).toEqual([]);
      await cleaned(service);
    });

    test("a namespace whose Application and runs are gone is an orphan, and its cleanup goes on after a crash", async () => {
      const service = named("lost");
      const provisioner = made.provisioner();
      await (await provisioner.create(withDatabase(service), { onFailure: "hold" })).finished;
      const namespace = `app-${service}`;
      await stage.cluster.delete(resources.applications, { namespace, name: service });
      await removeRuns(service);
      const found = await orphansOf(service);
      expect(found.find(({ name }) => name === `namespace/${namespace}`)?.reason).toMatch(
        /there is no service .+, and its run .+ is no more/,
      );
      await expect(provisioner.orphans.adopt([`namespace/${namespace}`])).rejects.toThrow(
        /could account for it/,
      );

      const [plan] = await provisioner.orphans.planDelete([`namespace/${namespace}`]);
      if (plan === undefined) throw new Error("no plan");
      const execution = await provisioner.orphans.delete(plan, { confirmed: service });
      const lifted = new Promise<void>((resolve) => {
        execution.subscribe((event) => {
          if (event.type === "StepSucceeded" && event.step === "lift_protection") resolve();
        });
      });
      await lifted;
      await execution.interrupt("a test's crash");
      const rest = await execution.finished;
      if (rest.phase === "Interrupted") {
        const other = made.provisioner({ holder: "other@there:2" });
        const state = await (await other.resume(rest.name, { onFailure: "hold" })).finished;
        expect(state.phase, problem(state)).toBe("Succeeded");
      }
      expect(await leftOf(service)).toEqual([]);
      await cleaned(service);
    });
  });
}
