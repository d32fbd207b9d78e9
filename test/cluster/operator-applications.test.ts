import { afterAll, beforeAll, describe } from "vitest";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import { applicationStories } from "../operator/stories.ts";
import { skipped, testConnection, uniqueName } from "./connection.ts";

const connection = testConnection();
if (connection === undefined) console.warn(skipped);

describe.skipIf(connection === undefined)("the controller of Applications, on a real API server", () => {
  let cluster: Cluster;

  beforeAll(async () => {
    if (connection !== undefined) cluster = await connect(connection);
  });
  afterAll(async () => {
    await cluster.close();
  });

  applicationStories({ cluster: () => cluster, unique: uniqueName });
});
