import { beforeAll, expect, test } from "vitest";
import { namespaceOf, type ServiceName } from "../../../src/application/names.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { testStandards } from "../../provisioning/composition.ts";
import { type FaultTime, faulty } from "../../provisioning/fault.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";
import { named, onStage, small, withDatabase } from "../../provisioning/telling.ts";

const secrets = { store: "external-secrets", clusterSecretStore: "vault" } as const;
const standards = { ...testStandards, secrets };

/** Password, PushSecret, ExternalSecret, the takeover of its Secret, and what comes after: each fails once. */
const faults: readonly (readonly [write: number, time: FaultTime])[] = [
  [1, "after"],
  [2, "after"],
  [3, "after"],
  [4, "before"],
  [4, "after"],
  [5, "before"],
];

onStage(
  "credentials by External Secrets Operator, where a write fails",
  () => sandboxStage(),
  ({ stage, made, ...rest }) => {
    const { rolledBack, removeRuns, leftOf } = rest;
    beforeAll(() =>
      stage.cluster.create(resources.clusterSecretStores, {
        apiVersion: "external-secrets.io/v1",
        kind: "ClusterSecretStore",
        metadata: { name: "vault" },
        spec: {},
      }),
    );
    const failing = ([write, time]: (typeof faults)[number]) =>
      made.provisioner({
        cluster: faulty(stage.cluster, { step: "provision_database", write, time, times: 1 }),
        standards,
      });
    /** What a store outside of the cluster holds of a service. */
    const outside = async (service: ServiceName) =>
      (await stage.cluster.list(resources.secrets, { namespace: "external-secrets" })).items
        .map(({ metadata }) => metadata.name)
        .filter((name) => name.includes(service));

    test.each(faults)("a create whose write %i fails, %s it, rolls back to nothing", async (...fault) => {
      const service = named("eso-fault");
      const execution = await failing(fault).create(withDatabase(service), { onFailure: "rollback" });
      expect((await execution.finished).failure?.step).toBe("provision_database");
      await rolledBack(service, execution);
      expect(await outside(service)).toEqual([]);
      await removeRuns(service);
    });

    test.each(faults)(
      "a database that is added, and whose write %i fails, %s it, leaves what was",
      async (...fault) => {
        const service = named("eso-set");
        const created = await made.provisioner({ standards }).create(small(service), { onFailure: "hold" });
        expect((await created.finished).phase).toBe("Succeeded");
        const before = await leftOf(service);
        const change = { operation: "set", database: "postgres" } as const;
        const options = { onFailure: "rollback", dataStores: "keep" } as const;
        const failed = await (await failing(fault).change(service, change, options)).finished;
        expect(failed.phase, JSON.stringify(failed.failure)).toBe("RolledBack");
        expect(await leftOf(service)).toEqual(before);
        expect(await outside(service)).toEqual([]);
        await stage.cluster.delete(resources.namespaces, { name: namespaceOf(service) });
        await removeRuns(service);
      },
    );

    test.each(faults)(
      "a create whose write %i failed, %s it, is retried to the same end",
      async (...fault) => {
        const service = named("eso-retry");
        const held = await (await failing(fault).create(withDatabase(service), { onFailure: "hold" }))
          .finished;
        expect(held.phase).toBe("Held");
        const again = await made.provisioner({ standards }).retry(held.name, { onFailure: "hold" });
        const done = await again.finished;
        expect(done.phase, JSON.stringify(done.failure)).toBe("Succeeded");
        const effects = done.steps.flatMap(({ id, effects: all }) =>
          id === "provision_database" ? all : [],
        );
        expect(effects.filter(({ state }) => state !== "created")).toEqual([]);
        expect(effects.map(({ effect }) => (effect.kind === "object" ? effect.type : ""))).toEqual(
          expect.arrayContaining(["Password", "PushSecret", "ExternalSecret", "Secret", "StatefulSet"]),
        );
      },
    );
  },
);
