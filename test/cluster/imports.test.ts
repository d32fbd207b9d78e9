import { test } from "vitest";
import { connect } from "../../src/cluster/connect.ts";
import { importStories } from "../provisioning/import-stories.ts";
import { skipped, testConnection } from "./connection.ts";

const connection = testConnection();
if (connection === undefined) test.skip(skipped, () => {});
else {
  importStories("imports on a real control plane", async () => {
    const cluster = await connect(connection);
    return { cluster, close: () => cluster.close() };
  });
}
