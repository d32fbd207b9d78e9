import { expect, test } from "vitest";
import { labels, migrationAnnotation, namespaceOf, type ServiceName } from "../../src/application/names.ts";
import type { KubeObject } from "../../src/cluster/object.ts";
import { resources } from "../../src/cluster/resource.ts";
import type { RunState } from "../../src/provisioning/runs/run.ts";
import { forwarding } from "./fault.ts";
import { named, onStage, type Stage, withDatabase } from "./telling.ts";

const image = (character: string) =>
  `registry.example.internal/platform/ledger@sha256:${character.repeat(64)}`;
const command = ["/bin/ledger", "migrate", "up"];

async function ended(run: Promise<{ readonly finished: Promise<RunState> }>): Promise<RunState> {
  return (await run).finished;
}

/** What a run says while it works, and at last. */
function said({ log, steps }: RunState): string {
  return JSON.stringify([log.map(({ line }) => line), steps.map(({ id, error }) => [id, error])]);
}

/**
 * What migrations promise in runs, told on the embedded cluster and on a real one alike.
 * @param fails - whether a program can fail here: on a real control plane nothing in a pod runs
 */
export function migrationStories(
  title: string,
  open: () => Promise<Stage>,
  { fails }: { readonly fails: boolean },
): void {
  onStage(title, open, ({ stage, made, leftOf, removeRuns }) => {
    const job = (service: ServiceName) => ({ namespace: namespaceOf(service), name: `${service}-migrate` });
    const deployment = (service: ServiceName) =>
      stage.cluster.get(resources.deployments, { namespace: namespaceOf(service), name: service });
    const runs = async (service: ServiceName) => JSON.stringify((await deployment(service)).spec);
    const migrating = (service: ServiceName, migrations: object | null) =>
      stage.cluster.patch(
        resources.applications,
        { namespace: namespaceOf(service), name: service },
        { type: "merge", body: { spec: { migrations } } },
      );
    const jobsOf = async (service: ServiceName) =>
      (await stage.cluster.list(resources.jobs, { namespace: namespaceOf(service) })).items;
    const deploy = (service: ServiceName, character: string, onFailure: "hold" | "rollback" = "hold") =>
      made
        .provisioner()
        .change(service, { operation: "deploy", image: image(character) }, { onFailure, dataStores: "keep" });
    const cleared = async (service: ServiceName) => {
      const run = made.provisioner().delete(service, { dataStores: "delete", confirmed: service });
      expect((await ended(run)).phase).toBe("Succeeded");
      expect(await leftOf(service)).toEqual([]);
      await removeRuns(service);
    };

    test("a migration is over before the Application knows of the image, and once it was run it is not run again", async () => {
      const service = named("migrate-first");
      await ended(made.provisioner().create(withDatabase(service), { onFailure: "hold" }));
      await migrating(service, { command });
      const seen: { readonly job: KubeObject; readonly image: boolean }[] = [];
      const watching = {
        ...forwarding(stage.cluster),
        create: async (...[resource, object, options]: Parameters<typeof stage.cluster.create>) => {
          if (resource.kind === "Job")
            seen.push({ job: object, image: (await runs(service)).includes("a".repeat(64)) });
          return stage.cluster.create(resource, object, options);
        },
      };
      const change = { operation: "deploy", image: image("a") } as const;
      const first = await ended(
        made
          .provisioner({ cluster: watching })
          .change(service, change, { onFailure: "hold", dataStores: "keep" }),
      );
      expect(first.phase, said(first)).toBe("Succeeded");
      expect(first.steps.map(({ id }) => id)).toContain("migrate");
      expect(seen).toHaveLength(1);
      expect(seen[0]?.image).toBe(false);
      expect(JSON.stringify(seen[0]?.job.spec)).toContain(JSON.stringify(command));
      expect(await jobsOf(service)).toEqual([]);
      const mark = (await deployment(service)).metadata.annotations?.[migrationAnnotation];
      expect(mark).toMatch(/^[0-9a-f]{16}$/);
      const application = await stage.cluster.get(resources.applications, {
        namespace: namespaceOf(service),
        name: service,
      });
      expect(application.metadata.annotations?.[migrationAnnotation]).toBe(mark);

      const provisioner = made.provisioner();
      const scaled = await ended(
        provisioner.change(
          service,
          { operation: "scale", replicas: 2 },
          { onFailure: "hold", dataStores: "keep" },
        ),
      );
      expect(scaled.steps.map(({ id }) => id)).not.toContain("migrate");
      expect((await ended(deploy(service, "b"))).phase).toBe("Succeeded");
      const back = { operation: "rollback", release: first.change?.release ?? 0 } as const;
      const { plan } = await provisioner.planChange(service, back, { dataStores: "keep" });
      expect(plan.steps.map(({ id }) => id)).not.toContain("migrate");
      expect(JSON.stringify(plan.steps[0]?.notes)).toContain("is not taken back");
      const reverted = await ended(
        provisioner.change(service, back, { onFailure: "hold", dataStores: "keep" }),
      );
      expect(reverted.phase, said(reverted)).toBe("Succeeded");
      expect((await deployment(service)).metadata.annotations?.[migrationAnnotation]).toBe(mark);
      await cleared(service);
    });

    test("whoever goes on with a run goes on with its migration, and nobody begins beside another's", async () => {
      const service = named("migrate-resumed");
      await ended(made.provisioner().create(withDatabase(service), { onFailure: "hold" }));
      await migrating(service, { command });
      const created: string[] = [];
      let lost = false;
      // The first engine loses its answers from the moment when its Job is there.
      const losing = {
        ...forwarding(stage.cluster),
        create: async (...[resource, object, options]: Parameters<typeof stage.cluster.create>) => {
          const made = await stage.cluster.create(resource, object, options);
          if (resource.kind === "Job") {
            created.push(made.metadata.uid ?? "");
            lost = true;
          }
          return made;
        },
        get: async (...args: Parameters<typeof stage.cluster.get>) => {
          if (lost && args[0].kind === "Job") throw new Error("a test's fault");
          return stage.cluster.get(...args);
        },
      };
      const change = { operation: "deploy", image: image("c") } as const;
      const held = await ended(
        made
          .provisioner({ cluster: losing })
          .change(service, change, { onFailure: "hold", dataStores: "keep" }),
      );
      expect(held.phase).toBe("Held");
      expect(await runs(service)).not.toContain("c".repeat(64));
      const resumed = await ended(made.provisioner().retry(held.name, { onFailure: "hold" }));
      expect(resumed.phase, said(resumed)).toBe("Succeeded");
      expect(said(resumed)).toContain("going on with the migration that this run has begun");
      expect(created).toHaveLength(1);
      expect(await jobsOf(service)).toEqual([]);
      await cleared(service);
    });

    test.runIf(fails)(
      "a migration that fails holds the release back, and is told by its last words",
      async () => {
        const service = named("migrate-fails");
        await ended(made.provisioner().create(withDatabase(service), { onFailure: "hold" }));
        expect((await ended(deploy(service, "d"))).phase).toBe("Succeeded");
        await migrating(service, { command, image: "registry.example.internal/platform/tools:crash" });
        const held = await ended(deploy(service, "e"));
        expect(held.phase).toBe("Held");
        expect(held.failure?.step).toBe("migrate");
        expect(said(held)).toContain("cannot start");
        expect(await runs(service)).toContain("d".repeat(64));
        const [left] = await jobsOf(service);
        expect(left?.metadata).toMatchObject({
          name: job(service).name,
          labels: { [labels.run]: held.name },
        });
        const preview = await made.provisioner().previewRollback(held.name, "keep");
        expect(JSON.stringify(preview.keeps)).toContain("what its migration changed in the database");
        const back = await ended(
          made.provisioner().rollback(held.name, { dataStores: "keep", confirmed: service }),
        );
        expect(back.phase, said(back)).toBe("RolledBack");
        expect(await jobsOf(service)).toEqual([]);
        expect(await runs(service)).toContain("d".repeat(64));

        await migrating(service, { command, image: "registry.example.internal/platform/missing:1" });
        const unstarted = await ended(deploy(service, "f", "rollback"));
        expect(unstarted.phase, said(unstarted)).toBe("RolledBack");
        expect(said(unstarted)).toContain("the migration did not begin: image");
        expect(await jobsOf(service)).toEqual([]);
        await cleared(service);
      },
    );
  });
}
