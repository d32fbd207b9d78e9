import { test } from "vitest";
import { connect } from "../../src/cluster/connect.ts";
import { changeStories } from "../provisioning/change-stories.ts";
import { faultStories } from "../provisioning/fault-stories.ts";
import { manyStories } from "../provisioning/many-stories.ts";
import { orphanStories } from "../provisioning/orphan-stories.ts";
import { provisioningStories } from "../provisioning/stories.ts";
import { skipped, testConnection } from "./connection.ts";

const connection = testConnection();
if (connection === undefined) test.skip(skipped, () => {});
else {
  const open = async () => {
    const cluster = await connect(connection);
    return { cluster, close: () => cluster.close() };
  };
  provisioningStories("provisioning on a real control plane", open);
  changeStories("changes on a real control plane", open, "quota");
  orphanStories("orphans on a real control plane", open, { snapshots: false });
  manyStories("many creations on a real control plane", open, 50);
  faultStories("provisioning on a real control plane, where a step fails", open, 6);
}
