import { afterAll, beforeAll } from "vitest";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { type SandboxStage, sandboxStage } from "../provisioning/sandbox-stage.ts";

/** A sandbox for all tests of a file: opened before them, gone after them. Gives its cluster once they run. */
export function embedded(): () => Cluster {
  let stage: SandboxStage | undefined;
  beforeAll(async () => {
    stage = await sandboxStage();
  });
  afterAll(() => stage?.close());
  return () => {
    if (stage === undefined) throw new Error("the sandbox is not open");
    return stage.cluster;
  };
}
