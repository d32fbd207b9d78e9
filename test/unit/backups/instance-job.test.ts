import { describe, expect, test } from "vitest";
import { readingIn } from "../../../src/backups/instance-job.ts";

describe("what the reading of an instance says", () => {
  test("is told with each table", () => {
    expect(readingIn("2 1204 public.orders=1203 public.users=1\n")).toEqual({
      tables: 2,
      rows: 1204,
      told: ["public.orders: 1203 rows", "public.users: 1 row"],
    });
    expect(readingIn("0 0")).toEqual({ tables: 0, rows: 0, told: [] });
  });

  test.each(["", "psql: error: connection refused", "2", "-1 3", "2 x", "1e9 3"])(
    "counts for nothing where it is %j",
    (said) => {
      expect(readingIn(said)).toBeUndefined();
    },
  );
});
