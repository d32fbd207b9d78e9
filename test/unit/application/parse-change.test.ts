import { describe, expect, test } from "vitest";
import { parseChange } from "../../../src/application/parse-change.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

const digest = `sha256:${"a".repeat(64)}`;
const strict = standardsSchema.parse({ images: { registries: ["registry.acme.example"] } });

function problemOf(...[operation, raw, standards]: Parameters<typeof parseChange>) {
  const parsed = parseChange(operation, raw, standards);
  if (parsed.ok) throw new Error("was accepted");
  const [first, ...others] = parsed.problems;
  expect(others).toEqual([]);
  return first;
}

describe("what is asked for is checked, and the nearest is offered", () => {
  test.each([
    ["0", "1"],
    ["-1", "1"],
    ["51", "50"],
    ["1.5", "2"],
    ["three", undefined],
    ["", undefined],
    ["1e1", undefined],
  ])("replicas %j", (replicas, suggestion) => {
    expect(problemOf("scale", { replicas })).toMatchObject({
      field: "replicas",
      message: expect.stringContaining("a whole number from 1 to 50"),
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  });

  test.each([
    ["registry.acme.example/shop:1.2", /by digest/],
    ["registry.acme.example/shop", /by digest/],
    ["registry.acme.example/shop@sha256:abc", /64 digits/],
    [`registry.acme.example/shop@sha512:${"a".repeat(128)}`, /64 digits/],
    ["", /is not an image/],
    [`Registry/Shop@${digest}`, /is not an image/],
    [`--privileged@${digest}`, /is not an image/],
    [`docker.io/library/shop@${digest}`, /images come from registry\.acme\.example here/],
    [`registry.acme.example.evil.example/shop@${digest}`, /images come from/],
  ])("image %j", (image, message) => {
    expect(problemOf("deploy", { image }, strict)).toMatchObject({
      field: "image",
      message: expect.stringMatching(message),
    });
  });

  test.each([
    [{ requests: "cpu" }, /cpu=200m,memory=256Mi/],
    [{ requests: "cpus=1" }, /unknown amount cpus/],
    [{ limits: "memory=lots" }, /memory must be a quantity/],
    [{ limits: "cpu=-1" }, /cpu must be a quantity/],
    [{ limits: "cpu=1,cpu=2" }, /given twice/],
    [{ alerts: "high-latencies" }, /unknown alert/],
    [{ alerts: "" }, /say none/],
    [{ database: "mysql" }, /unknown database mysql/],
    [{ cache: "" }, /a cache is needed/],
    [{ migrate: "migrate up && rm -rf /" }, /run by no shell/],
    [{ migrate: "" }, /or say none/],
    [{}, /say what to change: requests, limits, alerts, database, cache, migrate/],
  ])("set %j", (raw, message) => {
    expect(problemOf("set", raw)?.message).toMatch(message);
  });

  test.each(["0", "01", "-1", "1.5", "latest", ""])("release %j", (release) => {
    expect(problemOf("rollback", { release })).toMatchObject({ field: "release" });
  });

  test.each(["HEAD", "abc", "g".repeat(40), "$(reboot)", ""])("commit %j", (commit) => {
    expect(problemOf("deploy", { image: `shop@${digest}`, commit })).toMatchObject({ field: "commit" });
  });

  test("all problems at once", () => {
    const parsed = parseChange("set", { requests: "cpu=x", database: "x", cache: "x" });
    expect(parsed.ok ? [] : parsed.problems.map(({ field }) => field)).toEqual([
      "requests",
      "database",
      "cache",
    ]);
  });
});

test("what is right is passed on as typed", () => {
  const image = `registry.acme.example/payments/shop@${digest}`;
  expect(parseChange("deploy", { image, commit: "3f2c1ab" }, strict)).toEqual({
    ok: true,
    change: { operation: "deploy", image, commit: "3f2c1ab" },
  });
  expect(parseChange("set", { limits: "memory=1Gi, cpu=0.5", alerts: "none", cache: "none" })).toEqual({
    ok: true,
    change: { operation: "set", limits: { memory: "1Gi", cpu: "0.5" }, alerts: [], cache: "none" },
  });
  expect(parseChange("set", { migrate: " /bin/shop  migrate --to=latest " })).toEqual({
    ok: true,
    change: { operation: "set", migrate: ["/bin/shop", "migrate", "--to=latest"] },
  });
  expect(parseChange("set", { migrate: "none" })).toEqual({
    ok: true,
    change: { operation: "set", migrate: [] },
  });
  expect(parseChange("rollback", { release: "12" })).toEqual({
    ok: true,
    change: { operation: "rollback", release: 12 },
  });
});
