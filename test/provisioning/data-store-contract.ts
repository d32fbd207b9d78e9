import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { ServiceChange } from "../../src/application/change.ts";
import { credentialSecretNames } from "../../src/application/credentials.ts";
import { applicationOf } from "../../src/application/from-request.ts";
import { labels, namespaceOf, type ServiceName } from "../../src/application/names.ts";
import { applicationSpecSchema } from "../../src/application/schema.ts";
import type { StoreKind } from "../../src/application/store-provider.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { resources } from "../../src/cluster/resource.ts";
import { prometheus } from "../../src/monitoring/prometheus.ts";
import { storesThatTurn } from "../../src/provisioning/data-stores/turns.ts";
import type { StepId } from "../../src/provisioning/plan.ts";
import type { Provisioner } from "../../src/provisioning/provisioner.ts";
import type { Execution, RunState } from "../../src/provisioning/runs/run.ts";
import { listSecrets } from "../../src/secrets/list-secrets.ts";
import { readServices } from "../../src/services/list.ts";
import type { Standards } from "../../src/standards/standards.ts";
import { runControllers } from "../operator/running.ts";
import { eventually } from "../operator/stage.ts";
import { faulty } from "./fault.ts";
import { picture } from "./picture.ts";
import { named, small } from "./telling.ts";

/** Where a provider is told its contract. */
export interface Ground extends AsyncDisposable {
  readonly cluster: Cluster;
  provisioner(as?: { readonly cluster?: Cluster; readonly standards?: Standards }): Provisioner;
  /** Names of what there is of a service's data store outside of the cluster. */
  outside(service: ServiceName): Promise<readonly string[]> | readonly string[];
  /** Whether credentials open it, as far as this ground can tell. */
  opens(service: ServiceName, values: Values): Promise<boolean> | boolean;
}

type Values = Readonly<Record<string, string>>;

/** A provider of data stores, and what is particular about it. */
export interface ProviderCase {
  readonly title: string;
  readonly store: StoreKind;
  /** Left out where this machine has all that it takes. */
  readonly skip?: boolean;
  open(): Promise<Ground>;
  /** Puts there what a person has to, before. */
  prepare?(ground: Ground, service: ServiceName): Promise<void>;
  /** Gives a service the data store. */
  readonly add: Extract<ServiceChange, { readonly operation: "set" }>;
  /** Whether the data is the platform's to keep and to destroy. */
  readonly owned: boolean;
  /** Standards under which a new one would be larger. */
  readonly larger: Standards;
  /** What an edit of the Application's size, of a cache of its version, comes to: what can be seen then, or the refusal. */
  readonly resized: string | RegExp;
  /** Writes that fail in turn, where making one takes its time; left out: each. */
  readonly failing?: readonly number[];
}

/** A size that no standards give by themselves. */
const smallSize = "db-custom-1-1536";

/** More writes than any of them makes. */
const eachWrite = Array.from({ length: 40 }, (_, index) => index + 1);

const secretSchema = z.looseObject({ data: z.record(z.string(), z.string()).default({}) });
const referenceSchema = z.object({ name: z.string(), key: z.string(), optional: z.boolean().optional() });

/** Every Secret that a tree refers to by key. */
function referencesIn(node: unknown): readonly z.output<typeof referenceSchema>[] {
  if (Array.isArray(node)) return node.flatMap(referencesIn);
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key === "secretKeyRef" ? [referenceSchema.parse(value)] : referencesIn(value),
  );
}

/** What every provider of data stores promises, whoever runs it. */
export function dataStoreContract(cases: readonly ProviderCase[]): void {
  describe.each(cases)("a data store: $title", { timeout: 600_000 }, (provider) => {
    const { store, add, owned, larger, prepare } = provider;
    const step: StepId = store === "database" ? "provision_database" : "provision_cache";
    const remove: ServiceChange =
      store === "database" ? { operation: "set", database: "none" } : { operation: "set", cache: "none" };

    describe.skipIf(provider.skip === true)("holds", () => {
      let ground: Ground;
      beforeAll(async () => {
        ground = await provider.open();
      });
      afterAll(async () => {
        await ground?.[Symbol.asyncDispose]();
      });

      const ended = async (run: Promise<Execution>): Promise<RunState> => (await run).finished;
      const succeeded = async (run: Promise<Execution>): Promise<RunState> => {
        const state = await ended(run);
        expect(state.phase, JSON.stringify(state.steps.map(({ id, error }) => [id, error]))).toBe(
          "Succeeded",
        );
        return state;
      };
      /** A service without it, and all that a person has to put there. */
      const begun = async (prefix: string): Promise<ServiceName> => {
        const service = named(prefix);
        await succeeded(ground.provisioner().create(small(service), { onFailure: "hold" }));
        await prepare?.(ground, service);
        return service;
      };
      const added = (service: ServiceName) =>
        succeeded(ground.provisioner().change(service, add, { dataStores: "keep", onFailure: "hold" }));
      const removed = (service: ServiceName, dataStores: "keep" | "delete") =>
        succeeded(
          ground.provisioner().change(service, remove, { dataStores, onFailure: "hold", confirmed: service }),
        );
      const application = (service: ServiceName) =>
        ground.cluster.get(resources.applications, { namespace: namespaceOf(service), name: service });
      const valuesOf = async (service: ServiceName): Promise<Values> => {
        const { metadata, spec } = await application(service);
        const [name = ""] = credentialSecretNames({
          metadata: { name: metadata.name, namespace: namespaceOf(service) },
          spec: applicationSpecSchema.parse(spec),
        });
        const ref = { namespace: namespaceOf(service), name };
        const { data } = secretSchema.parse(await ground.cluster.get(resources.secrets, ref));
        return Object.fromEntries(
          Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]),
        );
      };
      const kindsOf = async (service: ServiceName) => Object.keys(await picture(ground.cluster, service));

      test("a plan tells of it and makes nothing; what is made is what the service's pods ask for", async () => {
        const service = await begun("store-made");
        const before = await picture(ground.cluster, service);
        const { plan, diff } = await ground.provisioner().planChange(service, add, { dataStores: "keep" });
        expect(diff.map(({ field }) => field)).toContain(`${store}.type`);
        const planned = plan.steps.find(({ id }) => id === step);
        expect([...(planned?.effects ?? []), ...(planned?.notes ?? [])]).not.toEqual([]);
        expect(await picture(ground.cluster, service)).toEqual(before);
        expect(await ground.outside(service)).toEqual([]);

        await added(service);
        const { items } = await ground.cluster.list(resources.deployments, {
          namespace: namespaceOf(service),
          labelSelector: `${labels.component}=workload`,
        });
        const references = referencesIn(items);
        expect(references.length).toBeGreaterThan(3);
        for (const { name, key, optional } of references) {
          const ref = { namespace: namespaceOf(service), name };
          const { data } = secretSchema.parse(await ground.cluster.get(resources.secrets, ref));
          if (optional !== true) expect(Object.keys(data), name).toContain(key);
        }
        const values = await valuesOf(service);
        const uri = new URL(values.uri ?? "");
        expect({
          host: uri.hostname,
          port: uri.port,
          username: decodeURIComponent(uri.username),
          password: decodeURIComponent(uri.password),
        }).toEqual({
          host: values.host,
          port: values.port,
          username: values.username,
          password: values.password,
        });
        expect(await ground.opens(service, values)).toBe(true);
      });

      test("is seen where services and secrets are told", async () => {
        const service = await begun("store-seen");
        await added(service);
        const metrics = prometheus(ground.cluster, larger);
        const [row] = await readServices(ground.cluster, metrics, { name: service });
        expect(row?.[store]).toEqual({ type: store === "database" ? "postgres" : "redis", ready: true });
        const { spec } = await application(service);
        const told = applicationOf(service, applicationSpecSchema.parse(spec));
        const turning = await storesThatTurn(ground.cluster, told);
        const { items } = await listSecrets(ground.cluster, told, larger, turning);
        const [name] = credentialSecretNames(told);
        expect(items.find((item) => item.name === name)).toMatchObject({
          of: store,
          createdAt: expect.any(String),
          users: expect.arrayContaining([`deployment/${service}`]),
        });
        for (const value of Object.values(await valuesOf(service)).filter(({ length }) => length > 8)) {
          expect(JSON.stringify([row, items])).not.toContain(value);
        }
      });

      test("a failure at each write is ended by a retry or taken back, and it is made once", async () => {
        const service = await begun("store-fault");
        const before = await picture(ground.cluster, service);
        let failed = 0;
        for (const write of provider.failing ?? eachWrite) {
          const broken = faulty(ground.cluster, { step, write, time: "after", times: 1 });
          const run = await ground
            .provisioner({ cluster: broken })
            .change(service, add, { dataStores: "keep", onFailure: "hold" });
          const state = await run.finished;
          if (state.phase === "Succeeded") break;
          failed += 1;
          expect([write, state.phase, state.failure?.step]).toEqual([write, "Held", step]);
          const provisioner = ground.provisioner();
          if (write % 2 === 1) {
            const back = await ended(provisioner.rollback(run.name, { dataStores: "keep-used" }));
            expect(back.phase, JSON.stringify(back.steps.map(({ error }) => error))).toBe("RolledBack");
            expect(await picture(ground.cluster, service)).toEqual(before);
            expect(await ground.outside(service)).toEqual([]);
            continue;
          }
          await succeeded(provisioner.retry(run.name, { onFailure: "hold" }));
          expect(await ground.opens(service, await valuesOf(service))).toBe(true);
          expect((await ground.outside(service)).length).toBeLessThan(2);
          // Back to where it began, but for the number of its release.
          const back = await ended(
            provisioner.rollback(run.name, { dataStores: "delete", confirmed: service }),
          );
          expect(back.phase, JSON.stringify(back.steps.map(({ error }) => error))).toBe("RolledBack");
          expect(await picture(ground.cluster, service)).toEqual(before);
          expect(await ground.outside(service)).toEqual([]);
        }
        expect(failed, "writes that failed").toBeGreaterThan(1);
      });

      test("what is kept is used again with the same credentials, and goes only with who names the service", async () => {
        const service = await begun("store-kept");
        const before = await kindsOf(service);
        await added(service);
        const values = await valuesOf(service);
        const there = await ground.outside(service);
        await removed(service, "keep");
        expect(await ground.outside(service)).toEqual(there);
        const { found } = await ground.provisioner().orphans.find({ service });
        expect(found.filter(({ state }) => state === "orphan")).toEqual([]);
        await added(service);
        expect(await valuesOf(service)).toEqual(values);
        expect(await ground.outside(service)).toEqual(there);
        if (owned) {
          await expect(
            ground.provisioner().change(service, remove, { dataStores: "delete", onFailure: "hold" }),
          ).rejects.toThrow("protected against deletion");
        }
        await removed(service, "delete");
        expect(await kindsOf(service)).toEqual(before);
        expect(await ground.outside(service)).toEqual([]);
      });

      test("one that is there does not change because the standards do", async () => {
        const service = await begun("store-size");
        await added(service);
        const before = await picture(ground.cluster, service);
        const [values, there] = [await valuesOf(service), await ground.outside(service)];
        const changed = ground.provisioner({ standards: larger });
        const scale: ServiceChange = { operation: "scale", replicas: 2 };
        const { plan } = await changed.planChange(service, scale, { dataStores: "keep" });
        expect(plan.steps.map(({ id }) => id)).not.toContain(step);
        await succeeded(changed.change(service, scale, { dataStores: "keep", onFailure: "hold" }));
        const after = await picture(ground.cluster, service);
        const own = Object.keys(before).filter((key) =>
          key.endsWith(store === "database" ? "-db" : "-cache"),
        );
        for (const key of own) expect(after[key], key).toEqual(before[key]);
        expect(await valuesOf(service)).toEqual(values);
        expect(await ground.outside(service)).toEqual(there);
      });

      test("another size is followed where it can be, and refused where nothing would follow", async () => {
        const service = await begun("store-resized");
        await added(service);
        const values = await valuesOf(service);
        const edit = () =>
          ground.cluster.patch(
            resources.applications,
            { namespace: namespaceOf(service), name: service },
            {
              type: "merge",
              body: {
                spec:
                  store === "database" ? { database: { size: smallSize } } : { cache: { version: "8.0" } },
              },
            },
          );
        if (typeof provider.resized !== "string") {
          await expect(edit()).rejects.toThrow(provider.resized);
          return;
        }
        const { resized } = provider;
        const isThere = async () => JSON.stringify(await picture(ground.cluster, service)).includes(resized);
        expect(await isThere()).toBe(false);
        const operator = await runControllers(ground.cluster);
        try {
          await edit();
          await eventually("it has the other size", async () => expect(await isThere()).toBe(true));
        } finally {
          await operator.stop();
        }
        expect(await valuesOf(service)).toEqual(values);
        expect(await ground.opens(service, values)).toBe(true);
      });
    });
  });
}
