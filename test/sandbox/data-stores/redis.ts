import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { storePod } from "./pod.ts";
import { firstThere, folder, freePort, type Ran, run, start, until } from "./processes.ts";

/** The folder of Redis's programs; undefined where it is not installed. */
export const redisPrograms = firstThere([
  "/usr/bin/redis-server",
  "/usr/local/bin/redis-server",
  "/opt/homebrew/bin/redis-server",
])?.replace(/\/redis-server$/, "");

export interface RunningRedis {
  /** redis-cli over TCP; an error reply is an exit code of 1. */
  command(
    login: { readonly user: string; readonly password: string },
    ...args: readonly string[]
  ): Promise<Ran>;
  byUri(uri: string, ...args: readonly string[]): Promise<Ran>;
  probe(which: "startup" | "liveness" | "readiness"): Promise<Ran>;
  /** Arguments and environment of the server's process, as every process in the pod can read them. */
  readonly visible: () => Promise<string>;
  readonly port: number;
  /** The container starts anew: what a kubelet does after a crash, with the Secrets as they are by then. */
  restart(secrets: readonly KubeObject[]): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Runs the command of a cache's pod. Only paths and the port differ, and the process's
 * title stays what it was started with: programs of our own names, in front of the real ones
 * on PATH, add the port, because the pod uses Redis's own.
 */
export async function startRedis(
  objects: readonly KubeObject[],
  secrets: readonly KubeObject[],
  memoryLimit = 64 * 1024 * 1024,
): Promise<RunningRedis> {
  const programs = redisPrograms;
  if (programs === undefined) throw new Error("Redis is not installed");
  const pod = storePod(objects);
  const { path, remove } = await folder();
  const port = await freePort();
  const place = (text: string) =>
    text
      .replaceAll("/run/redis", `${path}/run`)
      .replaceAll("/etc/redis", `${path}/etc`)
      .replaceAll("dir /data", `dir ${path}/data`);
  const credentials = join(path, "credentials");
  await Promise.all(["run", "etc", "data", "bin", "credentials"].map((each) => mkdir(join(path, each))));
  const [configuration] = Object.entries(objects.find(({ kind }) => kind === "ConfigMap")?.data ?? {});
  if (configuration === undefined) throw new Error("no configuration");
  await writeFile(join(path, "etc", configuration[0]), place(String(configuration[1])));
  const shims = {
    "redis-server": `exec ${programs}/redis-server "$@" --port ${port} --bind 127.0.0.1 --set-proc-title no`,
    "redis-cli": `exec ${programs}/redis-cli -p ${port} "$@"`,
  };
  for (const [name, command] of Object.entries(shims)) {
    await writeFile(join(path, "bin", name), `#!/bin/sh\n${command}\n`);
    await chmod(join(path, "bin", name), 0o755);
  }
  const environment = {
    ...pod.environment,
    CREDENTIALS: credentials,
    MEMORY_LIMIT: String(memoryLimit),
    PATH: `${path}/bin:${process.env.PATH ?? ""}`,
  };
  const begin = async (now: readonly KubeObject[]) => {
    await run("sh", ["-c", `rm -rf ${credentials}/*`]);
    await pod.mountCredentials(credentials, now);
    const server = start(["sh", "-c", place(pod.command ?? "")], environment, path);
    await until(`Redis answers (${server.output()})`, async () => {
      return (await run("redis-cli", ["ping"], { environment })).out.startsWith("NOAUTH");
    });
    return server;
  };
  let server = await begin(secrets);
  return {
    port,
    command: ({ user, password }, ...args) =>
      run(join(programs, "redis-cli"), ["-e", "-p", String(port), "--user", user, ...args], {
        environment: { REDISCLI_AUTH: password },
      }),
    byUri: (uri, ...args) =>
      run(join(programs, "redis-cli"), ["-e", "--no-auth-warning", "-u", uri, ...args]),
    probe: (which) => run("sh", ["-c", pod.probes[which]], { environment }),
    visible: async () =>
      (
        await run("sh", [
          "-c",
          `tr '\\0' ' ' < /proc/${server.pid}/cmdline; tr '\\0' ' ' < /proc/${server.pid}/environ`,
        ])
      ).out,
    async restart(now) {
      await server.stop("SIGTERM");
      server = await begin(now);
    },
    async stop() {
      await server.stop("SIGTERM");
      await remove();
    },
  };
}
