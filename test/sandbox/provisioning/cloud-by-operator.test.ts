import { expect, onTestFinished, test } from "vitest";
import { find } from "../../../src/cluster/find.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { standardsObject } from "../../../src/installation/objects.ts";
import { noCloudStores } from "../../../src/provisioning/data-stores/no-cloud-stores.ts";
import { write } from "../../../src/provisioning/engine/write.ts";
import { cloudStage, cloudStandards } from "../../provisioning/cloud-stage.ts";
import { operating } from "../../provisioning/operating.ts";
import { named, withDatabase } from "../../provisioning/telling.ts";
import { terraform } from "../../terraform/stage.ts";

test.skipIf(terraform === undefined)(
  "where an operator lives, who asks needs no Terraform: the operator makes the database, and removes it",
  { timeout: 120_000 },
  async () => {
    const stage = await cloudStage();
    onTestFinished(() => stage[Symbol.asyncDispose]());
    const { cluster } = stage;
    const standards = standardsObject({
      ...cloudStandards,
      operator: { image: "registry.example.internal/platform/platform:1" },
    });
    await write(
      cluster,
      standards,
      await find(cluster, resources.standards, { name: standards.metadata.name }),
    );
    const operator = await operating(cluster, stage.made, { cloud: stage.stores });
    onTestFinished(() => operator.stop());
    const service = named("cloud-asked");
    const provisioner = stage.provisioner({ cloud: noCloudStores("there is no Terraform here") });
    const { plan } = await provisioner.planCreate(withDatabase(service));
    expect(plan.steps.find(({ id }) => id === "provision_database")?.notes).toContain(
      "Terraform's plan cannot be shown here: there is no Terraform here",
    );
    const made = await provisioner.create(withDatabase(service), { onFailure: "hold" });
    expect(made.by).toBe("operator");
    expect((await made.finished).phase, operator.log.join("")).toBe("Succeeded");
    expect(stage.instances()).toHaveLength(1);
    const gone = await provisioner.delete(service, { dataStores: "delete", confirmed: service });
    expect((await gone.finished).phase, operator.log.join("")).toBe("Succeeded");
    expect(await stage.leftOf(service)).toEqual([]);
    expect(await stage.passwordsTold()).toEqual([]);
  },
);
