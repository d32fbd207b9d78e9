import { expect, test } from "vitest";
import { ClusterError } from "../../../src/cluster/errors.ts";
import { createLog, errorFields, type LogLevel } from "../../../src/operator/log.ts";

function logAt(level: LogLevel) {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line), { level, now: () => new Date("2026-01-02T03:04:05Z") });
  return { log, lines };
}

test("a line is one JSON object: time, level, message, and the fields", () => {
  const { log, lines } = logAt("info");
  log.with({ controller: "applications" }).warn("reconcile failed", { key: "shop/ledger", unset: undefined });
  expect(lines).toEqual([
    '{"time":"2026-01-02T03:04:05.000Z","level":"warn","msg":"reconcile failed","controller":"applications","key":"shop/ledger"}\n',
  ]);
});

test("only what is asked for is told", () => {
  const { log, lines } = logAt("warn");
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(["c", "d"]);
});

test("texts of servers lose what could rewrite a terminal, and their length", () => {
  const { log, lines } = logAt("info");
  log.info("x", errorFields(new ClusterError("forbidden", `no\x1b[2J\r\nway ${"y".repeat(9_000)}`)));
  const [line = ""] = lines;
  expect(JSON.parse(line).error).toMatch(/^no way y+…$/);
  expect(line.length).toBeLessThan(2_200);
});
