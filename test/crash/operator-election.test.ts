import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { type Connection, connect } from "../../src/cluster/connect.ts";
import { resources } from "../../src/cluster/resource.ts";
import { openSandbox } from "../../src/sandbox/open.ts";
import { takeOver } from "../operator/takeover.ts";

test("two operators, one stopped, one killed: the other takes over, and nobody writes out of turn", async () => {
  const folder = await mkdtemp(join(tmpdir(), "platform-operators-"));
  const sandbox = await openSandbox({ folder, speed: 100 });
  const { url, token, socketPath } = sandbox;
  const connection: Connection = {
    kind: "endpoint",
    url,
    token,
    socketPath,
    context: "sandbox",
    simulated: true,
  };
  const cluster = await connect(connection);
  try {
    for (const name of ["platform-system", "toys"]) {
      await cluster.create(resources.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    }
    await takeOver(cluster, { connection, namespace: "toys", lease: "toys" });
  } finally {
    await cluster.close();
    await sandbox.close();
    await rm(folder, { recursive: true, force: true });
  }
});
