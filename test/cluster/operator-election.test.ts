import { describe, test } from "vitest";
import { connect } from "../../src/cluster/connect.ts";
import { isClusterError } from "../../src/cluster/errors.ts";
import { resources } from "../../src/cluster/resource.ts";
import { takeOver } from "../operator/takeover.ts";
import { testConnection, uniqueName } from "./connection.ts";

const connection = testConnection();

describe.skipIf(connection === undefined)("two operators on a real API server", () => {
  test("one stopped, one killed: the other takes over, and nobody writes out of turn", async () => {
    if (connection === undefined) return;
    const cluster = await connect(connection);
    const namespace = uniqueName("toys");
    const create = (name: string) =>
      cluster.create(resources.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    try {
      await create("platform-system").catch((error: unknown) => {
        if (!isClusterError(error, "already-exists")) throw error;
      });
      await create(namespace);
      await takeOver(cluster, { connection, namespace, lease: namespace });
    } finally {
      await cluster.delete(resources.namespaces, { name: namespace }).catch(() => undefined);
      await cluster
        .delete(resources.leases, { namespace: "platform-system", name: namespace })
        .catch(() => undefined);
      await cluster.close();
    }
  });
});
