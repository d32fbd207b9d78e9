import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { connect } from "../../../src/cluster/connect.ts";
import { openSandbox } from "../../../src/sandbox/open.ts";
import type { Sandbox } from "../../../src/sandbox/sandbox.ts";
import { migrationStories } from "../../operator/migration-stories.ts";

let folder = "";
let sandbox: Sandbox;
let cluster: Cluster;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "migrations-"));
  sandbox = await openSandbox({ folder, speed: 100 });
  const { url, token, socketPath } = sandbox;
  cluster = await connect({ kind: "endpoint", url, token, socketPath, context: "sandbox", simulated: true });
});
afterAll(async () => {
  await cluster.close();
  await sandbox.close();
  await rm(folder, { recursive: true });
});

describe("migrations of applied Applications", () => {
  migrationStories({ cluster: () => cluster, unique: (prefix) => prefix, fails: true });
});
