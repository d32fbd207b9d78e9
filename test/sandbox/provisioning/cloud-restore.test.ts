import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { credentialsAnnotation, type ServiceName } from "../../../src/application/names.ts";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { recordedStores } from "../../../src/provisioning/data-stores/known-store.ts";
import type { Provisioner } from "../../../src/provisioning/provisioner.ts";
import type { RunState } from "../../../src/provisioning/runs/run.ts";
import { type CloudStage, cloudStage } from "../../provisioning/cloud-stage.ts";
import { testStandards } from "../../provisioning/composition.ts";
import { faulty, forwarding } from "../../provisioning/fault.ts";
import { named, withDatabase } from "../../provisioning/telling.ts";
import { terraform } from "../../terraform/stage.ts";

const instances = "google_sql_database_instance";

describe.skipIf(terraform === undefined)("restores to a moment", { timeout: 240_000 }, () => {
  let stage: CloudStage;
  beforeAll(async () => {
    stage = await cloudStage();
  });
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    expect(await stage.passwordsTold()).toEqual([]);
  });

  async function succeeded(run: ReturnType<Provisioner["restore"]>): Promise<RunState> {
    const state = await (await run).finished;
    expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
    return state;
  }
  const created = (service: ServiceName) =>
    succeeded(stage.provisioner().create(withDatabase(service), { onFailure: "hold" }));
  const restored = (service: ServiceName, by: Provisioner = stage.provisioner()) =>
    by.restore(service, { toTime: new Date().toISOString() }, { onFailure: "rollback", confirmed: service });
  const gone = async (service: ServiceName) => {
    await succeeded(stage.provisioner().delete(service, { dataStores: "delete", confirmed: service }));
    expect(await stage.leftOf(service)).toEqual([]);
  };
  /** The instance that is used, then those beside it. */
  const recorded = async (service: ServiceName) =>
    (await recordedStores(stage.cluster, `app-${service}`, [`${service}-db`])).map(
      ({ variables }) => variables.name,
    );
  const there = (service: ServiceName) =>
    stage.instances().filter((name) => name.startsWith(service.slice(0, 28)));
  const besideIn = async (service: ServiceName) => {
    const { items } = await stage.cluster.list(resources.configMaps, { namespace: `app-${service}` });
    const name = items
      .map(({ metadata }) => metadata.name)
      .find((each) => each.startsWith(`${service}-db-r`));
    return `app-${service}/configmap/${name ?? ""}`;
  };
  const mark = async (service: ServiceName) => {
    const ref = { namespace: `app-${service}`, name: service };
    const { spec } = await stage.cluster.get(resources.deployments, ref);
    return new RegExp(`"${credentialsAnnotation}":"(\\w+)"`).exec(JSON.stringify(spec))?.[1];
  };

  test("the service uses another instance, the old one stays, and whoever comes later knows both", async () => {
    const service = named("cloud-pitr");
    await created(service);
    const [old = ""] = await recorded(service);
    const before = { secret: await stage.secret(service, "db"), mark: await mark(service) };
    const toTime = new Date().toISOString();
    const { plan, stores } = await stage.provisioner().planBackup(service, { toTime });
    expect(plan.steps.map(({ id }) => id)).toEqual([
      "preflight",
      "clone_database",
      "prove_clone",
      "switch_instance",
    ]);
    expect(plan.steps.flatMap(({ notes }) => notes)).toContain(
      "Terraform: make google_sql_database_instance.this",
    );
    expect(stores?.map(({ provider }) => provider)).toEqual(["cloudsql"]);
    expect(there(service)).toEqual([old]);

    const run = await succeeded(
      stage.provisioner().restore(service, { toTime }, { onFailure: "hold", confirmed: service }),
    );
    const [now = "", ...beside] = await recorded(service);
    expect(now).not.toBe(old);
    expect(beside).toEqual([old]);
    expect(there(service).sort()).toEqual([now, old].sort());
    expect(stage.cloud.of(instances).get(now)).toMatchObject({
      deletion_protection: true,
      settings: [{ deletion_protection_enabled: true }],
    });
    const after = await stage.secret(service, "db");
    expect(after).toEqual({
      ...before.secret,
      host: "10.20.0.4",
      uri: before.secret.uri?.replace("10.20.0.3", "10.20.0.4"),
    });
    expect(stage.cloud.login(now, after.username ?? "", after.password ?? "")).toBe(true);
    expect(await mark(service)).not.toBe(before.mark);
    const cutOver = run.steps.find(({ id }) => id === "switch_instance");
    expect(cutOver?.warnings.join()).toContain(`platform orphans delete ${await besideIn(service)}`);
    expect(cutOver?.warnings.join()).toContain(old);
    const journal = await stage.cluster.get(resources.runs, { namespace: "platform-system", name: run.name });
    for (const form of [after.password ?? "", Buffer.from(after.password ?? "").toString("base64")]) {
      expect(JSON.stringify(journal)).not.toContain(form);
    }

    const { found } = await stage.provisioner().orphans.find({ service });
    expect(found.map(({ state }) => state)).not.toContain("orphan");
    expect(found.find(({ name }) => name.includes("/configmap/"))).toMatchObject({
      state: "kept",
      protected: true,
      data: [expect.stringContaining("cloudsql of")],
    });
    // Another one, of the one that is used now.
    await succeeded(restored(service));
    const [newest, ...older] = await recorded(service);
    expect(older.sort()).toEqual([now, old].sort());
    expect([now, old]).not.toContain(newest);
    await gone(service);
  });

  test("the old instance goes when somebody names it and the service, and nothing else does", async () => {
    const service = named("cloud-old");
    await created(service);
    const [old = ""] = await recorded(service);
    // The service has the login that Terraform knows nothing of: only the other one can be given a password.
    const turned = { username: "another", password: "of-another" };
    await stage.cluster.patch(
      resources.secrets,
      { namespace: `app-${service}`, name: `${service}-db` },
      {
        type: "merge",
        body: {
          data: Object.fromEntries(
            Object.entries(turned).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
          ),
        },
      },
    );
    await succeeded(restored(service));
    const own = await stage.secret(service, "db");
    expect(own.username).toBe(`app_${service.replaceAll("-", "_")}`);
    expect(own.password).not.toBe(turned.password);
    expect(own.uri).toContain(`${own.username}:${own.password}@10.20.0.4`);
    const [used = ""] = await recorded(service);
    expect(stage.cloud.login(used, own.username ?? "", own.password ?? "")).toBe(true);
    const provisioner = stage.provisioner();
    const [plan] = await provisioner.orphans.planDelete([await besideIn(service)]);
    if (plan === undefined) throw new Error("no plan");
    expect(plan.takesAlong).toEqual([expect.stringContaining("secret/")]);
    await expect(provisioner.orphans.delete(plan)).rejects.toMatchObject({ kind: "usage" });
    await succeeded(provisioner.orphans.delete(plan, { confirmed: service }));
    const [now] = await recorded(service);
    expect(there(service)).toEqual([now]);
    expect(stage.cloud.finalBackups).toContain(old);
    const { found } = await provisioner.orphans.find({ service });
    expect(found).toEqual([]);
    await gone(service);
  });

  test("a restore is taken back: the service has its old instance, and the new one is kept, or ends where somebody says so", async () => {
    for (const dataStores of ["keep-used", "delete"] as const) {
      const service = named("cloud-back");
      await created(service);
      const before = await stage.secret(service, "db");
      const [old = ""] = await recorded(service);
      const run = await succeeded(restored(service));
      const [other = ""] = await recorded(service);
      const provisioner = stage.provisioner();
      const preview = await provisioner.previewRollback(run.name, dataStores);
      expect(preview.destroysData).toBe(dataStores === "delete");
      if (dataStores === "delete") {
        await expect(provisioner.rollback(run.name, { dataStores })).rejects.toMatchObject({ kind: "usage" });
      }
      const back = await provisioner.rollback(run.name, { dataStores, confirmed: service });
      expect((await back.finished).phase, JSON.stringify(back.state.steps)).toBe("RolledBack");
      expect(await stage.secret(service, "db")).toEqual(before);
      expect(await recorded(service)).toEqual(dataStores === "delete" ? [old] : [old, other]);
      expect(there(service).sort()).toEqual((dataStores === "delete" ? [old] : [old, other]).sort());
      const { found } = await provisioner.orphans.find({ service });
      expect(found.map(({ state }) => state)).not.toContain("orphan");
      await gone(service);
    }
  });

  test("a cut-over that fails points back, and ends the new instance", async () => {
    const service = named("cloud-cut");
    await created(service);
    const before = { secret: await stage.secret(service, "db"), mark: await mark(service) };
    const [old = ""] = await recorded(service);
    // Half of what the records say; the Secret; the pods.
    for (const write of [1, 4, 5]) {
      const cluster = faulty(stage.cluster, { step: "switch_instance", write, time: "after", times: 1 });
      const state = await (await restored(service, stage.provisioner({ cluster }))).finished;
      expect(state.phase, JSON.stringify(state.steps.map(({ error }) => error))).toBe("RolledBack");
      expect({ secret: await stage.secret(service, "db"), mark: await mark(service) }).toEqual(before);
      expect(await recorded(service)).toEqual([old]);
      expect(there(service)).toEqual([old]);
    }
    await gone(service);
  });

  test("moments that nobody can bring back are refused, and nothing is written", async () => {
    const service = named("cloud-when");
    await created(service);
    const provisioner = stage.provisioner();
    const runs = (await provisioner.list({ service })).length;
    const to = (time: Date | string) =>
      provisioner.restore(
        service,
        { toTime: typeof time === "string" ? time : time.toISOString() },
        { confirmed: service },
      );
    const usage = (message: string) => ({ kind: "usage", message: expect.stringContaining(message) });
    await expect(to(new Date(Date.now() + 3_600_000))).rejects.toMatchObject(usage("has not been yet"));
    await expect(to(new Date(Date.now() - 3_600_000))).rejects.toMatchObject(usage("was made"));
    await expect(to("2026-99-99T00:00:00Z")).rejects.toMatchObject(usage("is no time"));
    await expect(provisioner.restore(service, "backup-7k2mp", { confirmed: service })).rejects.toMatchObject(
      usage("to a moment"),
    );
    await expect(
      provisioner.restore(service, { toTime: new Date().toISOString() }, {}),
    ).rejects.toMatchObject(usage("only who names the service"));
    expect((await provisioner.list({ service })).length).toBe(runs);
    await gone(service);

    const here = named("cloud-here");
    const inCluster = stage.provisioner({ standards: testStandards });
    await succeeded(inCluster.create(withDatabase(here), { onFailure: "hold" }));
    await expect(restored(here, inCluster)).rejects.toMatchObject(usage("from a backup"));
    await succeeded(inCluster.delete(here, { dataStores: "delete", confirmed: here }));
  });

  test("what Google refuses is taken back, and the service is as it was", async () => {
    const service = named("cloud-logs");
    await created(service);
    const [old = ""] = await recorded(service);
    stage.cloud.logsSince = new Date(Date.now() + 86_400_000);
    const state = await (await restored(service)).finished;
    stage.cloud.logsSince = new Date(0);
    expect(state.phase).toBe("RolledBack");
    expect(state.failure?.error.message).toContain("point in time");
    expect(there(service)).toEqual([old]);
    await gone(service);
  });

  test("what is migrated is the new instance, before the service uses it", async () => {
    const service = named("cloud-migrate");
    const provisioner = stage.provisioner();
    await created(service);
    const ref = { namespace: `app-${service}`, name: service };
    await stage.cluster.patch(resources.applications, ref, {
      type: "merge",
      body: { spec: { migrations: { command: ["/bin/ledger", "migrate"] } } },
    });
    const image = `registry.example.internal/platform/ledger@sha256:${"a".repeat(64)}`;
    const how = { onFailure: "hold", dataStores: "keep" } as const;
    await succeeded(provisioner.change(service, { operation: "deploy", image }, how));
    const seen: { readonly job: string; readonly host: string | undefined }[] = [];
    const cluster: Cluster = {
      ...forwarding(stage.cluster),
      async create(resource, object, options) {
        if (object.metadata.name === `${service}-migrate`) {
          seen.push({ job: JSON.stringify(object), host: (await stage.secret(service, "db")).host });
        }
        return stage.cluster.create(resource, object, options);
      },
    };
    const state = await succeeded(restored(service, stage.provisioner({ cluster })));
    expect(seen).toEqual([{ job: expect.stringContaining(`"${service}-db-r`), host: "10.20.0.3" }]);
    expect(seen[0]?.job).not.toContain(`"name":"${service}-db"`);
    expect(state.steps.map(({ id }) => id)).toEqual([
      "preflight",
      "clone_database",
      "prove_clone",
      "migrate",
      "switch_instance",
    ]);
    await gone(service);
  });
});
