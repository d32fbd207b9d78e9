import { parser } from "@prometheus-io/lezer-promql";
import { expect, test } from "vitest";
import { desiredObjects } from "../../../src/application/desired-objects.ts";
import { applicationFor } from "../../../src/application/from-request.ts";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import { sandboxStandards } from "../../../src/standards/sandbox-standards.ts";

function isPromql(expression: string): boolean {
  let valid = expression !== "";
  parser.parse(expression).iterate({
    enter: ({ type }) => {
      if (type.isError) valid = false;
    },
  });
  return valid;
}

/** Every expression of the alerts and of the dashboard's panels, wherever they stand. */
function expressions(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    if (typeof child !== "string") return expressions(child);
    if (key.endsWith(".json")) return expressions(JSON.parse(child));
    return key === "expr" ? [child] : [];
  });
}

test("alerts and dashboard are made of valid PromQL about the service's own namespace", () => {
  const standards = sandboxStandards();
  const request = serviceRequestSchema.parse({
    name: "ledger",
    language: "go",
    database: "postgres",
    cache: "redis",
  });
  const { monitoring } = desiredObjects(applicationFor(request, standards), standards);
  const found = expressions(
    monitoring.filter(({ kind }) => kind === "PrometheusRule" || kind === "ConfigMap"),
  );
  expect(found.length).toBeGreaterThan(8);
  expect(found.filter((expression) => !isPromql(expression))).toEqual([]);
  expect(found.filter((expression) => !expression.includes('namespace="app-ledger"'))).toEqual([]);
  expect(isPromql("sum(rate(x[5m])")).toBe(false);
});
