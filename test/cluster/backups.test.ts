import { test } from "vitest";
import { connect } from "../../src/cluster/connect.ts";
import { backupStories } from "../provisioning/backup-stories.ts";
import { skipped, testConnection } from "./connection.ts";

const connection = testConnection();
if (connection === undefined) test.skip(skipped, () => {});
else {
  backupStories("backups on a real control plane", async () => {
    const cluster = await connect(connection);
    return { cluster, close: () => cluster.close() };
  });
}
