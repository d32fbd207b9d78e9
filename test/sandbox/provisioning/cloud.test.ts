import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { resources } from "../../../src/cluster/resource.ts";
import { cloudStoreIn } from "../../../src/provisioning/data-stores/cloud-store.ts";
import { type CloudStage, cloudStage, cloudStandards } from "../../provisioning/cloud-stage.ts";
import { testStandards } from "../../provisioning/composition.ts";
import { faulty } from "../../provisioning/fault.ts";
import { named, whole, withDatabase } from "../../provisioning/telling.ts";
import type { Call } from "../../terraform/provider/provider.ts";
import { terraform } from "../../terraform/stage.ts";

describe.skipIf(terraform === undefined)("data stores outside of the cluster", { timeout: 240_000 }, () => {
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

  const created = async (service: ReturnType<typeof named>) => {
    const execution = await stage.provisioner().create(withDatabase(service), { onFailure: "hold" });
    const state = await execution.finished;
    expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
    return state;
  };
  const instanceOf = async (service: string, store: "db" | "cache" = "db") => {
    const ref = { namespace: `app-${service}`, name: `${service}-${store}` };
    const record = await stage.cluster.get(resources.configMaps, ref);
    return cloudStoreIn({ ...record, kind: "ConfigMap" })?.variables.name ?? "";
  };

  test("a service gets both, with what its pods need to reach them, and nothing of them in the cluster", async () => {
    const service = named("cloud-full");
    const provisioner = stage.provisioner();
    const state = await (await provisioner.create(whole(service), { onFailure: "hold" })).finished;
    expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
    const database = await stage.secret(service, "db");
    expect(database).toMatchObject({
      host: "10.20.0.3",
      port: "5432",
      database: `app_${service.replaceAll("-", "_")}`,
      uri: expect.stringContaining("sslmode=require"),
      "ca.crt": expect.stringContaining("CERTIFICATE"),
    });
    const instance = await instanceOf(service);
    expect(stage.cloud.login(instance, database.username ?? "", database.password ?? "")).toBe(true);
    const cache = await stage.secret(service, "cache");
    const redis = stage.cloud.of("google_redis_instance").get(await instanceOf(service, "cache"));
    expect(cache).toMatchObject({ port: "6378", username: "default", password: redis?.auth_string });
    expect(cache.uri).toMatch(/^rediss:/);
    const namespace = `app-${service}`;
    expect((await stage.cluster.list(resources.statefulSets, { namespace })).items).toEqual([]);
    const policy = await stage.cluster.get(resources.networkPolicies, { namespace, name: "to-database" });
    expect(policy.spec).toMatchObject({
      egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }], ports: [{ port: 5432 }] }],
    });
    // Terraform has the last word.
    const verified = state.steps.find(({ id }) => id === "verify");
    expect(verified?.summary).toContain("database as planned, cache as planned");

    await expect(provisioner.delete(service, { dataStores: "delete" })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("protected against deletion"),
    });
    const preview = await provisioner.previewRollback(state.name, "delete");
    expect(preview.protectedStores).toEqual([`${service}-db`, `${service}-cache`]);
    await expect(provisioner.rollback(state.name, { dataStores: "delete" })).rejects.toMatchObject({
      kind: "usage",
    });
    const back = await provisioner.rollback(state.name, { dataStores: "delete", confirmed: service });
    expect((await back.finished).phase, JSON.stringify(back.state.steps)).toBe("RolledBack");
    expect(await stage.leftOf(service)).toEqual([]);
    expect(stage.cloud.finalBackups).toContain(instance);
  });

  test("what was kept is used again, and goes when somebody names the service", async () => {
    const service = named("cloud-kept");
    await created(service);
    const provisioner = stage.provisioner();
    const [instance, secret] = [await instanceOf(service), await stage.secret(service, "db")];
    const kept = await (await provisioner.delete(service, { dataStores: "keep-used" })).finished;
    expect(kept.phase).toBe("Succeeded");
    expect(stage.instances()).toContain(instance);
    const found = await provisioner.orphans.find({ service });
    expect(found.found.map(({ state }) => state)).not.toContain("orphan");

    const elsewhere = stage.provisioner({ standards: testStandards });
    await expect(elsewhere.create(withDatabase(service), { onFailure: "hold" })).rejects.toMatchObject({
      message: expect.stringContaining("runs as Cloud SQL"),
    });
    const again = await created(service);
    expect(await instanceOf(service)).toBe(instance);
    expect(await stage.secret(service, "db")).toEqual(secret);
    // That run has not made it.
    const undone = await provisioner.rollback(again.name, { dataStores: "delete", confirmed: service });
    expect((await undone.finished).phase).toBe("RolledBack");
    expect(stage.instances()).toContain(instance);

    const gone = await provisioner.delete(service, { dataStores: "delete", confirmed: service });
    expect((await gone.finished).phase, JSON.stringify(gone.state.failure)).toBe("Succeeded");
    expect(await stage.leftOf(service)).toEqual([]);
  });

  test("a database that is taken out of a service goes, and the next one has another name", async () => {
    const service = named("cloud-set");
    await created(service);
    const provisioner = stage.provisioner();
    const first = await instanceOf(service);
    const set = (database: "none" | "postgres") =>
      provisioner.change(
        service,
        { operation: "set", database },
        { dataStores: database === "none" ? "delete" : "keep", confirmed: service, onFailure: "hold" },
      );
    const dropped = await (await set("none")).finished;
    expect(dropped.phase, JSON.stringify(dropped.failure)).toBe("Succeeded");
    expect(stage.instances()).not.toContain(first);
    const added = await (await set("postgres")).finished;
    expect(added.phase, JSON.stringify(added.failure)).toBe("Succeeded");
    expect(await instanceOf(service)).not.toBe(first);
    const gone = await provisioner.delete(service, { dataStores: "delete", confirmed: service });
    expect((await gone.finished).phase).toBe("Succeeded");
    expect(await stage.leftOf(service)).toEqual([]);
  });

  test("one that nothing accounts for any more is told, and removed by who names the service", async () => {
    const service = named("cloud-orphan");
    const made = await created(service);
    const provisioner = stage.provisioner();
    const kept = await (await provisioner.delete(service, { dataStores: "keep-used" })).finished;
    expect(kept.phase).toBe("Succeeded");
    // Nobody knows any more why it was kept.
    for (const name of [made.name, kept.name]) {
      await stage.cluster.delete(resources.runs, { namespace: "platform-system", name });
    }
    const { found } = await provisioner.orphans.find({ service });
    const [place] = found.filter(({ name }) => name === `namespace/app-${service}`);
    expect(place).toMatchObject({ state: "orphan", data: [`cloudsql of ${service}-db`], protected: true });
    const [plan] = await provisioner.orphans.planDelete([`namespace/app-${service}`]);
    if (plan === undefined) throw new Error("no plan");
    await expect(provisioner.orphans.delete(plan)).rejects.toMatchObject({ kind: "usage" });
    const cleaned = await provisioner.orphans.delete(plan, { confirmed: service });
    expect((await cleaned.finished).phase, JSON.stringify(cleaned.state.failure)).toBe("Succeeded");
    expect(await stage.leftOf(service)).toEqual([]);
  });

  test("a creation that fails later on takes back what nobody has used", async () => {
    const service = named("cloud-unused");
    const cluster = faulty(stage.cluster, { step: "apply_kubernetes", write: 1, time: "before" });
    const execution = await stage.provisioner({ cluster }).create(whole(service), { onFailure: "rollback" });
    const state = await execution.finished;
    expect(state.phase, JSON.stringify(state.steps.map(({ error }) => error))).toBe("RolledBack");
    expect(await stage.leftOf(service)).toEqual([]);
  });

  test("External Secrets Operator is not asked for what it does not make, and the plan says so", async () => {
    const standards = {
      ...cloudStandards,
      secrets: { store: "external-secrets", clusterSecretStore: "not-there" } as const,
    };
    const { plan } = await stage.provisioner({ standards }).planCreate(whole(named("cloud-eso")));
    const [preflight] = plan.steps;
    expect(preflight?.notes).toContainEqual(
      expect.stringContaining(
        "in the cluster alone: that of the database and the cache is in the service's Secret",
      ),
    );
    const mixed = { ...standards, cache: { ...standards.cache, provider: "in-cluster" as const } };
    const refused = stage.provisioner({ standards: mixed }).planCreate(whole(named("cloud-eso")));
    await expect(refused).rejects.toMatchObject({
      message: expect.stringContaining("no ClusterSecretStore not-there"),
    });
  });

  test("a machine that Google's edition does not know is refused before anything is written", async () => {
    const cloudsql = { ...cloudStandards.database.cloudsql, edition: "ENTERPRISE_PLUS" as const };
    const standards = { ...cloudStandards, database: { ...cloudStandards.database, cloudsql } };
    const refused = stage.provisioner({ standards }).planCreate(withDatabase(named("cloud-plus")));
    await expect(refused).rejects.toMatchObject({
      message: expect.stringContaining("knows no custom machine types, such as db-custom-1-3840"),
    });
  });

  test("the plan tells what Terraform will do, and makes nothing", async () => {
    const service = named("cloud-plan");
    const { plan, manifests } = await stage.provisioner().planCreate(withDatabase(service));
    const step = plan.steps.find(({ id }) => id === "provision_database");
    expect(step?.notes).toEqual([
      "Cloud SQL in project acme-prod, us-central1",
      "Terraform: make google_sql_database.this",
      "Terraform: make google_sql_database_instance.this",
      "Terraform: make google_sql_user.this",
    ]);
    expect(JSON.stringify(manifests)).toContain("(generated)");
    expect(await stage.leftOf(service)).toEqual([]);
  });

  test("a removal that Google refuses is held, and a retry ends it", async () => {
    const service = named("cloud-stuck");
    await created(service);
    let failed = false;
    stage.meet((call: Call) => {
      if (failed || call.type !== "google_sql_database_instance" || call.action !== "delete")
        return undefined;
      failed = true;
      return { at: "before", message: "googleapi: Error 400: Invalid request: a test's fault., invalid" };
    });
    const provisioner = stage.provisioner();
    const held = await (await provisioner.delete(service, { dataStores: "delete", confirmed: service }))
      .finished;
    expect(held.phase).toBe("Held");
    // What says where it is, and its password, are there as long as it is.
    expect(await instanceOf(service)).not.toBe("");
    await expect(
      provisioner.rollback(held.name, { dataStores: "keep" }),
      "nobody can tell how far it came",
    ).rejects.toMatchObject({ kind: "usage" });
    const done = await (await provisioner.retry(held.name, { onFailure: "hold" })).finished;
    expect(done.phase, JSON.stringify(done.failure)).toBe("Succeeded");
    expect(await stage.leftOf(service)).toEqual([]);
  });

  test("the password stands nowhere but in the service's Secret", async () => {
    const service = named("cloud-secret");
    const told: string[] = [];
    const execution = await stage.provisioner().create(whole(service), { onFailure: "hold" });
    execution.subscribe((event) => told.push(JSON.stringify(event)));
    const state = await execution.finished;
    expect(state.phase).toBe("Succeeded");
    const passwords = [
      (await stage.secret(service, "db")).password ?? "",
      (await stage.secret(service, "cache")).password ?? "",
    ];
    const run = await stage.cluster.get(resources.runs, { namespace: "platform-system", name: state.name });
    const log: string[] = [];
    for await (const { line } of stage.provisioner().logs(state.name)) log.push(line);
    const texts = [...told, ...log, JSON.stringify([state, run])];
    for (const form of passwords.flatMap((password) => [
      password,
      Buffer.from(password).toString("base64"),
    ])) {
      expect(form).not.toBe("");
      expect(texts.filter((text) => text.includes(form))).toEqual([]);
    }
    expect([...stage.cloud.everPasswords]).toEqual(expect.arrayContaining(passwords));
    expect(await stage.passwordsTold()).toEqual([]);
    const gone = await stage.provisioner().delete(service, { dataStores: "delete", confirmed: service });
    expect((await gone.finished).phase).toBe("Succeeded");
    expect(await stage.leftOf(service)).toEqual([]);
  });
});
