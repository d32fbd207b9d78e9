import { describe } from "vitest";
import { provisioningStories } from "../../operator/provisioning-stories.ts";
import { cloudStage } from "../../provisioning/cloud-stage.ts";
import { terraform } from "../../terraform/stage.ts";

describe.skipIf(terraform === undefined)("data stores of applied Applications that runs make", () => {
  provisioningStories(async () => {
    const stage = await cloudStage();
    const { cluster } = stage;
    return { stage, operator: cluster, person: cluster, team: "payments", decisions: {} };
  });
});
