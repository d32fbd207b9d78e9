import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { z } from "zod";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import { resources } from "../../src/cluster/resource.ts";
import { testConnection } from "./connection.ts";

const kubeconfigSchema = z.looseObject({
  "current-context": z.string(),
  clusters: z.array(z.looseObject({ cluster: z.looseObject({ server: z.string() }) })),
  users: z.array(z.looseObject({ name: z.string(), user: z.looseObject({}) })),
});
type Kubeconfig = z.output<typeof kubeconfigSchema>;

const connection = testConnection();

async function toEnd(watch: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of watch);
}

describe.skipIf(connection === undefined)("a real API server", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "platform-connect-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Connects with a kubeconfig that was changed, for the time of `use`. */
  const withKubeconfig = async (
    change: (config: Kubeconfig) => void,
    use: (cluster: Cluster) => Promise<void>,
  ) => {
    const original = process.env.PLATFORM_TEST_KUBECONFIG ?? "";
    const config = kubeconfigSchema.parse(parse(await readFile(original, "utf8")));
    change(config);
    const path = join(folder, `${Math.random()}`);
    await writeFile(path, stringify(config), { mode: 0o600 });
    const cluster = await connect({ kind: "kubeconfig", path }, { environment: {} });
    try {
      await use(cluster);
    } finally {
      await cluster.close();
    }
  };

  test("refuses a token it does not know as expired credentials, not as missing rights", () =>
    withKubeconfig(
      (config) => {
        for (const { user } of config.users) user.token = "expired";
      },
      async (cluster) => {
        await expect(cluster.list(resources.namespaces)).rejects.toMatchObject({
          kind: "unauthenticated",
          status: 401,
        });
        const watch = cluster.watch(resources.namespaces, { resourceVersion: "1" });
        await expect(toEnd(watch)).rejects.toMatchObject({ kind: "unauthenticated" });
      },
    ));

  test("is not trusted when another authority signed its certificate", () =>
    withKubeconfig(
      (config) => {
        for (const { cluster } of config.clusters) delete cluster["certificate-authority"];
      },
      async (cluster) => {
        await expect(cluster.version()).rejects.toMatchObject({
          kind: "unreachable",
          message: expect.stringMatching(/^cannot reach https:\/\/.*: its certificate is not signed by/),
        });
      },
    ));

  test("is reached through the kubeconfig's proxy, watches too", async () => {
    const tunnels: string[] = [];
    const proxy = createServer();
    proxy.on("connect", (request, socket) => {
      tunnels.push(request.url ?? "");
      const { hostname, port } = new URL(`http://${request.url}`);
      const upstream = connectSocket(Number(port), hostname, () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        upstream.pipe(socket);
        socket.pipe(upstream);
      });
      upstream.on("error", () => socket.destroy());
      socket.on("error", () => upstream.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const address = proxy.address();
    if (address === null || typeof address === "string") throw new Error("the proxy has no port");
    try {
      await withKubeconfig(
        (config) => {
          for (const { cluster } of config.clusters)
            cluster["proxy-url"] = `http://127.0.0.1:${address.port}`;
        },
        async (cluster) => {
          const { resourceVersion } = await cluster.list(resources.namespaces);
          const abort = new AbortController();
          const watch = cluster.watch(resources.namespaces, {
            resourceVersion,
            signal: abort.signal,
            onOpen: () => abort.abort(),
          });
          await expect(toEnd(watch)).rejects.toMatchObject({ name: "AbortError" });
        },
      );
      expect(tunnels.length).toBeGreaterThan(0);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});
