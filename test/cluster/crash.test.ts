import { describe, test } from "vitest";
import { crashTest } from "../crash/crash-test.ts";
import type { Arena } from "../crash/kills.ts";
import { creation, deletion, deployment, rollback, type Size, scaling } from "../crash/operations.ts";
import { inProcess, prepareAll } from "../crash/stage.ts";
import { skipped, testConnection } from "./connection.ts";
import { onClusterGround } from "./ground.ts";

/** A real cluster waits more than it works. */
const atOnce = 20;

/** Engines in this process; services that are there before, as they are wanted. */
function onCluster(kubeconfig: string, size?: Size): Arena {
  return (work, victims) =>
    onClusterGround(kubeconfig, async (ground) => {
      if (size !== undefined) await prepareAll(ground, size, victims, atOnce);
      return work(inProcess(ground, { atOnce }));
    });
}

const connection = testConnection();
describe("engines killed on a real control plane", { timeout: 900_000 }, () => {
  if (connection?.kind !== "kubeconfig" || connection.path === undefined) return test.skip(skipped, () => {});
  const { path } = connection;
  // Every write is killed at on the sandbox. Here a sample of them is, unless PLATFORM_CRASH_MATRIX=all asks for all.
  crashTest(creation, onCluster(path), 16);
  for (const subject of [scaling, deployment]) crashTest(subject, onCluster(path, "bare"), 8);
  // Waits for finalizers more than it works; with the others as well, a control plane on two cores misses deadlines.
  describe.concurrent("and their rollbacks, deletions", () => {
    for (const subject of [rollback, deletion]) crashTest(subject, onCluster(path, "database"), 16);
  });
});
