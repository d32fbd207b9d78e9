import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import { openSandbox } from "../../src/sandbox/open.ts";

/** A sandbox of its own, a hundred times as fast as life; `folder` is given where several processes share one. */
export async function sandboxStage(
  folder?: string,
): Promise<{ readonly cluster: Cluster; close(): Promise<void> }> {
  const own = folder ?? (await mkdtemp(join(tmpdir(), "platform-stage-")));
  const sandbox = await openSandbox({ folder: own, speed: 100 });
  const cluster = await connect({
    kind: "endpoint",
    url: sandbox.url,
    token: sandbox.token,
    socketPath: sandbox.socketPath,
    context: "sandbox",
    simulated: true,
  });
  return {
    cluster,
    async close() {
      await cluster.close();
      await sandbox.close();
      if (folder === undefined) await rm(own, { recursive: true, force: true });
    },
  };
}
