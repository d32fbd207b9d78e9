import { describe, expect, test } from "vitest";
import { testHome } from "./home.ts";
import { create, names, sandbox } from "./in-sandbox.ts";
import { run } from "./terminal.ts";

interface JsonLine {
  readonly apiVersion: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

function jsonLines(text: string): readonly JsonLine[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): JsonLine => JSON.parse(line));
}

describe("a service from one command, without a terminal", () => {
  test("is created, listed, shown and deleted", async () => {
    const home = await testHome();
    const created = await run(
      home,
      create(
        "api-gateway",
        "--language",
        "go",
        "--replicas",
        "3",
        "--database",
        "postgres",
        "--cache",
        "redis",
      ),
    );
    expect(created.code, created.err).toBe(0);
    expect(created.err).toContain("✔");
    expect(created.out).toMatch(/^service api-gateway created in /);

    const list = await run(home, [...sandbox, "service", "list"]);
    expect(list.out).toMatch(/^SERVICE +STATUS +READY/);
    expect(list.out).toMatch(/api-gateway +\S+ +3\/3 +postgres +redis/);

    const again = await run(home, create("api-gateway", "--language", "go"));
    expect(again.code).toBe(2);
    expect(again.err).toMatch(/api-gateway.*exists/);

    const { code, err } = await run(home, [...sandbox, "service", "delete", "api-gateway"]);
    expect(code).toBe(2);
    expect(err).toContain("say --yes");
    // A database that was in use is never destroyed unasked, and never said to be gone.
    const kept = await run(home, [...sandbox, "service", "delete", "api-gateway", "--yes"]);
    expect(kept).toMatchObject({ code: 0, out: expect.stringContaining("data stores are kept") });
    const destroy = [...sandbox, "service", "delete", "api-gateway", "--data-stores", "delete"];
    const refused = await run(home, [...destroy, "--yes"]);
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("--confirm api-gateway") });
    const deleted = await run(home, [...destroy, "--confirm", "api-gateway"]);
    expect(deleted).toMatchObject({ code: 0 });
    expect(await names(home)).toBe("");
  });

  test("-o json is a stream of versioned objects that ends with the result", async () => {
    const home = await testHome();
    const { code, out, err } = await run(home, create("shop", "--language", "typescript", "-o", "json"));
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const lines = jsonLines(out);
    expect(new Set(lines.map(({ apiVersion }) => apiVersion))).toEqual(
      new Set(["platform.company.com/cli/v1"]),
    );
    expect(lines.at(-1)).toMatchObject({
      type: "result",
      exitCode: 0,
      run: { service: "shop", phase: "Succeeded" },
    });
    expect(lines.filter(({ type }) => type === "event").length).toBeGreaterThan(5);
    const got = await run(home, [...sandbox, "service", "get", "shop", "-o", "json"]);
    expect(JSON.parse(got.out)).toMatchObject({
      apiVersion: "platform.company.com/cli/v1",
      type: "services",
      items: [{ name: "shop" }],
    });
  });

  test("a dry run prints plan and manifests and writes nothing", async () => {
    const home = await testHome();
    const { code, out } = await run(
      home,
      create("shop", "--language", "go", "--database", "postgres", "--dry-run"),
    );
    expect(code).toBe(0);
    expect(out).toMatch(/Plan to create shop/);
    expect(out).toMatch(/kind: Deployment/);
    expect(out).not.toMatch(/password: (?!\(generated\))\S/);
    expect(await names(home)).toBe("");
    expect((await run(home, [...sandbox, "run", "list", "-o", "name"])).out).toBe("");
  });
});
