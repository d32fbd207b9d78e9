import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCommands } from "../../../src/commands/program.ts";
import { memoryTerminal, noSandbox } from "./memory-terminal.ts";

async function run(argv: readonly string[], stdin?: string) {
  const terminal = memoryTerminal(stdin === undefined ? {} : { stdin });
  const code = await runCommands(argv, { terminal, sandbox: noSandbox, version: "1.2.3" });
  return { code, ...terminal.written };
}

const create = (...words: string[]) => run(["--sandbox", "service", "create", ...words]);

describe("wrong input is refused with 2 before any cluster is asked", () => {
  test.each([
    ["My_Service", /did you mean my-service\?/],
    ["", /a name is needed/],
    ["a".repeat(47), /at most 46 characters, this one has 47/],
    ["1st", /starts with a letter/],
    ["ends-", /ends with a letter or a digit/],
    ["größe", /lower-case letters, digits and hyphens/],
    ["../etc", /lower-case letters, digits and hyphens/],
    ["$(reboot)", /lower-case letters, digits and hyphens/],
    ["two\nlines", /one line/],
  ])("name %j", async (name, message) => {
    const { code, err, out } = await create("--language", "go", "--", name);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err).toContain("Nothing was written");
    expect(out).toBe("");
  });

  test("a name with a leading hyphen, which looks like an option", async () => {
    expect((await create("-leading", "--language", "go")).code).toBe(2);
    expect((await create("--language", "go", "--", "-leading")).err).toMatch(/starts with a letter/);
  });

  test.each([["-1"], ["1.5"], ["three"], ["1000000000"], [""]])("replicas %j", async (replicas) => {
    const { code, err } = await create("shop", "--language", "go", "--replicas", replicas);
    expect(code).toBe(2);
    expect(err).toMatch(/--replicas: must be a whole number from 1 to 50/);
  });

  test.each([
    ["--language", "goo", /unknown language goo; allowed: go, typescript; did you mean go\?/],
    ["--database", "postgers", /unknown database postgers; allowed: postgres, none; did you mean postgres\?/],
    ["--cache", "rediss", /unknown cache rediss; allowed: redis, none; did you mean redis\?/],
    ["--exposure", "world", /unknown exposure world/],
    ["--alerts", "high-latencies", /did you mean high-latency\?/],
    ["--image", "a b", /--image: a b is not an image reference/],
    ["--team", "t".repeat(64), /--team: /],
    ["--team", "Pay ments", /--team: /],
  ])("%s %s", async (flag, value, message) => {
    const { code, err } = await create("shop", "--language", "go", flag, value);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  test("all problems at once", async () => {
    const { err } = await create("My_Service", "--language", "goo", "--replicas", "-1", "--cache", "x");
    expect(err).toMatch(/4 things are wrong/);
    for (const field of ["name", "--language", "--replicas", "--cache"])
      expect(err).toContain(`  ${field}: `);
  });

  test("a file: unreadable, not YAML, wrong field with its line", async () => {
    const folder = await mkdtemp(join(tmpdir(), "platform-create-"));
    expect(await create("-f", join(folder, "missing.yaml"))).toMatchObject({
      code: 2,
      err: expect.stringContaining("there is no such file"),
    });
    const file = join(folder, "spec.yaml");
    await writeFile(file, "name: shop\nlanguage: go\nreplicas: three\n");
    const wrong = await create("-f", file);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(/spec\.yaml.*replicas.*must be a whole number/s);
    expect(wrong.err).toMatch(/3/);
    await writeFile(file, "name: [\n");
    expect((await create("-f", file)).code).toBe(2);
  });

  test("standard input as file, and flags before it", async () => {
    const { code, err } = await run(
      ["--sandbox", "service", "create", "-f", "-", "--replicas", "0"],
      "name: shop\nlanguage: go\nreplicas: 3\n",
    );
    expect(code).toBe(2);
    expect(err).toMatch(/--replicas: must be a whole number/);
  });
});

describe("a change that cannot be is refused with 2 before any cluster is asked", () => {
  test.each([
    [["scale", "shop", "--replicas", "51"], /--replicas: must be a whole number from 1 to 50.*mean 50\?/],
    [["scale", "shop", "--replicas", "three"], /--replicas: must be a whole number/],
    [["scale", "shop"], /required option '-r, --replicas/],
    [["scale", "My_Shop", "--replicas", "3"], /did you mean my-shop\?/],
    [["deploy", "shop", "--image", "registry.example/shop:1.2"], /--image: images are deployed by digest/],
    [["deploy", "shop", "--image", "registry.example/shop@sha256:abc"], /64 digits/],
    [["set", "shop", "--limits", "memory=lots"], /--limits: memory must be a quantity/],
    [["set", "shop", "--databse", "none"], /Did you mean --database\?/],
    [["rollback", "shop", "--to", "latest"], /--to: must be a release's number/],
    [["releases", "shop", "--diff", "1-2"], /such as 1\.\.3/],
    [["delete", "shop", "--data-stores", "burn"], /Allowed choices are/],
    [["logs", "shop", "--tail", "-1"], /a number of lines/],
  ])("%j", async (words, message) => {
    const { code, err, out } = await run(["--sandbox", "service", ...words]);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err).toContain("Nothing was written");
    expect(out).toBe("");
  });
});

describe("argv", () => {
  test.each([
    [["service", "creat"], /Did you mean create\?/],
    [["service", "create", "x", "--langauge", "go"], /Did you mean --language\?/],
    [["service", "list", "-o", "xml"], /Allowed choices are table, wide, json, yaml, name/],
    [["run", "show"], /missing required argument 'run'/],
    [["service", "delete", "a", "b"], /too many arguments/],
    [["run", "retry", "x", "--skip", "configure_netwrk"], /did you mean configure_network\?/],
    [["run", "resume", "Not A Run"], /cannot be a run's name/],
    [["--sandbox", "--context", "prod", "service", "list"], /--sandbox is a cluster of its own/],
    [["--sandbox", "--context", "prod"], /--sandbox is a cluster of its own/],
    [["--speed", "fast", "--sandbox", "service", "list"], /--speed is a number/],
    [["--speed", "0", "--sandbox"], /--speed is a number/],
    [["service", "bogus"], /→ platform service --help/],
    [["service", "create", "x", "--timeout", "soon", "-l", "go"], /It is a time/],
  ])("%j is refused with a hint", async (argv, message) => {
    const { code, err } = await run(argv);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  test("errors obey -o json, also those of argv itself", async () => {
    for (const argv of [
      ["service", "create", "My_Service", "-o", "json", "--sandbox"],
      ["service", "creat", "-o", "json"],
      ["service", "list", "--output=json", "--nonsense"],
      ["service", "-ojson"],
    ]) {
      const { code, out, err } = await run(argv);
      expect(code).toBe(2);
      expect(JSON.parse(out)).toMatchObject({
        apiVersion: "platform.company.com/cli/v1",
        type: "error",
        exitCode: 2,
      });
      expect(err).toBe("");
    }
  });

  test.each([
    [[], /the name of a backup, or a moment by --to-time/],
    [["backup-7k2mp", "--to-time", "2026-01-02T03:04:05Z"], /not both/],
    [["--to-time", "yesterday"], /"yesterday" is no time like 2026-01-02T03:04:05Z/],
    [["--to-time", "2026-01-02 03:04:05"], /is no time like/],
    [["--to-time", "2026-02-30T03:04:05Z"], /is no time like/],
    [["--to-time", ""], /is no time like/],
  ])("database restore shop %j", async (words, message) => {
    const { code, err, out } = await run(["--sandbox", "database", "restore", "shop", ...words]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
  });

  test("help is a result, a missing command is wrong usage", async () => {
    const help = await run(["service", "create", "--help"]);
    expect(help).toMatchObject({ code: 0, err: "" });
    expect(help.out).toMatch(/--on-failure <choice>/);
    expect(help.out).toMatch(/--context <name>/);
    expect(await run(["service"])).toMatchObject({ code: 2, out: "" });
    expect(await run(["--version"])).toMatchObject({ code: 0, out: "1.2.3\n" });
  });

  test("a cluster's standards are not replaced by a file", async () => {
    const { code, err } = await run(["service", "list", "--standards", "x.yaml"]);
    expect(code).toBe(2);
    expect(err).toContain("platform install --standards x.yaml");
  });

  test("a kubeconfig that is not there", async () => {
    const { code, err } = await run(["--kubeconfig", "/nonexistent/config", "service", "list"]);
    expect(code).toBe(2);
    expect(err).toContain("/nonexistent/config");
    expect(err).toContain("platform --sandbox needs no cluster");
  });
});
