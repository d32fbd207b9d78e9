import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { connect } from "../../src/cluster/connect.ts";
import { type KillSample, killProcesses } from "../crash/crash-test.ts";
import type { Arena } from "../crash/kills.ts";
import { creation, deletion, rollback, type Size, type Subject, scaling } from "../crash/operations.ts";
import { inProcesses } from "../crash/processes.ts";
import { prepareAll } from "../crash/stage.ts";
import { skipped, testConnection } from "./connection.ts";
import { forgetRepositories, onClusterGround } from "./ground.ts";

/** Services that are there before, as they are wanted. */
function onCluster(kubeconfig: string, repositories: string, size?: Size): Arena {
  return (work, victims) =>
    onClusterGround(
      kubeconfig,
      async (ground) => {
        if (size !== undefined) await prepareAll(ground, size, victims);
        return work(inProcesses(ground));
      },
      repositories,
    );
}

interface Killed {
  readonly subject: Subject;
  readonly size?: Size;
  readonly sample: KillSample;
}

const connection = testConnection();
describe("the program on a real control plane, ended by SIGKILL, and another one going on", {
  concurrent: true,
  timeout: 900_000,
}, () => {
  if (connection?.kind !== "kubeconfig" || connection.path === undefined) return test.skip(skipped, () => {});
  const { path } = connection;
  let repositories = "";
  beforeAll(async () => {
    repositories = await mkdtemp(join(tmpdir(), "platform-crash-repositories-"));
  });
  afterAll(async () => {
    const cluster = await connect({ kind: "kubeconfig", path });
    await forgetRepositories(cluster);
    await cluster.close();
    await rm(repositories, { recursive: true, force: true, maxRetries: 5 });
  });
  // At every border of a creation's steps on the sandbox; unless PLATFORM_CRASH_MATRIX=all asks for everything here too.
  test.each<Killed>([
    { subject: creation, sample: { borders: 6, elsewhere: 2 } },
    { subject: scaling, size: "bare", sample: { borders: 2, elsewhere: 2 } },
    { subject: rollback, size: "database", sample: { borders: 3, elsewhere: 2 } },
    { subject: deletion, size: "database", sample: { borders: 3, elsewhere: 2 } },
  ])("$subject.title", async ({ subject, size, sample }) => {
    await killProcesses(subject, sample, onCluster(path, repositories, size));
  });
});
