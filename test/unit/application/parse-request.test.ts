import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseText } from "../../../src/application/document.ts";
import {
  maxServiceNameLength,
  serviceNameSchema,
  suggestServiceName,
} from "../../../src/application/names.ts";
import { parseRequest, requestOf } from "../../../src/application/parse-request.ts";
import { problemText } from "../../../src/application/refusal.ts";
import {
  alertNames,
  cacheTypes,
  databaseTypes,
  exposures,
  languages,
} from "../../../src/application/request.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

const standards = standardsSchema.parse({ images: { starter: "registry.example.internal/starter:1" } });
const base = { name: "ledger", language: "go" };

function problemsOf(raw: Record<string, unknown>, by = standards) {
  const parsed = parseRequest(raw, by);
  return parsed.ok ? [] : parsed.problems;
}

describe("names", () => {
  test.each([
    ["My_Service", "my-service"],
    ["", undefined],
    ["a".repeat(47), "a".repeat(46)],
    ["1st-service", "st-service"],
    ["-ledger", "ledger"],
    ["ledger-", "ledger"],
    ["bücher", "bucher"],
    ["支付", undefined],
    ["../etc/passwd", "etc-passwd"],
    ["$(reboot)", "reboot"],
    ["a;b", "a-b"],
    ["ledger\n", "ledger"],
    ["two\nlines", "two-lines"],
  ])("%j is refused and suggests %j", (name, suggestion) => {
    const [problem, ...others] = problemsOf({ ...base, name });
    expect(others).toEqual([]);
    expect(problem?.field).toBe("name");
    expect(problem?.suggestion).toBe(suggestion);
  });

  test("a suggestion is always a valid name, and valid names need none", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 80 }), (text) => {
        const suggestion = suggestServiceName(text);
        if (suggestion !== undefined) expect(serviceNameSchema.safeParse(suggestion).success).toBe(true);
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]([-a-z0-9]{0,44}[a-z0-9])?$/), (name) => {
        expect(problemsOf({ ...base, name })).toEqual([]);
        expect(name.length).toBeLessThanOrEqual(maxServiceNameLength);
      }),
    );
  });
});

describe("replicas", () => {
  test.each([
    ["-1", "1"],
    [-1, "1"],
    ["1.5", "2"],
    [1.5, "2"],
    ["three", undefined],
    ["1000000000", "50"],
    [1e9, "50"],
    [0, "1"],
    ["", undefined],
    ["0x10", undefined],
    ["03", undefined],
    ["3e0", undefined],
    [true, undefined],
    [[3], undefined],
    [Number.NaN, undefined],
  ])("%j is refused", (replicas, suggestion) => {
    const [problem] = problemsOf({ ...base, replicas });
    expect(problem).toMatchObject({ field: "replicas", message: expect.stringContaining("from 1 to 50") });
    expect(problem?.suggestion).toBe(suggestion);
  });

  test.each([["3"], [3], [" 3 "], ["3.0"]])("%j is three", (replicas) => {
    expect(parseRequest({ ...base, replicas }, standards)).toMatchObject({
      ok: true,
      request: { replicas: 3 },
    });
  });
});

describe("choices", () => {
  test.each([
    ["language", "golang", "go"],
    ["language", "Go", "go"],
    ["language", "golng", "go"],
    ["language", "typescrpt", "typescript"],
    ["language", "cobol", undefined],
    ["database", "postgresql", "postgres"],
    ["database", "postgre", "postgres"],
    ["database", "oracle", undefined],
    ["cache", "reddis", "redis"],
    ["exposure", "pubic", "public"],
    ["exposure", "internet", "public"],
    ["alerts", "high-eror-rate", "high-error-rate"],
  ])("%s %s suggests %s and says what is allowed", (field, value, suggestion) => {
    const [problem, ...others] = problemsOf({ ...base, [field]: value });
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ field, message: expect.stringContaining("allowed: ") });
    expect(problem?.suggestion).toBe(suggestion);
  });

  test("alerts from a command line: a list with commas, or none", () => {
    expect(parseRequest({ ...base, alerts: "high-latency, high-error-rate" }, standards)).toMatchObject({
      request: { alerts: ["high-error-rate", "high-latency"] },
    });
    expect(parseRequest({ ...base, alerts: "none" }, standards)).toMatchObject({ request: { alerts: [] } });
  });

  test("a misspelt field", () => {
    expect(problemsOf({ ...base, replica: 3 })).toEqual([
      { field: "replica", message: "is not known", suggestion: "replicas" },
    ]);
  });
});

describe("what the standards say", () => {
  const strict = standardsSchema.parse({
    teams: { payments: { groups: ["p"] }, search: { groups: ["s"] } },
    images: { registries: ["registry.example.internal/acme"] },
  });
  const given = { ...base, team: "search", image: "registry.example.internal/acme/ledger:1" };

  test("a team is needed where there are several, and has to be one of them", () => {
    expect(problemsOf({ ...given, team: undefined }, strict)[0]).toMatchObject({
      field: "team",
      message: "a team is needed: one of payments, search",
    });
    expect(problemsOf({ ...given, team: "serch" }, strict)[0]?.suggestion).toBe("search");
    expect(parseRequest(given, strict)).toMatchObject({ ok: true, request: { team: "search" } });
  });

  test("the only team is the default", () => {
    expect(parseRequest(base, standards)).toMatchObject({ request: { team: "platform" } });
  });

  test("images come from the allowed registries, by whole path segments", () => {
    expect(problemsOf(given, strict)).toEqual([]);
    for (const image of ["registry.example.internal/acme-evil/x", "evil/registry.example.internal/acme/x"]) {
      expect(problemsOf({ ...given, image }, strict)[0]).toMatchObject({ field: "image" });
    }
  });

  test("without a starter image a new service needs an image", () => {
    expect(problemsOf({ ...given, image: undefined }, strict)[0]).toMatchObject({
      field: "image",
      message: expect.stringContaining("starter"),
    });
  });

  test.each(["", "a b", "$(x)", "UPPER/x", "x\n", "-x", "x:", "x@sha256:1", "a//b", "../x", "x:a b"])(
    "image %j is no reference",
    (image) => {
      expect(problemsOf({ ...base, image })[0]?.field).toBe("image");
    },
  );
});

test.each([
  "go",
  "registry.example.com:5000/team/a_b/c--d:v1.2.3",
  "localhost/x",
  `registry.example.com/x:1@sha256:${"a".repeat(64)}`,
])("image %s is one", (image) => {
  expect(parseRequest({ ...base, image }, standards)).toMatchObject({ ok: true, request: { image } });
});

test("all problems come at once, and none carries a control character", () => {
  const problems = problemsOf({
    name: "A_b",
    language: "\u001b[31mrust",
    replicas: "\u202Ex",
    database: "mongo",
  });
  expect(problems.map(({ field }) => field)).toEqual(["name", "language", "replicas", "database"]);
  const text = problems.map((problem) => problemText(problem)).join("");
  expect(text).not.toMatch(/[\u0000-\u001f\u202e]/);
});

test("whatever is valid parses, and parsing again changes nothing", () => {
  const arbitrary = fc.record(
    {
      name: fc.constantFrom("a", "api-gateway", "x".repeat(46)),
      language: fc.constantFrom(...languages),
      replicas: fc.integer({ min: 1, max: 50 }),
      database: fc.constantFrom(...databaseTypes),
      cache: fc.constantFrom(...cacheTypes),
      exposure: fc.constantFrom(...exposures),
      alerts: fc.subarray([...alertNames]),
    },
    { requiredKeys: ["name", "language"] },
  );
  fc.assert(
    fc.property(arbitrary, (raw) => {
      const parsed = parseRequest(raw, standards);
      if (!parsed.ok) throw new Error(parsed.problems.map((problem) => problemText(problem)).join());
      expect(parsed.request).toMatchObject(raw);
      expect(parseRequest(parsed.request, standards)).toEqual(parsed);
    }),
  );
});

test("nothing a file can hold makes parsing throw", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("name", "language", "replicas", "alerts", "image", "x"), fc.anything()),
      (raw) => {
        parseRequest(raw, standards);
      },
    ),
  );
});

describe("files", () => {
  const parse = (text: string) => {
    const { values, positionOf } = requestOf(parseText(text, "spec.yaml"));
    return parseRequest(values, standards, positionOf);
  };

  test("each problem has the line and column of its value", () => {
    const parsed = parse("name: ledger\nlanguage: rust\n# people\nreplicas: three\ndatabse: postgres\n");
    expect(parsed.ok ? [] : parsed.problems.map((problem) => problemText(problem, "spec.yaml"))).toEqual([
      "spec.yaml:2:11: language: unknown language rust; allowed: go, typescript",
      "spec.yaml:4:11: replicas: must be a whole number from 1 to 50, not three",
      "spec.yaml:5:10: databse: is not known; did you mean database?",
    ]);
  });

  test("an Application as kubectl prints it", () => {
    const parsed = parse(`
apiVersion: platform.company.com/v1
kind: Application
metadata: {name: ledger, uid: x}
spec:
  language: go
  replicas: 60
  database: {type: postgres}
  starter: true
  image: registry.example.internal/starter:1
  monitoring: {enabled: true, alerts: [high-latency]}
`);
    expect(parsed).toEqual({
      ok: false,
      problems: [expect.objectContaining({ field: "replicas", line: 7, column: 13, suggestion: "50" })],
    });
  });

  test.each([
    ["name: [", 1],
    ["a: 1\na: 2", 2],
    ["- ledger", undefined],
    ["kind: Deployment", 1],
    ["", undefined],
    ["a: &a [x]\nb: *c", undefined],
    ["name: !!js/function ledger\nlanguage: go", 1],
    ["name: ledger\n---\nname: other", 2],
    ["[".repeat(20_000) + "]".repeat(20_000), 1],
  ])("%j is refused", (text, line) => {
    try {
      parse(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ name: "RefusedInput", file: "spec.yaml" });
      if (line !== undefined) expect(error).toMatchObject({ problems: [expect.objectContaining({ line })] });
    }
  });
});
