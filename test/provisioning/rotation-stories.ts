import { expect, test } from "vitest";
import { credentialsAnnotation, namespaceOf, type ServiceName } from "../../src/application/names.ts";
import { resources } from "../../src/cluster/resource.ts";
import type { RunState } from "../../src/provisioning/runs/run.ts";
import { loginIn, type Rotatable, secretValues } from "../../src/secrets/rotation.ts";
import { faulty } from "./fault.ts";
import { full, named, onStage, type Stage } from "./telling.ts";

const ends = { database: "db", cache: "cache" } as const;

async function succeeded(run: Promise<{ readonly finished: Promise<RunState> }>): Promise<RunState> {
  const state = await (await run).finished;
  expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
  return state;
}

/**
 * What a rotation promises of the objects of a service, told on the embedded cluster and on a real one alike. On both,
 * nothing in a pod runs: a Job is complete because it is said to be. What it does is proven on real servers, in
 * `test/sandbox/data-stores`.
 */
export function rotationStories(title: string, open: () => Promise<Stage>): void {
  onStage(title, open, ({ stage, made, leftOf, removeRuns }) => {
    const secret = (service: ServiceName, store: Rotatable, suffix = "") =>
      stage.cluster.get(resources.secrets, {
        namespace: namespaceOf(service),
        name: `${service}-${ends[store]}${suffix}`,
      });
    const mark = async (service: ServiceName) => {
      const ref = { namespace: namespaceOf(service), name: service };
      const { spec } = await stage.cluster.get(resources.deployments, ref);
      return new RegExp(`"${credentialsAnnotation}":"(\\w+)"`).exec(JSON.stringify(spec))?.[1];
    };
    /** What a rotation makes for its own time. */
    const passing = async (service: ServiceName) => {
      const namespace = namespaceOf(service);
      const lists = await Promise.all(
        [resources.jobs, resources.networkPolicies, resources.secrets].map((resource) =>
          stage.cluster.list(resource, { namespace }),
        ),
      );
      return lists
        .flatMap(({ items }) => items.map(({ metadata }) => metadata.name))
        .filter((name) => /-(enable|prove|revoke|next)(\.|$)/.test(name));
    };

    test("credentials take turns: secret and pods have the new ones, nothing else stays, and no value is told", async () => {
      const service = named("rotate-turns");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(full(service), { onFailure: "hold" }));
      for (const store of ["database", "cache"] as const) {
        const known = new Set<string>();
        const usernames: (string | undefined)[] = [];
        for (let turn = 0; turn < 2; turn++) {
          const before = { values: secretValues(await secret(service, store)), mark: await mark(service) };
          const state = await succeeded(provisioner.rotate(service, store, { onFailure: "hold" }));
          const after = secretValues(await secret(service, store));
          usernames.push(after.username);
          expect(after.password).not.toBe(before.values.password);
          expect(after.uri).toContain(`${after.username}:${after.password}@`);
          expect({ ...after, username: "", password: "", uri: "" }).toEqual({
            ...before.values,
            ...{ username: "", password: "", uri: "" },
          });
          expect(await mark(service)).not.toBe(before.mark);
          for (const values of [before.values, after]) known.add(values.password ?? "");
          expect(await passing(service)).toEqual([]);
          await expect(provisioner.previewRollback(state.name, "keep")).rejects.toThrow(
            "taken the old password away",
          );
        }
        const own = `app_${service.replaceAll("-", "_")}`;
        expect(usernames).toEqual([`${own}_2`, own]);
        // Neither values nor what PostgreSQL stores of them are in any journal.
        const runs = JSON.stringify(
          await stage.cluster.list(resources.runs, { namespace: "platform-system" }),
        );
        for (const value of known) expect(runs).not.toContain(value);
        expect(runs).not.toContain("SCRAM-SHA-256$4096");
      }
      await succeeded(provisioner.delete(service, { dataStores: "delete", confirmed: service }));
      expect(await leftOf(service)).toEqual([]);
      await removeRuns(service);
    });

    test("a rotation that fails at any step before the last goes back to the credentials that were", async () => {
      const service = named("rotate-back");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(full(service), { onFailure: "hold" }));
      const before = { secret: await secret(service, "database"), mark: await mark(service) };
      for (const [step, write] of [
        ["enable_credentials", 1],
        ["enable_credentials", 4],
        ["switch_credentials", 1],
        ["switch_credentials", 2],
        ["prove_credentials", 3],
      ] as const) {
        const broken = made.provisioner({
          cluster: faulty(stage.cluster, { step, write, time: "before", times: 1 }),
        });
        const failed = await (await broken.rotate(service, "database", { onFailure: "rollback" })).finished;
        expect([step, failed.phase, failed.failure?.step]).toEqual([step, "RolledBack", step]);
        expect((await secret(service, "database")).data).toEqual(before.secret.data);
        expect(await mark(service)).toBe(before.mark);
        expect(await passing(service)).toEqual([]);
      }
      await succeeded(provisioner.delete(service, { dataStores: "delete", confirmed: service }));
      await removeRuns(service);
    });

    test("a rotation that is held goes on with the same password, and once the old one is forgotten it is only finished", async () => {
      const service = named("rotate-held");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(full(service), { onFailure: "hold" }));
      const broken = (step: "switch_credentials" | "revoke_credentials", write: number) =>
        made.provisioner({ cluster: faulty(stage.cluster, { step, write, time: "before", times: 1 }) });
      const held = await (
        await broken("switch_credentials", 2).rotate(service, "cache", { onFailure: "hold" })
      ).finished;
      expect(held.phase).toBe("Held");
      const next = loginIn(await secret(service, "cache", "-next"));
      await expect(provisioner.rotate(service, "database", {})).rejects.toThrow("unfinished");
      await succeeded(provisioner.retry(held.name, { onFailure: "hold" }));
      expect(loginIn(await secret(service, "cache"))).toEqual(next);

      // The password is gone, its Job is not done: an automatic rollback has nothing to go back to.
      const late = await (
        await broken("revoke_credentials", 2).rotate(service, "cache", { onFailure: "rollback" })
      ).finished;
      expect([late.phase, late.failure?.step]).toEqual(["Held", "revoke_credentials"]);
      await expect(provisioner.rollback(late.name, { dataStores: "keep" })).rejects.toThrow(
        "taken the old password away",
      );
      const changed = await secret(service, "cache");
      await succeeded(provisioner.retry(late.name, { onFailure: "hold" }));
      expect((await secret(service, "cache")).data).toEqual(changed.data);
      expect(await passing(service)).toEqual([]);
      await succeeded(provisioner.delete(service, { dataStores: "delete", confirmed: service }));
      await removeRuns(service);
    });

    test("what cannot take turns is refused, and nothing is written", async () => {
      const service = named("rotate-odd");
      const provisioner = made.provisioner();
      await succeeded(provisioner.create(full(service), { onFailure: "hold" }));
      const { metadata } = await secret(service, "database");
      const odd = Buffer.from("somebody").toString("base64");
      const ref = { namespace: namespaceOf(service), name: metadata.name };
      await stage.cluster.patch(resources.secrets, ref, { type: "merge", body: { data: { username: odd } } });
      const runs = (await provisioner.list({ service })).length;
      await expect(provisioner.rotate(service, "database", {})).rejects.toThrow("names neither");
      expect((await provisioner.list({ service })).length).toBe(runs);
      await expect(provisioner.rotate(named("rotate-none"), "database", {})).rejects.toThrow("no service");
      await succeeded(provisioner.delete(service, { dataStores: "delete", confirmed: service }));
      await removeRuns(service);
    });
  });
}
