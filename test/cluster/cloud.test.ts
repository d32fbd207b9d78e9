import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stateNamespace } from "../../src/application/names.ts";
import { apply } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import { resourceOf, resources } from "../../src/cluster/resource.ts";
import { stateAccess } from "../../src/guardrails/state-access.ts";
import { workspaceName } from "../../src/terraform/backend.ts";
import { type CloudStage, cloudStage, cloudStandards } from "../provisioning/cloud-stage.ts";
import { named, whole, withDatabase } from "../provisioning/telling.ts";
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

    test("wait for a lock whose holder nobody knows to be dead, until a person names it", async () => {
      const service = named("cloud-lock");
      const identity = { namespace: `app-${service}`, name: service, store: "db" } as const;
      const id = randomUUID();
      const info = {
        ...{ ID: id, Operation: "OperationTypeApply", Info: "", Who: "ana@laptop" },
        ...{ Version: "1.11.4", Created: new Date().toISOString(), Path: "" },
      };
      await stage.cluster.create(resources.leases, {
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: {
          namespace: stateNamespace,
          name: `lock-tfstate-default-${workspaceName(identity)}`,
          annotations: { "app.terraform.io/lock-info": JSON.stringify(info) },
        },
        spec: { holderIdentity: id },
      });
      const provisioner = stage.provisioner();
      const held = await (await provisioner.create(withDatabase(service), { onFailure: "hold" })).finished;
      expect(held.failure?.error).toMatchObject({
        class: "conflict",
        message: expect.stringContaining("ana@laptop holds the lock"),
        mend: expect.stringContaining(`platform run retry ${held.name} --take-lock ana@laptop`),
      });
      const other = await provisioner.retry(held.name, { onFailure: "hold", lockHolder: "ana@desktop" });
      expect((await other.finished).phase).toBe("Held");
      const taken = await provisioner.retry(held.name, { onFailure: "hold", lockHolder: "ana@laptop" });
      expect((await taken.finished).phase, JSON.stringify(taken.state.failure)).toBe("Succeeded");
      await removed(service);
    });

    /** Deletes a service with all that is its own. */
    async function removed(service: ReturnType<typeof named>): Promise<void> {
      const provisioner = stage.provisioner();
      const gone = await provisioner.delete(service, { dataStores: "delete", confirmed: service });
      expect((await gone.finished).phase, JSON.stringify(gone.state.failure)).toBe("Succeeded");
      expect(await stage.leftOf(service)).toEqual([]);
      for (const { name } of await provisioner.list({ service })) {
        await stage.cluster.delete(resources.runs, { namespace: "platform-system", name });
      }
    }

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

      // Guardrails let the jobs of a rotation through too, and what they do concerns no state.
      const rotated = await (await provisioner.rotate(service, "database", { onFailure: "hold" })).finished;
      expect(rotated.phase, JSON.stringify(rotated.failure)).toBe("Succeeded");
      expect((await stage.secret(service, "db")).username).toBe(`${username}_2`);

      // So they do those of a restore to a moment; the instance before it goes with the service.
      const toTime = new Date().toISOString();
      const how = { onFailure: "hold", confirmed: service } as const;
      const restored = await (await provisioner.restore(service, { toTime }, how)).finished;
      expect(restored.phase, JSON.stringify(restored.failure)).toBe("Succeeded");
      const now = await stage.secret(service, "db");
      const used = stage
        .instances()
        .find((name) => stage.cloud.login(name, now.username ?? "", now.password ?? ""));
      expect(used).toBeDefined();
      expect(used).not.toBe(instance);
      await removed(service);
    });
  },
);
