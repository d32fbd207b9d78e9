import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseText } from "../../../src/application/document.ts";
import { problemText, RefusedInput } from "../../../src/application/refusal.ts";
import { standardsCrd } from "../../../src/standards/crd.ts";
import { parseStandards, readStandardsFile, standardsHash } from "../../../src/standards/load.ts";
import { sandboxStandards } from "../../../src/standards/sandbox-standards.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

function problemsOf(text: string): string[] {
  try {
    parseStandards(parseText(text, "platform.yaml"));
    return [];
  } catch (error) {
    if (!(error instanceof RefusedInput)) throw error;
    return error.problems.map((problem) => problemText(problem, error.file));
  }
}

describe("a standards file", () => {
  test("may be empty, bare or a manifest", () => {
    expect(problemsOf("")).toEqual([]);
    expect(parseStandards(parseText("organization: acme\ndomain: x.example", "f")).domain).toBe("x.example");
    const manifest = "kind: Standards\nmetadata: {name: platform}\nspec: {domain: y.example}";
    expect(parseStandards(parseText(manifest, "f")).domain).toBe("y.example");
  });

  test("every problem has its line and field", () => {
    const text = `organization: acme
teams:
  payments:
    groups: []
quota:
  cpu: lots
  memry: 1Gi
monitoring:
  whenMissing: warm
workload:
  progressDeadlineSeconds: 1.5
`;
    expect(problemsOf(text)).toEqual([
      "platform.yaml:4:13: teams.payments.groups: must not be an empty list",
      "platform.yaml:11:28: workload.progressDeadlineSeconds: must be a whole number",
      "platform.yaml:6:8: quota.cpu: is not a Kubernetes quantity",
      "platform.yaml:7:10: quota.memry: is not known; did you mean memory?",
      "platform.yaml:9:16: monitoring.whenMissing: must be one of warn, fail; did you mean warn?",
    ]);
  });

  test("a problem in a manifest points below spec", () => {
    expect(problemsOf("kind: Standards\nspec:\n  domain: 3")).toEqual([
      "platform.yaml:3:11: domain: must be text",
    ]);
  });

  test.each([
    "teams: {}",
    "teams: {UPPER: {groups: [a]}}",
    "domain: 'not a name'",
    "- a",
    "monitoring: {labels: {a: 'b c'}}",
  ])("%s is refused", (text) => {
    expect(problemsOf(text)).toHaveLength(1);
  });
});

describe("reading", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "standards-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("a file that is not there, a folder, and one that is not YAML", async () => {
    const bad = join(folder, "bad.yaml");
    await writeFile(bad, "a: [");
    await expect(readStandardsFile(join(folder, "none.yaml"))).rejects.toThrow(
      /none.yaml: cannot be read: there is no such file/,
    );
    await expect(readStandardsFile(folder)).rejects.toThrow(/it is a folder/);
    await expect(readStandardsFile(bad)).rejects.toMatchObject({ problems: [{ line: 1 }] });
  });
});

test("the hash names the contents, not the order they were written in", () => {
  const one = standardsSchema.parse({ domain: "a", organization: "b" });
  const other = standardsSchema.parse({ organization: "b", domain: "a" });
  expect(standardsHash(one)).toBe(standardsHash(other));
  expect(standardsHash(one)).not.toBe(standardsHash(standardsSchema.parse({ organization: "b" })));
});

test("the sandbox's standards need no image and no team from a newcomer", () => {
  const standards = sandboxStandards();
  expect(standards.images.starter).toBeDefined();
  expect(Object.keys(standards.teams)).toHaveLength(1);
  expect(standards.monitoring.prometheus).toBeDefined();
});

test("the CRD knows every field, and leaves defaults to the program", () => {
  const text = JSON.stringify(standardsCrd);
  for (const field of Object.keys(standardsSchema.shape)) expect(text).toContain(`"${field}":`);
  expect(text).not.toContain('"default"');
});

test("the example in the documentation is valid", async () => {
  const text = await readFile(new URL("../../../docs/standards.md", import.meta.url), "utf8");
  const example = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
  const standards = parseStandards(parseText(example, "docs/standards.md"));
  expect(Object.keys(standards.teams)).toEqual(["payments", "search"]);
});
