import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { namespaceOf, type ServiceName } from "../../../src/application/names.ts";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { isClusterError } from "../../../src/cluster/errors.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";
import { type Composition, composition, testStandards } from "../../provisioning/composition.ts";
import { externalValues, personsSecret } from "../../provisioning/external-secret.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";
import { named, small, withDatabase } from "../../provisioning/telling.ts";

const standards = standardsSchema.parse({
  ...testStandards,
  dataStores: { external: { ranges: ["10.30.0.0/16"] } },
});
const values = externalValues("database");
const there = { databaseSecret: "their-login", databaseAddress: "db.acme.example:5432" } as const;

function onTheirs(name: ServiceName) {
  return serviceRequestSchema.parse({ ...withDatabase(name), ...there });
}

describe("a database that exists already", { timeout: 240_000 }, () => {
  let stage: { readonly cluster: Cluster; close(): Promise<void> };
  let made: Composition;
  beforeAll(async () => {
    stage = await sandboxStage();
    made = await composition(stage.cluster);
  });
  afterAll(async () => {
    await made?.close();
    await stage?.close();
  });
  const provisioner = () => made.provisioner({ standards });
  const put = (service: ServiceName, name = "their-login", given = values) =>
    stage.cluster.create(resources.secrets, personsSecret(namespaceOf(service), name, given));
  const existing = async (prefix: string) => {
    const service = named(prefix);
    const state = await (await provisioner().create(small(service), { onFailure: "hold" })).finished;
    expect(state.phase).toBe("Succeeded");
    return service;
  };

  test("is waited for in a namespace that is new, logged in to, and left alone by everything", async () => {
    const service = named("theirs-new");
    const { plan } = await provisioner().planCreate(onTheirs(service));
    const notes = plan.steps.flatMap(({ notes }) => notes).join("\n");
    expect(notes).toContain("db.acme.example:5432 exists already");
    expect(notes).toContain("every address of 10.30.0.0/16 on port 5432");
    expect(notes).toContain("the run waits");

    const execution = await provisioner().create(onTheirs(service), { onFailure: "hold" });
    const told: string[] = [];
    execution.subscribe((event) => told.push(JSON.stringify(event)));
    for (;;) {
      // As soon as the namespace is there, so that the run waits as short as it can.
      const secret = await put(service).catch((error: unknown) => {
        if (!isClusterError(error, "not-found")) throw error;
        return undefined;
      });
      if (secret !== undefined) break;
    }
    const state = await execution.finished;
    expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
    const step = state.steps.find(({ id }) => id === "provision_database");
    expect(step?.summary).toBe("db.acme.example:5432, logged in with secret their-login");
    const namespace = namespaceOf(service);
    const policy = await stage.cluster.get(resources.networkPolicies, { namespace, name: "to-database" });
    expect(policy.spec).toMatchObject({
      egress: [{ to: [{ ipBlock: { cidr: "10.30.0.0/16" } }], ports: [{ protocol: "TCP", port: 5432 }] }],
    });
    for (const resource of [resources.statefulSets, resources.persistentVolumeClaims, resources.jobs]) {
      expect((await stage.cluster.list(resource, { namespace })).items).toEqual([]);
    }
    const run = await stage.cluster.get(resources.runs, { namespace: "platform-system", name: state.name });
    expect([...told, JSON.stringify(run)].filter((text) => text.includes(values.password ?? ""))).toEqual([]);

    const gone = await (await provisioner().delete(service, { dataStores: "delete" })).finished;
    expect(gone.phase, JSON.stringify(gone.failure)).toBe("Succeeded");
    const kept = await stage.cluster.get(resources.secrets, { namespace, name: "their-login" });
    expect(kept.data).toEqual(personsSecret(namespace, "their-login", values).data);
  });

  test("is refused before anything is written where its Secret is not there or not whole, key by key", async () => {
    const service = await existing("theirs-keys");
    const change = { operation: "set", database: "postgres", ...there } as const;
    const asked = () => provisioner().change(service, change, { dataStores: "keep", onFailure: "hold" });
    await expect(asked()).rejects.toMatchObject({
      kind: "usage",
      message: `there is no secret their-login in ${namespaceOf(service)}, with the credentials of the database`,
      mend: expect.stringContaining("kubectl create secret generic their-login"),
    });
    const { host: _, uri: __, ...half } = values;
    await put(service, "their-login", half);
    await expect(asked()).rejects.toMatchObject({
      kind: "usage",
      message: `secret their-login in ${namespaceOf(service)} has no key host; secret their-login in ${namespaceOf(service)} has no key uri`,
    });
    await expect(asked()).rejects.not.toThrow(values.password ?? "");
    const runs = await provisioner().list({ service });
    expect(runs.map(({ operation }) => operation)).toEqual(["create"]);
  });

  test("is refused where the standards do not allow it to be", async () => {
    const service = await existing("theirs-where");
    await put(service);
    const change = { operation: "set", database: "postgres", ...there } as const;
    const options = { dataStores: "keep", onFailure: "hold" } as const;
    await expect(made.provisioner().change(service, change, options)).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining("dataStores.external is empty"),
    });
    const elsewhere = { ...change, databaseAddress: "192.0.2.1:5432" };
    await expect(provisioner().change(service, elsewhere, options)).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining("192.0.2.1 is nowhere the standards allow"),
    });
  });

  test("is neither rotated nor backed up, and another Secret brings its new password", async () => {
    const service = await existing("theirs-turn");
    await put(service);
    const options = { dataStores: "keep", onFailure: "hold" } as const;
    const change = { operation: "set", database: "postgres", ...there } as const;
    const added = await (await provisioner().change(service, change, options)).finished;
    expect(added.phase, JSON.stringify(added.failure)).toBe("Succeeded");
    await expect(provisioner().rotate(service, "database", {})).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("whoever runs it changes its password"),
      mend: expect.stringContaining(`platform service set ${service} --database-secret NAME`),
    });
    await expect(provisioner().backup(service, {})).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("whoever runs it backs it up"),
    });

    const other = { operation: "set", databaseSecret: "their-new-login" } as const;
    await expect(provisioner().change(service, other, options)).rejects.toThrow("no secret their-new-login");
    await put(service, "their-new-login", externalValues("database", { password: "another-of-theirs" }));
    const moved = await (await provisioner().change(service, other, options)).finished;
    expect(moved.phase, JSON.stringify(moved.failure)).toBe("Succeeded");
    expect(moved.steps.map(({ id }) => id)).toContain("provision_database");
    const reads = async () => {
      const ref = { namespace: namespaceOf(service), name: service };
      return JSON.stringify((await stage.cluster.get(resources.deployments, ref)).spec);
    };
    expect(await reads()).toContain('"their-new-login"');
    const back = await (await provisioner().rollback(moved.name, { dataStores: "keep" })).finished;
    expect(back.phase).toBe("RolledBack");
    expect(await reads()).toContain('"their-login"');
  });

  test("does not take the place of one that the service has", async () => {
    const service = named("theirs-place");
    const state = await (await provisioner().create(withDatabase(service), { onFailure: "hold" })).finished;
    expect(state.phase).toBe("Succeeded");
    await put(service);
    await expect(
      provisioner().change(service, { operation: "set", ...there }, { dataStores: "keep" }),
    ).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("is in-cluster, and does not become external by a change"),
    });
  });
});
