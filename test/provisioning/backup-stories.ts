import { expect, test } from "vitest";
import { labels, namespaceOf, type ServiceName } from "../../src/application/names.ts";
import { backupsIn } from "../../src/backups/backup.ts";
import { resources } from "../../src/cluster/resource.ts";
import type { RunState } from "../../src/provisioning/runs/run.ts";
import { faulty, forwarding } from "./fault.ts";
import { named, onStage, type Stage, withDatabase } from "./telling.ts";

async function succeeded(run: Promise<{ readonly finished: Promise<RunState> }>): Promise<RunState> {
  const state = await (await run).finished;
  expect(state.phase, JSON.stringify(state.steps.map(({ id, error }) => [id, error]))).toBe("Succeeded");
  return state;
}

/**
 * What backups and restores promise of the objects of a service, told on the embedded cluster and on a real one alike. On
 * both, nothing in a pod runs: what the Jobs do is proven on a real server, in `test/sandbox/data-stores`.
 */
export function backupStories(title: string, open: () => Promise<Stage>): void {
  onStage(title, open, ({ stage, made, leftOf, removeRuns }) => {
    const claim = (service: ServiceName) =>
      stage.cluster.get(resources.persistentVolumeClaims, {
        namespace: namespaceOf(service),
        name: `${service}-db-backups`,
      });
    const listed = async (service: ServiceName) => backupsIn((await claim(service)).metadata);
    /** What is there for a run's time only. */
    const passing = async (service: ServiceName) => {
      const namespace = namespaceOf(service);
      const lists = await Promise.all(
        [resources.jobs, resources.networkPolicies, resources.configMaps].map((resource) =>
          stage.cluster.list(resource, { namespace }),
        ),
      );
      return lists
        .flatMap(({ items }) => items.map(({ metadata }) => metadata.name))
        .filter((name) => /-(backup|restore|swap|last|drop|undo)(\.|$)/.test(name));
    };
    /** The same cluster, with the Jobs that are made told. */
    const recording = (jobs: string[]) => ({
      ...forwarding(stage.cluster),
      create: async (...[resource, object, options]: Parameters<typeof stage.cluster.create>) => {
        if (resource.kind === "Job") jobs.push(object.metadata.name.replace(/^.*-/, ""));
        return stage.cluster.create(resource, object, options);
      },
    });
    const suffix = (run: string) => run.replace(/^.*-/, "");

    test("backups are kept beside the database, protected like it, and go only with it", async () => {
      const service = named("backup-kept");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(withDatabase(service), { onFailure: "hold" }));
      const first = await succeeded(provisioner.backup(service, { onFailure: "hold" }));
      const second = await succeeded(provisioner.backup(service, { onFailure: "hold" }));
      const names = [second, first].map(({ name }) => `backup-${suffix(name)}`);
      expect((await listed(service)).map(({ name }) => name)).toEqual(names);
      expect((await claim(service)).metadata).toMatchObject({
        annotations: { "platform.company.com/deletion-protection": "true" },
        labels: { [labels.service]: service },
      });
      expect(await passing(service)).toEqual([]);
      expect((await provisioner.orphans.find({ service })).found).toEqual([]);
      await expect(
        provisioner.delete(service, { dataStores: "delete" }).then(({ finished }) => finished),
      ).rejects.toThrow("protected against deletion");
      await succeeded(provisioner.delete(service, { dataStores: "delete", confirmed: service }));
      expect(await leftOf(service)).toEqual([]);
      await removeRuns(service);
    });

    test("a restore names the service, backs up first, and ends with nothing but the backups", async () => {
      const service = named("backup-restore");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(withDatabase(service), { onFailure: "hold" }));
      const first = await succeeded(provisioner.backup(service, { onFailure: "hold" }));
      const backup = `backup-${suffix(first.name)}`;
      await expect(provisioner.restore(service, backup, {})).rejects.toThrow("only who names the service");
      await expect(provisioner.restore(service, "backup-other", { confirmed: service })).rejects.toThrow(
        `${service} has no backup backup-other`,
      );
      await stage.cluster.patch(
        resources.applications,
        { namespace: namespaceOf(service), name: service },
        {
          type: "merge",
          body: { spec: { starter: false, migrations: { command: ["/bin/ledger", "migrate"] } } },
        },
      );
      const jobs: string[] = [];
      const state = await succeeded(
        made.provisioner({ cluster: recording(jobs) }).restore(service, backup, { confirmed: service }),
      );
      expect(jobs).toEqual(["backup", "restore", "swap", "migrate", "last", "drop"]);
      expect((await listed(service)).map(({ name }) => name)).toEqual([
        `before-restore-${suffix(state.name)}`,
        backup,
      ]);
      expect(await passing(service)).toEqual([]);
      await expect(provisioner.previewRollback(state.name, "keep")).rejects.toMatchObject({
        mend: `restore what was before: platform database restore ${service} before-restore-${suffix(state.name)}`,
      });
      await succeeded(provisioner.delete(service, { dataStores: "delete", confirmed: service }));
      await removeRuns(service);
    });

    test("a restore that fails before the old database goes is taken back in the database too", async () => {
      const service = named("backup-back");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(withDatabase(service), { onFailure: "hold" }));
      const first = await succeeded(provisioner.backup(service, { onFailure: "hold" }));
      const backup = `backup-${suffix(first.name)}`;
      for (const step of ["restore_database", "swap_database"] as const) {
        const jobs: string[] = [];
        const broken = faulty(recording(jobs), {
          step,
          write: step === "restore_database" ? 2 : 3,
          time: "before",
          times: 1,
        });
        const state = await (
          await made
            .provisioner({ cluster: broken })
            .restore(service, backup, { confirmed: service, onFailure: "rollback" })
        ).finished;
        expect([step, state.phase, state.failure?.step]).toEqual([step, "RolledBack", step]);
        expect(jobs.at(-1)).toBe("undo");
        expect(await passing(service)).toEqual([]);
        expect((await listed(service)).map(({ name }) => name)).toContain(
          `before-restore-${suffix(state.name)}`,
        );
      }
      await succeeded(provisioner.delete(service, { dataStores: "delete", confirmed: service }));
      expect(await leftOf(service)).toEqual([]);
      await removeRuns(service);
    });
  });
}
