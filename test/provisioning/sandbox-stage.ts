import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { type Connection, connect } from "../../src/cluster/connect.ts";
import { openSandbox } from "../../src/sandbox/open.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";

/** How an opened sandbox is reached. */
export function endpointOf({ url, token, socketPath }: Sandbox): Extract<Connection, { kind: "endpoint" }> {
  return { kind: "endpoint", url, token, socketPath, context: "sandbox", simulated: true };
}

/** A sandbox, and a connection to it. */
export interface SandboxStage {
  readonly sandbox: Sandbox;
  readonly cluster: Cluster;
  close(): Promise<void>;
}

/** A sandbox of its own, a hundred times as fast as life; `folder` is given where several processes share one. */
export async function sandboxStage(folder?: string, speed = 100): Promise<SandboxStage> {
  const own = folder ?? (await mkdtemp(join(tmpdir(), "platform-stage-")));
  const sandbox = await openSandbox({ folder: own, speed });
  const cluster = await connect(endpointOf(sandbox));
  return {
    sandbox,
    cluster,
    async close() {
      await cluster.close();
      await sandbox.close();
      if (folder === undefined) await rm(own, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
