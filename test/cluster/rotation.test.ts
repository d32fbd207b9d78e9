import { test } from "vitest";
import { connect } from "../../src/cluster/connect.ts";
import { rotationStories } from "../provisioning/rotation-stories.ts";
import { skipped, testConnection } from "./connection.ts";

const connection = testConnection();
if (connection === undefined) test.skip(skipped, () => {});
else {
  rotationStories("rotations on a real control plane", async () => {
    const cluster = await connect(connection);
    return { cluster, close: () => cluster.close() };
  });
}
