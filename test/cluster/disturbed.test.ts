import { test } from "vitest";
import { all } from "../crash/crash-test.ts";
import { disturbances } from "../crash/disturbances.ts";
import { skipped, testConnection } from "./connection.ts";
import { onClusterGround } from "./ground.ts";

const connection = testConnection();
if (connection?.kind !== "kubeconfig" || connection.path === undefined) test.skip(skipped, () => {});
else {
  const { path } = connection;
  disturbances("a creation on a real control plane, disturbed", (work) => onClusterGround(path, work), {
    slowRequests: all ? 200 : 20,
    silence: all,
  });
}
