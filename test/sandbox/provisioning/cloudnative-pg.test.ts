import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { applicationFor } from "../../../src/application/from-request.ts";
import { databasesNamespace, namespaceOf } from "../../../src/application/names.ts";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { newCloudStore } from "../../../src/provisioning/data-stores/cloud-store.ts";
import { cloudNativePgStores } from "../../../src/provisioning/data-stores/cloudnative-pg.ts";
import { loginOfCluster } from "../../../src/provisioning/data-stores/postgres-cluster.ts";
import { secretValues } from "../../../src/secrets/rotation.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";
import { composition, impatient, testStandards } from "../../provisioning/composition.ts";
import { forwarding } from "../../provisioning/fault.ts";
import {
  openPostgresStage,
  type PostgresStage,
  postgresStandards,
} from "../../provisioning/postgres-stage.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";
import { named, withDatabase } from "../../provisioning/telling.ts";

describe("a database that CloudNativePG runs", { timeout: 240_000 }, () => {
  let stage: PostgresStage;
  beforeAll(async () => {
    stage = await openPostgresStage();
  });
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
  });
  const created = async (prefix: string) => {
    const service = named(prefix);
    const execution = await stage.provisioner().create(withDatabase(service), { onFailure: "hold" });
    const state = await execution.finished;
    expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
    return { service, state };
  };
  const inPlace = (name: string) => ({ namespace: databasesNamespace, name });

  test("is elsewhere than its service, opens by what its pods read, and goes without a trace", async () => {
    const { service, state } = await created("pg-full");
    const [name = ""] = await stage.clustersOf(service);
    expect(name.length).toBeLessThanOrEqual(50);
    const namespace = namespaceOf(service);
    const ref = { namespace, name: `${service}-db` };
    const values = secretValues(await stage.cluster.get(resources.secrets, ref));
    const host = `${name}-rw.${databasesNamespace}.svc`;
    expect(values).toMatchObject({ host, port: "5432", "ca.crt": expect.stringContaining("simulated") });
    expect(values.uri).toContain("?sslmode=require");
    const login = await stage.loginOf(name);
    expect(login).toEqual({ username: values.username, password: values.password });
    const there = await stage.cluster.get(resources.postgresClusters, inPlace(name));
    expect(there.spec).toMatchObject({
      enableSuperuserAccess: false,
      bootstrap: { initdb: { database: values.database, owner: values.username } },
    });
    expect(state.steps.find(({ id }) => id === "verify")?.summary).toContain("database as planned");
    const run = await stage.cluster.get(resources.runs, { namespace: "platform-system", name: state.name });
    expect(JSON.stringify(run)).not.toContain(values.password);
    // Nothing that CloudNativePG makes is in the service's namespace.
    expect((await stage.cluster.list(resources.persistentVolumeClaims, { namespace })).items).toEqual([]);

    const provisioner = stage.provisioner();
    const gone = await provisioner.delete(service, { dataStores: "delete", confirmed: service });
    expect((await gone.finished).phase, JSON.stringify(gone.state.failure)).toBe("Succeeded");
    expect(await stage.leftOf(service)).toEqual([]);
  });

  test("one that somebody changed is told as not planned, and is left as it is", async () => {
    const service = named("pg-drift");
    const made = await stage.provisioner().create(withDatabase(service), { onFailure: "hold" });
    expect((await made.finished).phase).toBe("Succeeded");
    const [name = ""] = await stage.clustersOf(service);
    const body = { spec: { instances: 2, storage: { size: "30Gi" } } };
    await stage.cluster.patch(resources.postgresClusters, inPlace(name), { type: "merge", body });
    const provisioner = stage.provisioner();
    const kept = await (await provisioner.delete(service, { dataStores: "keep-used" })).finished;
    expect(kept.phase, JSON.stringify(kept.failure)).toBe("Succeeded");
    const again = await provisioner.create(withDatabase(service), { onFailure: "hold" });
    const state = await again.finished;
    expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
    expect(await stage.cluster.get(resources.postgresClusters, inPlace(name))).toMatchObject(body);
    const warnings = state.steps.flatMap((step) => step.warnings ?? []).join("\n");
    expect(warnings).toContain("spec.instances: 2 → 1");
    expect(warnings).toContain('spec.storage.size: "30Gi" → "10Gi"');
  });

  test("without what says that it is a service's it is an orphan, and goes by its name", async () => {
    const { service } = await created("pg-orphan");
    const [name = ""] = await stage.clustersOf(service);
    const provisioner = stage.provisioner();
    expect((await provisioner.orphans.find({ service })).found).toEqual([]);
    await stage.cluster.delete(resources.configMaps, {
      namespace: namespaceOf(service),
      name: `${service}-db`,
    });
    const { found } = await provisioner.orphans.find({ service });
    expect(found).toMatchObject([
      { name: `${databasesNamespace}/cluster/${name}`, state: "orphan", data: [`database ${name}`] },
    ]);
    const [plan] = await provisioner.orphans.planDelete(found.map((orphan) => orphan.name));
    if (plan === undefined) throw new Error("nothing is planned");
    const run = await provisioner.orphans.delete(plan, { confirmed: service });
    expect((await run.finished).phase, JSON.stringify(run.state.failure)).toBe("Succeeded");
    expect(await stage.clustersOf(service)).toEqual([]);
    await expect
      .poll(async () => (await stage.leftOf(service)).filter((key) => key.includes(databasesNamespace)))
      .toEqual([]);
  });

  test("what nothing else would do is refused, with who does it", async () => {
    const { service } = await created("pg-refused");
    const [name = ""] = await stage.clustersOf(service);
    const provisioner = stage.provisioner();
    const options = { onFailure: "hold" } as const;
    await expect(provisioner.rotate(service, "database", options)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("CloudNativePG runs the database"),
      mend: expect.stringContaining("in both Secrets"),
    });
    await expect(provisioner.backup(service, options)).rejects.toMatchObject({
      kind: "usage",
      mend: expect.stringContaining(`kubectl cnpg backup ${name} -n ${databasesNamespace}`),
    });
    // No snapshot is taken there, so where one is demanded nothing is destroyed.
    const demanding = standardsSchema.parse({ ...postgresStandards, dataStores: { snapshot: "required" } });
    await expect(
      stage
        .provisioner({ standards: demanding })
        .delete(service, { dataStores: "delete", confirmed: service }),
    ).rejects.toMatchObject({ kind: "refused", message: expect.stringContaining("CloudNativePG") });
    expect(await stage.clustersOf(service)).toEqual([name]);
  });

  test("one that CloudNativePG gives up is told in its words, and taken back whole", async () => {
    const service = named("pg-broken");
    const phase = "Cluster is unrecoverable and needs manual intervention";
    const status = { phase, phaseReason: "no space left" };
    const cluster: Cluster = {
      ...forwarding(stage.cluster),
      async get(resource, ref, options) {
        const object = await stage.cluster.get(resource, ref, options);
        return resource === resources.postgresClusters ? { ...object, status } : object;
      },
    };
    const provisioner = stage.provisioner({ cluster });
    const run = await provisioner.create(withDatabase(service), { onFailure: "rollback" });
    const state = await run.finished;
    expect(state.phase, JSON.stringify(state.failure)).toBe("RolledBack");
    expect(state.failure?.error.message).toContain(`${phase}: no space left`);
    expect(await stage.leftOf(service)).toEqual([]);
  });
});

describe("where CloudNativePG cannot run a database", { timeout: 240_000 }, () => {
  test("nothing is begun, and what is missing is named", async () => {
    const stage = await sandboxStage();
    onTestFinished(() => stage.close());
    const made = await composition(stage.cluster);
    onTestFinished(() => made.close());
    const cloud = cloudNativePgStores({ cluster: stage.cluster, clock: impatient, readyWithinMs: 1_000 });
    const provisioner = made.provisioner({ cloud, standards: postgresStandards });
    await expect(
      provisioner.create(withDatabase(named("pg-none")), { onFailure: "hold" }),
    ).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining("the cluster does not serve clusters.postgresql.cnpg.io, version v1"),
    });
  });

  test("a database that was kept elsewhere is not shadowed by a new one", async () => {
    const stage = await openPostgresStage();
    onTestFinished(() => stage[Symbol.asyncDispose]());
    const service = named("pg-moved");
    const inCluster = stage.provisioner({ standards: testStandards });
    await (await inCluster.create(withDatabase(service), { onFailure: "hold" })).finished;
    await (await inCluster.delete(service, { dataStores: "keep-used" })).finished;
    await expect(
      stage.provisioner().create(withDatabase(service), { onFailure: "hold" }),
    ).rejects.toMatchObject({ message: expect.stringContaining("have new ones run by CloudNativePG") });
    expect(await stage.clustersOf(service)).toEqual([]);
  });

  test("somebody else's Secret of its name is left as it is", async () => {
    const stage = await openPostgresStage();
    onTestFinished(() => stage[Symbol.asyncDispose]());
    const application = applicationFor(withDatabase(named("pg-taken")), postgresStandards);
    const store = newCloudStore(application, postgresStandards, "database", "one");
    const ref = { namespace: databasesNamespace, name: loginOfCluster(store.variables.name) };
    const theirs = { apiVersion: "v1", kind: "Secret", metadata: ref, data: {} };
    await stage.cluster.create(resources.secrets, theirs);
    const work = { run: "test", signal: new AbortController().signal, log: () => {} };
    await expect(stage.stores.ensure(store, "p", work)).rejects.toMatchObject({
      class: "conflict",
      message: expect.stringContaining("it was left as it is"),
    });
    await stage.stores.remove(store, "unused", work);
    expect(secretValues(await stage.cluster.get(resources.secrets, ref))).toEqual({});
  });
});
