import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stateNamespace } from "../../src/application/names.ts";
import { apply } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import { resourceOf, resources } from "../../src/cluster/resource.ts";
import { stateAccess } from "../../src/guardrails/state-access.ts";
import { type CloudStage, cloudStage, cloudStandards } from "../provisioning/cloud-stage.ts";
import { named, whole } from "../provisioning/telling.ts";
import { terraform } from "../terraform/stage.ts";
import { testConnection } from "./connection.ts";

const connection = testConnection();

describe.skipIf(terraform === undefined || connection === undefined)(
  "data stores outside of a real cluster",
  { timeout: 240_000 },
  () => {
    let stage: CloudStage;
    beforeAll(async () => {
      if (connection?.kind !== "kubeconfig" || connection.path === undefined)
        throw new Error("no kubeconfig");
      const cluster = await connect(connection);
      const access = { kind: "kubeconfig", path: connection.path, context: cluster.context } as const;
      const place = { kind: "kubernetes", namespace: stateNamespace, access } as const;
      stage = await cloudStage({ cluster, place });
      const [namespace, ...rights] = stateAccess(cloudStandards);
      if (namespace !== undefined) await apply(cluster, resourceOf(namespace), namespace);
      for (const object of rights) await apply(cluster, resourceOf(object), object);
    });
    afterAll(async () => {
      await stage?.[Symbol.asyncDispose]();
      await stage?.cluster.close();
    });

    test("are made with their states in platform-state, where only the executor reads, and gone with them", async () => {
      const service = named("cloud-state");
      const provisioner = stage.provisioner();
      const state = await (await provisioner.create(whole(service), { onFailure: "hold" })).finished;
      expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
      expect(state.steps.find(({ id }) => id === "verify")?.summary).toContain("database as planned");
      const { password = "", username = "" } = await stage.secret(service, "db");
      const instance = stage.instances().find((name) => stage.cloud.login(name, username, password));
      expect(instance).toBeDefined();
      const { items } = await stage.cluster.list(resources.secrets, { namespace: stateNamespace });
      const own = items.filter(({ metadata }) => metadata.name.includes(service));
      expect(own.map(({ metadata }) => metadata.name).sort()).toEqual([
        expect.stringMatching(/^tfstate-default-.*-cache$/),
        expect.stringMatching(/^tfstate-default-.*-db$/),
      ]);

      const gone = await provisioner.delete(service, { dataStores: "delete", confirmed: service });
      expect((await gone.finished).phase, JSON.stringify(gone.state.failure)).toBe("Succeeded");
      expect(await stage.leftOf(service)).toEqual([]);
      expect(stage.instances()).toEqual([]);
      for (const { name } of await provisioner.list({ service })) {
        await stage.cluster.delete(resources.runs, { namespace: "platform-system", name });
      }
    });
  },
);
