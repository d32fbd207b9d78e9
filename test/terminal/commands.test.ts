import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { testHome } from "./home.ts";
import { run, start } from "./terminal.ts";

test("a cluster that does not answer: 5, and what to do", async () => {
  const home = await testHome();
  const kubeconfig = join(home.folder, "config");
  await writeFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "gone",
      contexts: [{ name: "gone", context: { cluster: "gone", user: "me" } }],
      clusters: [{ name: "gone", cluster: { server: "http://127.0.0.1:9" } }],
      users: [{ name: "me", user: { token: "not-a-secret" } }],
    }),
  );
  const { code, out, err } = await run(home, ["--kubeconfig", kubeconfig, "service", "list"]);
  expect(code).toBe(5);
  expect(out).toBe("");
  expect(err).toContain("does not answer");
  expect(err).toContain("Nothing was written");
  expect(err).not.toContain("not-a-secret");
  const contexts = await run(home, ["--kubeconfig", kubeconfig, "contexts"]);
  expect(contexts.out).toMatch(/\* +gone +gone/);
});

test("a sandbox that cannot be opened: 5, why, and what to do", async () => {
  const home = await testHome();
  await mkdir(join(home.folder, "state", "sandbox"), { recursive: true });
  await writeFile(join(home.folder, "state", "sandbox", "cluster.sqlite"), "this is no database".repeat(100));
  const { code, err } = await run(home, ["--sandbox", "service", "list"]);
  expect(code).toBe(5);
  expect(err).toContain("could not be opened: file is not a database");
  expect(err).toContain("PLATFORM_STATE_DIR");
  expect((await run(home, ["--sandbox", "sandbox", "reset", "--yes"])).code).toBe(0);
  expect((await run(home, ["--sandbox", "service", "list"])).code).toBe(0);
});

test("without arguments and without a terminal: help, 2", async () => {
  const home = await testHome();
  const { code, out, err } = await run(home, []);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain("Usage: platform");
});

test("a reader that goes away is no error", async () => {
  const home = await testHome();
  const { child, ended } = start(home, ["service", "create", "--help"]);
  child.stdout?.destroy();
  expect(await ended).toMatchObject({ code: 0, err: "" });
});

test("a reader slower than the program gets everything", async () => {
  const home = await testHome();
  const argv = ["--sandbox", "service", "create", "shop", "--language", "go", "--database", "postgres"];
  const words = [
    process.execPath,
    "dist-test/main.js",
    ...argv,
    "--cache",
    "redis",
    "--dry-run",
    "-o",
    "json",
  ];
  // The pause is the reader's: a pipe holds 64 KiB, and the program has ended by then if it does not wait.
  const shell = ["-c", '"$@" | { sleep 2; cat; }', "sh", ...words];
  const { stdout } = await promisify(execFile)("sh", shell, { env: home.env });
  expect(stdout.length).toBeGreaterThan(65_536);
  expect(JSON.parse(stdout)).toMatchObject({ apiVersion: "platform.company.com/cli/v1" });
});

test.skipIf(!existsSync("/dev/full"))("output that cannot be written: one line says so, 74", async () => {
  const home = await testHome();
  const full = await open("/dev/full", "w");
  const { status, stderr } = spawnSync(process.execPath, ["dist-test/main.js", "--help"], {
    env: home.env,
    stdio: ["ignore", full.fd, "pipe"],
    encoding: "utf8",
  });
  await full.close();
  expect(status).toBe(74);
  expect(stderr).toMatch(/^platform: the output could not be written: .*\n$/);
});

test.each(["bash", "zsh", "fish"])("completion for %s", async (shell) => {
  const home = await testHome();
  const { code, out } = await run(home, ["completion", shell]);
  expect(code).toBe(0);
  expect(out).toContain("platform");
});

test("completion knows commands, flags, values and the names of services", async () => {
  const home = await testHome();
  const complete = async (...words: string[]) => (await run(home, ["complete", "--", ...words])).out;
  expect(await complete("service", "")).toMatch(/^create\t/m);
  expect(await complete("service", "create", "--da")).toMatch(/^--database\t/m);
  expect(await complete("service", "list", "--output", "")).toMatch(/^yaml\t/m);
  await run(home, ["--sandbox", "--speed", "200", "service", "create", "shop", "--language", "go"]);
  // A shell is not kept waiting: on a machine under load the names may come too late once.
  await expect
    .poll(() => complete("--sandbox", "service", "get", ""), { timeout: 30_000 })
    .toMatch(/^shop\t/m);
  // Runs that take the verb, and releases there are to go back to.
  await expect
    .poll(() => complete("--sandbox", "run", "rollback", ""), { timeout: 30_000 })
    .toMatch(/^shop-create-\S+\tSucceeded/m);
  expect(await complete("--sandbox", "run", "retry", "")).not.toContain("shop-create");
  await expect
    .poll(() => complete("--sandbox", "service", "rollback", "shop", "--to", ""), { timeout: 30_000 })
    .toMatch(/^1\t/m);
});

test("faults are added, listed and cleared", async () => {
  const home = await testHome();
  expect(await run(home, ["sandbox", "fault", "add", "--refuse", "--half"])).toMatchObject({ code: 2 });
  const added = await run(home, [
    "sandbox",
    "fault",
    "add",
    "--step",
    "create_namespace",
    "--refuse",
    "no",
    "--times",
    "2",
  ]);
  expect(added).toMatchObject({ code: 0 });
  expect((await run(home, ["sandbox", "fault", "list"])).out).toMatch(/refuse +step=create_namespace +2/);
  expect((await run(home, ["sandbox", "fault", "clear"])).out).toBe("1 removed\n");
  expect((await run(home, ["sandbox", "fault", "list", "-o", "json"])).out).toContain('"items": []');
});

const kubectl = spawnSync("kubectl", ["version", "--client"]).status === 0;

test.skipIf(!kubectl)("sandbox serve: kubectl shows what was created", async () => {
  const home = await testHome();
  const created = await run(home, ["--sandbox", "--speed", "200", "service", "create", "shop", "-l", "go"]);
  expect(created).toMatchObject({ code: 0 });
  const serving = start(home, ["sandbox", "serve"]);
  await serving.printed("export KUBECONFIG=");
  const kubeconfig = join(home.folder, "state", "sandbox.kubeconfig");
  const { stdout } = await promisify(execFile)("kubectl", ["get", "all", "-n", "app-shop"], {
    env: { ...home.env, KUBECONFIG: kubeconfig },
  });
  expect(stdout).toMatch(/deployment\.apps\/shop +2\/2/);
  expect(stdout).toMatch(/pod\/shop-\S+ +1\/1 +Running/);
  // The command line says which cluster it means, in this form too.
  expect((await run(home, ["--kubeconfig", kubeconfig, "service", "list", "-o", "name"])).out).toBe(
    "service/shop\n",
  );
  serving.child.kill("SIGINT");
  expect(await serving.ended).toMatchObject({ code: 0 });
  expect(await run(home, ["sandbox", "reset", "--yes"])).toMatchObject({ code: 0 });
  expect((await run(home, ["--sandbox", "service", "list", "-o", "name"])).out).toBe("");
});
