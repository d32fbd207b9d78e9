import { describe, expect, test } from "vitest";
import { cloudSqlPostgres } from "../../../src/terraform/cloudsql.ts";
import { planLines, readPlan } from "../../../src/terraform/plan.ts";

interface Change {
  readonly address?: string;
  readonly type?: string;
  readonly action_reason?: string;
  readonly actions: readonly string[];
  readonly before?: unknown;
  readonly after?: unknown;
  readonly more?: object;
}

function planOf(changes: readonly Change[], more: object = {}): string {
  return JSON.stringify({
    format_version: "1.2",
    resource_changes: changes.map(raw),
    ...more,
  });
}

function raw({
  address,
  type,
  action_reason,
  actions,
  before = null,
  after = null,
  more = {},
}: Change): object {
  return {
    address: address ?? "google_sql_database_instance.this",
    mode: "managed",
    type: type ?? "google_sql_database_instance",
    ...(action_reason === undefined ? {} : { action_reason }),
    change: { actions, before, after, after_unknown: {}, ...more },
  };
}

const read = (text: string) => readPlan(text, (told) => told, cloudSqlPostgres);

describe("a plan", () => {
  test.each([
    [["create"], "create", []],
    [["update"], "update", []],
    [["no-op"], "no-op", []],
    [["delete"], "destroy", ["google_sql_database_instance.this"]],
    [["delete", "create"], "replace", ["google_sql_database_instance.this"]],
    [["create", "delete"], "replace", ["google_sql_database_instance.this"]],
    [["forget"], "forget", []],
  ])("of %j is understood, and says what data it loses", (actions, action, losesData) => {
    const plan = read(planOf([{ actions }]));
    expect(plan.resources[0]).toMatchObject({ action, holdsData: true });
    expect(plan.losesData).toEqual(losesData);
    expect(plan.changes).toBe(action !== "no-op");
  });

  test("that destroys what holds no data loses none", () => {
    expect(read(planOf([{ type: "google_sql_user", actions: ["delete"] }])).losesData).toEqual([]);
  });

  test("that wants what this program does not know is refused", () => {
    expect(() => read(planOf([{ actions: ["defer"] }]))).toThrow(/does not know: defer; nothing was changed/);
    expect(() => read(planOf([], { errored: true }))).toThrow(/not complete/);
    expect(() => read(JSON.stringify({ format_version: "2.0" }))).toThrow(/cannot be understood/);
    expect(() => read("no JSON")).toThrow(/cannot be understood/);
  });

  test("changes something where only an output does, or something is taken over", () => {
    expect(read(planOf([], { output_changes: { host: { actions: ["update"] } } })).changes).toBe(true);
    expect(read(planOf([], { output_changes: { host: { actions: ["no-op"] } } })).changes).toBe(false);
    const plan = read(planOf([{ actions: ["no-op"], more: { importing: { id: "demo" } } }]));
    expect(plan.changes).toBe(true);
    expect(planLines(plan)).toEqual(["take over google_sql_database_instance.this"]);
  });

  test("tells each field that changes, hides what is secret, and says what is not known yet", () => {
    const plan = read(
      planOf([
        {
          actions: ["update"],
          before: {
            settings: [{ tier: "small", labels: { a: "1" } }],
            password: "geheim",
            list: [],
            same: 1,
            token: { value: "geheim" },
          },
          after: {
            settings: [{ tier: "large", labels: { a: "1", b: "2" } }],
            password: "neu",
            list: null,
            same: 1,
            token: { value: "neu" },
          },
          more: {
            after_unknown: { address: true },
            before_sensitive: { password: true, token: true },
            after_sensitive: { password: true, token: true },
          },
        },
      ]),
    );
    expect(planLines(plan)).toEqual([
      "change google_sql_database_instance.this",
      '  settings.0.tier: "small" → "large"',
      '  settings.0.labels.b: nothing → "2"',
      "  password: (hidden) → (hidden)",
      "  token.value: (hidden) → (hidden)",
      "  address: nothing → known once it is done",
    ]);
    expect(JSON.stringify(plan)).not.toContain("geheim");
  });

  test("tells what destroys first, and in capitals", () => {
    const plan = read(
      planOf([
        { address: "google_sql_user.this", type: "google_sql_user", actions: ["create"] },
        { actions: ["delete", "create"] },
      ]),
    );
    expect(planLines(plan)).toEqual([
      "REPLACE google_sql_database_instance.this, and the data in it",
      "make google_sql_user.this",
    ]);
  });

  test("tells what somebody changed or deleted behind its back", () => {
    const plan = read(
      planOf([], {
        resource_drift: [
          raw({ actions: ["update"] }),
          raw({ address: "google_sql_user.this", actions: ["delete"] }),
        ],
      }),
    );
    expect(planLines(plan)).toEqual([
      "google_sql_database_instance.this is not as it was: somebody changed it",
      "google_sql_user.this is gone: somebody deleted it",
    ]);
  });

  test("says of an instance that is there which workspace it is of", () => {
    const before = { settings: [{ user_labels: { "platform-workspace": "demo-db" } }] };
    expect(read(planOf([{ actions: ["update"], before }])).resources[0]?.workspace).toBe("demo-db");
    expect(read(planOf([{ actions: ["update"], before: {} }])).resources[0]?.workspace).toBeUndefined();
  });

  test("knows what an unfinished run left", () => {
    const plan = read(planOf([{ actions: ["delete", "create"], action_reason: "replace_because_tainted" }]));
    expect(plan.resources[0]?.tainted).toBe(true);
  });
});
