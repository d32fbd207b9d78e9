import { afterAll, beforeAll, expect, test } from "vitest";
import type { ServiceName } from "../../src/application/names.ts";
import { serviceRequestSchema } from "../../src/application/request.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { conditionsOf } from "../../src/cluster/conditions.ts";
import { find } from "../../src/cluster/find.ts";
import { resources } from "../../src/cluster/resource.ts";
import { standardsObject } from "../../src/installation/objects.ts";
import { atRest } from "../../src/provisioning/engine/decide.ts";
import { write } from "../../src/provisioning/engine/write.ts";
import { type RunRecord, readRun } from "../../src/provisioning/runs/run-record.ts";
import { isSameService } from "../../src/provisioning/runs/service-of-run.ts";
import { type Standards, standardsSchema } from "../../src/standards/standards.ts";
import { type CloudStage, cloudStandards } from "../provisioning/cloud-stage.ts";
import { type Operating, operating } from "../provisioning/operating.ts";
import { named } from "../provisioning/telling.ts";
import type { Call } from "../terraform/provider/provider.ts";
import { application, eventually, manage, read, unmanage } from "./stage.ts";

/** Where these stories are told. */
export interface ProvisioningStage {
  /** Everything is seen, and standards are set, by an admin. */
  readonly stage: CloudStage;
  /** The cluster as the operator has it. */
  readonly operator: Cluster;
  /** … and as whoever applies Applications. */
  readonly person: Cluster;
  /** Whose the shared namespace is. */
  readonly team: string;
  /** What the standards say besides. */
  readonly decisions: Readonly<Record<string, unknown>>;
}

const postgres = { type: "postgres" } as const;
const redis = { type: "redis" } as const;
const inCluster = standardsSchema.parse({});

/**
 * What becomes of an applied Application whose data stores only runs make, in a namespace that several services share.
 * @param open - a cluster with the platform on it, and a cloud beside it
 */
export function provisioningStories(open: () => Promise<ProvisioningStage>): void {
  const namespace = named("shared");
  let stage: CloudStage;
  let person: Cluster;
  let team: string;
  let operator: Operating;
  let operatedBy: string;
  let standards: Standards;

  const setStandards = async (next: Standards) => {
    const object = standardsObject(next);
    const there = await find(stage.cluster, resources.standards, { name: object.metadata.name });
    await write(stage.cluster, object, there);
  };
  beforeAll(async () => {
    const opened = await open();
    ({ stage, person, team } = opened);
    standards = standardsSchema.parse({
      ...cloudStandards,
      operator: { image: "registry.example.internal/platform/platform:1" },
      ...opened.decisions,
    });
    operatedBy = (await opened.operator.whoAmI()).username;
    await setStandards(standards);
    await manage(stage.cluster, namespace, standards, team);
    operator = await operating(opened.operator, stage.made, { cloud: stage.stores, applications: true });
  }, 120_000);
  afterAll(async () => {
    await unmanage(stage.cluster, namespace);
    await operator?.stop();
    await stage?.[Symbol.asyncDispose]();
  }, 120_000);

  const put = (name: string, spec: Readonly<Record<string, unknown>>) =>
    person.create(resources.applications, application(namespace, name, spec));
  const edit = (name: string, spec: Readonly<Record<string, unknown>>) =>
    person.patch(resources.applications, { namespace, name }, { type: "merge", body: { spec } });
  const remove = async (name: string) => {
    await person.delete(resources.applications, { namespace, name });
    await eventually(`${name} is gone`, async () =>
      expect(await read(stage.cluster, resources.applications, namespace, name)).toBeUndefined(),
    );
  };
  const condition = async (name: string, type: string) => {
    const object = await read(stage.cluster, resources.applications, namespace, name);
    return conditionsOf(object ?? {}).find((each) => each.type === type);
  };
  const ready = (name: string) =>
    eventually(`${name} is Ready`, async () =>
      expect(await condition(name, "Ready"), operator.log.join("")).toMatchObject({ status: "True" }),
    );
  const runsOf = async (name: string): Promise<readonly RunRecord[]> => {
    const { items } = await stage.cluster.list(resources.runs, { namespace: "platform-system" });
    return items
      .map((item) => readRun({ ...item, apiVersion: "platform.company.com/v1", kind: "Run" }))
      .filter(({ spec }) => isSameService(spec, { service: name, sharedNamespace: namespace }));
  };
  const instancesOf = (name: string) =>
    stage.instances().filter((each) => each.startsWith(name.slice(0, 28)));
  const destroyed = async (name: ServiceName) => {
    // An Application is Ready a moment before the run is over that has made its data stores.
    await eventually(`no run is at work on ${name}`, async () =>
      expect((await runsOf(name)).map(({ state }) => state).filter((state) => !atRest(state))).toEqual([]),
    );
    const how = { namespace, dataStores: "delete", confirmed: name } as const;
    const gone = await stage.provisioner({ cluster: person }).delete(name, how);
    expect((await gone.finished).phase, JSON.stringify(gone.state.failure)).toBe("Succeeded");
    expect(instancesOf(name)).toEqual([]);
  };

  test("a run makes them, asked for by the operator once; nothing is rolled out before", async () => {
    const [name, beside] = [named("ledger"), named("beside")];
    const going = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    stage.meet((call: Call) => {
      if (call.type !== "google_sql_database_instance" || call.action !== "create") return undefined;
      reached.resolve();
      return going.promise.then(() => undefined);
    });
    await put(beside, {});
    // One is named, of the other the standards say where it runs.
    await put(name, {
      database: { ...postgres, provider: "cloudsql", size: "db-custom-2-8192", user: "ledger_user" },
      cache: { ...redis, version: "7.0" },
    });
    await reached.promise;
    await ready(beside);
    await eventually("it says which run makes them", async () => {
      const [run] = await runsOf(name);
      expect(await condition(name, "DatabaseReady")).toMatchObject({
        status: "False",
        reason: "Provisioning",
        message: expect.stringContaining(`run ${run?.name} makes it`),
      });
      expect(await condition(name, "WorkloadReady")).toMatchObject({ reason: "WaitingForDataStores" });
    });
    // Its password is there already, and where it is not.
    expect(await read(stage.cluster, resources.secrets, namespace, `${name}-db`)).toBeDefined();
    expect(await read(stage.cluster, resources.deployments, namespace, name)).toBeUndefined();
    stage.meet(undefined);
    going.resolve();
    await ready(name);

    const live = await read(stage.cluster, resources.applications, namespace, name);
    expect(live?.spec).toMatchObject({ cache: { provider: "memorystore" } });
    const [run, ...others] = await runsOf(name);
    expect(others).toEqual([]);
    expect(run?.spec).toMatchObject({ operation: "provision", team });
    expect(run?.object.metadata.labels?.["platform.company.com/team"]).toBe(team);
    expect(run?.spec.requestedBy).toBe(operatedBy);
    expect(run?.state.phase).toBe("Succeeded");
    expect(instancesOf(name)).toHaveLength(2);
    for (const store of ["db", "cache"]) {
      const secret = await read(stage.cluster, resources.secrets, namespace, `${name}-${store}`);
      expect(Object.keys(Object(secret?.data)).sort()).toEqual(
        expect.arrayContaining(["host", "password", "port", "uri", "username"]),
      );
    }
    // What is made stays where it is.
    await expect(edit(name, { database: { provider: null } })).rejects.toThrow(
      /provider of a database that exists/,
    );

    // Who deletes the Application keeps the data; the next one of its name has it again, whatever the standards say then.
    await remove(name);
    expect(instancesOf(name)).toHaveLength(2);
    await setStandards({ ...standards, database: inCluster.database, cache: inCluster.cache });
    await put(name, { database: postgres, cache: redis });
    await ready(name);
    const again = await read(stage.cluster, resources.applications, namespace, name);
    expect(again?.spec).toMatchObject({
      database: { provider: "cloudsql" },
      cache: { provider: "memorystore" },
    });
    expect(await runsOf(name)).toHaveLength(1);
    await setStandards(standards);

    // By name, data and service go, and nothing else of the namespace.
    await expect(
      stage.provisioner({ cluster: person }).delete(name, { namespace, dataStores: "delete" }),
    ).rejects.toThrow(/protected against deletion/);
    await destroyed(name);
    expect(await stage.leftOf(name)).toEqual([]);
    await ready(beside);
    expect(await stage.passwordsTold()).toEqual([]);
  }, 120_000);

  test("a failure shows on the Application, with the run that on-call tries again", async () => {
    const name = named("failing");
    stage.meet((call: Call) =>
      call.type === "google_sql_database_instance" && call.action === "create"
        ? {
            at: "before",
            message: "googleapi: Error 403: The project has no room: a test's fault., quotaExceeded",
          }
        : undefined,
    );
    await put(name, { database: postgres });
    await eventually("it says what failed", async () => {
      const [run] = await runsOf(name);
      expect(await condition(name, "Degraded"), operator.log.join("")).toMatchObject({
        status: "True",
        reason: "ProvisioningFailed",
        message: expect.stringMatching(
          new RegExp(`run ${run?.name} is held: .*no room.*platform run show ${run?.name}`),
        ),
      });
    });
    stage.meet(undefined);
    const [run] = await runsOf(name);
    if (run === undefined) throw new Error("no run");
    const retried = await stage.provisioner().retry(run.name, { onFailure: "hold" });
    expect((await retried.finished).phase).toBe("Succeeded");
    await ready(name);
    expect(await runsOf(name)).toHaveLength(1);
    await destroyed(name);
  }, 120_000);

  test("what was rolled back is not begun again before the Application changes", async () => {
    const name = named("unwanted");
    stage.meet((call: Call) =>
      call.type === "google_sql_database_instance" && call.action === "create"
        ? { at: "before", message: "googleapi: Error 400: Invalid request: a test's fault., invalid" }
        : undefined,
    );
    await put(name, { database: postgres });
    await eventually("its run is held", async () =>
      expect(await condition(name, "Degraded")).toMatchObject({ reason: "ProvisioningFailed" }),
    );
    const [run] = await runsOf(name);
    if (run === undefined) throw new Error("no run");
    const undone = await stage.provisioner().rollback(run.name, { dataStores: "keep-used" });
    expect((await undone.finished).phase).toBe("RolledBack");
    await eventually("it says so", async () =>
      expect(await condition(name, "Degraded")).toMatchObject({ reason: "ProvisioningRolledBack" }),
    );
    stage.meet(undefined);
    expect(await runsOf(name)).toHaveLength(1);
    expect(instancesOf(name)).toEqual([]);
    await edit(name, { database: { size: "db-custom-1-3840" } });
    await ready(name);
    expect(await runsOf(name)).toHaveLength(2);
    await destroyed(name);
  }, 120_000);

  test("a service that a run created gets what is added to its Application", async () => {
    const name = named("own");
    const request = serviceRequestSchema.parse({ name, team, language: "go", replicas: 1 });
    const created = await stage
      .provisioner({ cluster: person, standards })
      .create(request, { onFailure: "hold" });
    expect((await created.finished).phase, JSON.stringify(created.state.failure)).toBe("Succeeded");
    const ref = { namespace: `app-${name}`, name };
    const body = { spec: { cache: redis } };
    await person.patch(resources.applications, ref, { type: "merge", body });
    await eventually("its cache is ready", async () => {
      const live = await stage.cluster.get(resources.applications, ref);
      expect(live.spec).toMatchObject({ cache: { provider: "memorystore" } });
      const found = conditionsOf(live).find(({ type }) => type === "CacheReady");
      expect(found, operator.log.join("")).toMatchObject({ status: "True", reason: "Ready" });
    });
    expect(instancesOf(name)).toHaveLength(1);
    const how = { dataStores: "delete", confirmed: name } as const;
    const gone = await stage.provisioner({ cluster: person, standards }).delete(name, how);
    expect((await gone.finished).phase, JSON.stringify(gone.state.failure)).toBe("Succeeded");
    expect(await stage.leftOf(name)).toEqual([]);
  }, 120_000);

  test("standards that let nothing be made refuse it in their words; once they do, it is made", async () => {
    const name = named("early");
    const { google: _, ...without } = standards;
    await setStandards(
      standardsSchema.parse({
        ...without,
        database: { provider: "in-cluster" },
        cache: { provider: "in-cluster" },
      }),
    );
    await put(name, { database: { ...postgres, provider: "cloudsql" } });
    await eventually("it says why not", async () =>
      expect(await condition(name, "Degraded"), operator.log.join("")).toMatchObject({
        reason: "ProvisioningRefused",
        message: expect.stringContaining("is to run at Google, and the standards do not say"),
      }),
    );
    expect(await read(stage.cluster, resources.secrets, namespace, `${name}-db`)).toBeUndefined();
    await setStandards(standards);
    await ready(name);
    await destroyed(name);
  }, 120_000);
}
