import { expect, test } from "vitest";
import { credentialsAnnotation, labels, namespaceOf, type ServiceName } from "../../src/application/names.ts";
import { resources } from "../../src/cluster/resource.ts";
import type { StepId } from "../../src/provisioning/plan.ts";
import type { RunState } from "../../src/provisioning/runs/run.ts";
import { faulty, forwarding } from "./fault.ts";
import { named, onStage, type Stage, withDatabase } from "./telling.ts";

async function succeeded(run: Promise<{ readonly finished: Promise<RunState> }>): Promise<RunState> {
  const state = await (await run).finished;
  expect(state.phase, JSON.stringify(state.steps.map(({ id, error }) => [id, error]))).toBe("Succeeded");
  return state;
}

const values = {
  host: "192.0.2.7",
  port: "5433",
  database: "old-shop-database",
  username: "old-shop-user",
  password: "old-shop-password",
};
const from = "old-shop";

/**
 * What imports promise of the objects of a service, told on the embedded cluster and on a real one alike. On both, nothing in
 * a pod runs: what the Jobs do is proven on two real servers, in `test/sandbox/data-stores`.
 */
export function importStories(title: string, open: () => Promise<Stage>): void {
  onStage(title, open, ({ stage, made, leftOf, removeRuns }) => {
    const secret = (service: ServiceName, given: Readonly<Record<string, string>> = values) =>
      stage.cluster.create(resources.secrets, {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: from, namespace: namespaceOf(service) },
        data: Object.fromEntries(
          Object.entries(given).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
        ),
      });
    const mark = async (service: ServiceName) => {
      const ref = { namespace: namespaceOf(service), name: service };
      const { spec } = await stage.cluster.get(resources.deployments, ref);
      return new RegExp(`"${credentialsAnnotation}":"(\\w+)"`).exec(JSON.stringify(spec))?.[1];
    };
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
        .filter((name) => name.includes("-import"));
    };
    /** The same cluster, with the Jobs that are made told, and paths through the network kept. */
    const recording = (jobs: string[], paths: unknown[] = []) => ({
      ...forwarding(stage.cluster),
      create: async (...[resource, object, options]: Parameters<typeof stage.cluster.create>) => {
        if (resource.kind === "Job") jobs.push(object.metadata.name.replace(/^.*-/, ""));
        return stage.cluster.create(resource, object, options);
      },
      patch: async (...[resource, ref, patch, options]: Parameters<typeof stage.cluster.patch>) => {
        if (resource.kind === "NetworkPolicy") paths.push(patch.body);
        return stage.cluster.patch(resource, ref, patch, options);
      },
    });

    test("an import names the service and its source, rolls the pods, and leaves nothing behind, told or written", async () => {
      const service = named("import-whole");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(withDatabase(service), { onFailure: "hold" }));
      await expect(provisioner.importDatabase(service, from, { confirmed: service })).rejects.toMatchObject({
        kind: "usage",
        message: `there is no secret ${from} in ${namespaceOf(service)}`,
      });
      await secret(service);
      await expect(provisioner.importDatabase(service, from, {})).rejects.toThrow(
        "only who names the service",
      );
      await stage.cluster.patch(
        resources.applications,
        { namespace: namespaceOf(service), name: service },
        {
          type: "merge",
          body: { spec: { starter: false, migrations: { command: ["/bin/ledger", "migrate"] } } },
        },
      );
      const before = await mark(service);
      const jobs: string[] = [];
      const paths: unknown[] = [];
      const { plan } = await provisioner.planImport(service, from);
      expect(plan.steps.flatMap(({ notes }) => notes).join()).toContain("the source is read-only");
      const state = await succeeded(
        made
          .provisioner({ cluster: recording(jobs, paths) })
          .importDatabase(service, from, { confirmed: service }),
      );
      expect(jobs).toEqual(["prove", "copy", "close", "final", "swap", "migrate", "drop"]);
      expect(JSON.stringify(paths)).toContain('"cidr":"192.0.2.7/32"');
      expect(JSON.stringify(paths)).toContain('"port":5433');
      expect(await mark(service)).not.toBe(before);
      expect(await passing(service)).toEqual([]);
      await expect(provisioner.previewRollback(state.name, "keep")).rejects.toThrow(
        "dropped the empty database that was before",
      );
      const runs = JSON.stringify(
        await stage.cluster.list(resources.runs, {
          namespace: "platform-system",
          labelSelector: `${labels.service}=${service}`,
        }),
      );
      for (const value of [values.database, values.username, values.password, values.host]) {
        expect(runs).not.toContain(value);
      }
      expect((await provisioner.orphans.find({ service })).found).toEqual([]);
      await stage.cluster.delete(resources.secrets, { namespace: namespaceOf(service), name: from });
      await succeeded(provisioner.delete(service, { dataStores: "delete", confirmed: service }));
      expect(await leftOf(service)).toEqual([]);
      await removeRuns(service);
    });

    test("a secret that does not say where the source is is refused, key by key, with no value of it", async () => {
      const service = named("import-refused");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(withDatabase(service), { onFailure: "hold" }));
      await secret(service, { host: "not a host", password: "old-shop-password" });
      const refused = provisioner.importDatabase(service, from, { confirmed: service });
      await expect(refused).rejects.toThrow(
        "its host is neither a DNS name nor an address, it has no port, it has no database, it has no username",
      );
      await expect(refused).rejects.not.toThrow(/not a host|old-shop-password/);
      await expect(
        provisioner.importDatabase(service, `${service}-db`, { confirmed: service }),
      ).rejects.toThrow(`is that of ${service}'s own database`);
      await stage.cluster.delete(resources.secrets, { namespace: namespaceOf(service), name: from });
      await succeeded(provisioner.delete(service, { dataStores: "delete", confirmed: service }));
      await removeRuns(service);
    });

    test("an import that fails at any step is taken back in both databases, the service's first", async () => {
      const service = named("import-back");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(withDatabase(service), { onFailure: "hold" }));
      await secret(service);
      const before = await mark(service);
      const cases: readonly (readonly [StepId, number, readonly string[]])[] = [
        ["prove_source", 3, []],
        ["copy_source", 3, ["prove", "undo"]],
        ["close_source", 4, ["prove", "copy", "undo", "open", "undo"]],
        ["copy_closed", 3, ["prove", "copy", "close", "undo", "open", "undo"]],
        ["swap_database", 3, ["prove", "copy", "close", "final", "undo", "open", "undo"]],
        ["roll_pods", 2, ["prove", "copy", "close", "final", "swap", "undo", "open", "undo"]],
      ];
      for (const [step, write, expected] of cases) {
        const jobs: string[] = [];
        const broken = faulty(recording(jobs), { step, write, time: "before", times: 1 });
        const state = await (
          await made
            .provisioner({ cluster: broken })
            .importDatabase(service, from, { confirmed: service, onFailure: "rollback" })
        ).finished;
        expect([step, state.phase, state.failure?.step]).toEqual([step, "RolledBack", step]);
        expect([step, jobs]).toEqual([step, expected]);
        expect(await passing(service)).toEqual([]);
        expect(await mark(service)).toBe(before);
      }
      await stage.cluster.delete(resources.secrets, { namespace: namespaceOf(service), name: from });
      await succeeded(provisioner.delete(service, { dataStores: "delete", confirmed: service }));
      expect(await leftOf(service)).toEqual([]);
      await removeRuns(service);
    });
  });
}
