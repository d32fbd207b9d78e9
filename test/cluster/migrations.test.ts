import { test } from "vitest";
import { connect } from "../../src/cluster/connect.ts";
import { migrationStories } from "../provisioning/migration-stories.ts";
import { skipped, testConnection } from "./connection.ts";

const connection = testConnection();
if (connection === undefined) test.skip(skipped, () => {});
else {
  migrationStories(
    "migrations on a real control plane",
    async () => {
      const cluster = await connect(connection);
      return { cluster, close: () => cluster.close() };
    },
    { fails: false },
  );
}
