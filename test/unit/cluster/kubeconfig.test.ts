import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, listContexts } from "../../../src/cluster/connect.ts";
import { isClusterError } from "../../../src/cluster/errors.ts";
import { KubeconfigError } from "../../../src/cluster/kubeconfig.ts";
import { json, scriptedServer, statusOf } from "./server.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "platform-kubeconfig-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const config = (user: string, server = "http://127.0.0.1:1") => `apiVersion: v1
kind: Config
current-context: here
clusters:
- {name: c, cluster: {server: "${server}"}}
users:
- name: u
  user: ${user}
contexts:
- {name: here, context: {cluster: c, user: u}}
- {name: there, context: {cluster: c, user: u}}
- {name: lost, context: {cluster: gone, user: u}}
`;

async function write(text: string, name = `${Math.random()}`): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

async function refusal(text: string, context?: string): Promise<string> {
  const path = await write(text);
  const outcome = await connect({
    kind: "kubeconfig",
    path,
    ...(context === undefined ? {} : { context }),
  }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(KubeconfigError);
  return outcome instanceof Error ? outcome.message.replaceAll(path, "FILE") : "";
}

describe("a kubeconfig that cannot be used", () => {
  test("is named with line and field", async () => {
    expect(await refusal("clusters:\n- name: c\n  cluster:\n    server: not a url\n")).toBe(
      "kubeconfig FILE, line 4, clusters.0.cluster.server: Invalid URL",
    );
    expect(await refusal('a: "b\nusers: [')).toMatch(/^kubeconfig FILE, line \d+: not valid YAML/);
    expect(await refusal(config("{token: [secret]}"))).toMatch(
      /^kubeconfig FILE, line 8, users\.0\.user\.token: /,
    );
    expect(await refusal("just text")).toMatch(/^kubeconfig FILE.*: Invalid input/);
    const bomb = Array.from(
      { length: 8 },
      (_, index) => `x${index}: &x${index} [${`*x${index - 1}, `.repeat(index === 0 ? 0 : 9)}1]`,
    );
    expect(await refusal(bomb.join("\n"))).toMatch(/^kubeconfig FILE: its aliases .* multiply/);
  });

  test("never shows what may be a token", async () => {
    expect(await refusal('users:\n- name: u\n  user: {token: "s3cret\n')).not.toContain("s3cret");
  });

  test("says which contexts there are", async () => {
    expect(await refusal(config("{}"), "prod")).toBe(
      'kubeconfig FILE has no context "prod"; it has: here, there, lost',
    );
    expect(await refusal(config("{}"), "lost")).toContain('names cluster "gone", which is missing');
    expect(await refusal("kind: Config\n")).toContain("has no current context");
    expect(await refusal(config("{client-certificate: none.crt, client-key: none.key}"))).toMatch(
      /cannot read .*none\.(crt|key), which it names \(ENOENT\)/,
    );
  });

  test("is missing", async () => {
    await expect(connect({ kind: "kubeconfig", path: join(folder, "none") })).rejects.toThrow(
      /cannot read kubeconfig .*none: it does not exist/,
    );
  });
});

test("of several files the first that says something counts, and missing ones are left out", async () => {
  const first = await write("current-context: other\ncontexts:\n- {name: other, context: {cluster: c}}\n");
  const second = await write(config("{}"));
  const environment = { KUBECONFIG: [join(folder, "none"), first, second].join(delimiter) };
  expect(await listContexts(undefined, environment)).toEqual([
    { name: "other", cluster: "c", current: true },
    { name: "here", cluster: "c", current: false },
    { name: "there", cluster: "c", current: false },
    { name: "lost", cluster: "gone", current: false },
  ]);
  const cluster = await connect({ kind: "kubeconfig" }, { environment });
  expect(cluster.context).toBe("other");
});

describe("credentials", () => {
  const serve = () =>
    scriptedServer((request, response) =>
      request.headers.authorization === "Bearer good"
        ? json(response, 200, { gitVersion: "v1.99.0" })
        : json(response, 401, statusOf(401, "Unauthorized", "Unauthorized")),
    );
  const versionWith = async (user: string) => {
    await using server = await serve();
    const path = await write(config(user, server.connection.url));
    const cluster = await connect({ kind: "kubeconfig", path });
    try {
      return { version: await cluster.version(), asked: server.seen.length };
    } finally {
      await cluster.close();
    }
  };
  const plugin = async (name: string, script: string) => {
    const path = await write(`#!/bin/sh\n${script}\n`, name);
    await chmod(path, 0o700);
    return `{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./${name}}}`;
  };
  const credential = (token: string) => `echo '{"kind":"ExecCredential","status":{"token":"${token}"}}'`;

  test("are a token", async () => {
    expect(await versionWith("{token: good}")).toEqual({ version: "v1.99.0", asked: 1 });
  });

  test("that are certificates but none that can be read say so", async () => {
    const data = Buffer.from("no certificate").toString("base64");
    const path = await write(
      config(`{client-certificate-data: "${data}", client-key-data: "${data}"}`, "https://127.0.0.1:1"),
    );
    const cluster = await connect({ kind: "kubeconfig", path });
    await expect(cluster.version()).rejects.toThrow(/a certificate or key of the kubeconfig is not valid/);
    await cluster.close();
  });

  test("come from a file beside the kubeconfig", async () => {
    await write("good\n", "token-file");
    expect((await versionWith("{tokenFile: token-file}")).version).toBe("v1.99.0");
  });

  test("come from a login command, which is told the protocol", async () => {
    const user = await plugin(
      "login",
      `case "$KUBERNETES_EXEC_INFO" in *ExecCredential*) ${credential("good")};; esac`,
    );
    expect((await versionWith(user)).version).toBe("v1.99.0");
  });

  test("are asked for again when the server refuses them", async () => {
    const user = await plugin(
      "renew",
      `if [ -e "$0.again" ]; then ${credential("good")}; else touch "$0.again"; ${credential("old")}; fi`,
    );
    expect(await versionWith(user)).toEqual({ version: "v1.99.0", asked: 2 });
  });

  test("that cannot be had say why, and what to install", async () => {
    const failing = await plugin("failing", "echo 'login first: \x1b[31mcloud login' >&2; exit 1");
    const error = await versionWith(failing).catch((reason: unknown) => reason);
    expect(isClusterError(error, "unauthenticated") && error.message).toMatch(
      /failing" failed: login first: cloud login$/,
    );
    const missing = await versionWith(
      "{exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-login, installHint: Install it.}}",
    ).catch((reason: unknown) => reason);
    expect(isClusterError(missing, "unauthenticated") && missing.message).toMatch(
      /"no-such-login" failed: it is not installed\. Install it\.$/,
    );
  });
});
