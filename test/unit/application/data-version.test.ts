import { expect, test } from "vitest";
import { dataProblem } from "../../../src/application/data-version.ts";
import { labels } from "../../../src/application/names.ts";

function stateful(component: string, image: string) {
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "shop", labels: { [labels.component]: component } },
    spec: { template: { spec: { containers: [{ name: "store", image }] } } },
  };
}

const digest = `@sha256:${"a".repeat(64)}`;

test.each([
  ["cache", "docker.io/library/redis:7.4.7", "docker.io/library/redis:7.2.11", "Redis 7.2 does not read"],
  ["cache", "redis:8", "redis:7.4", "Redis 7.4 does not read what Redis 8.0"],
  ["cache", "redis:7.10.1", "redis:7.9.1-bookworm", "Redis 7.9 does not read what Redis 7.10"],
  ["database", "postgres:15.15", "postgres:17.1", "PostgreSQL 17 does not read what PostgreSQL 15"],
  ["database", `host:5000/postgres:16${digest}`, "postgres:15", "PostgreSQL 15 does not read"],
])("%s: %s does not become %s", (component, from, to, problem) => {
  expect(dataProblem(stateful(component, from), stateful(component, to))).toContain(problem);
});

test.each([
  ["cache", "redis:7.2.11", "redis:7.4.7"],
  ["cache", "redis:7.4.7", "redis:7.4.1"],
  ["cache", "redis:7.4.7", "redis:8"],
  ["database", "postgres:15.15", "postgres:15.9-bookworm"],
  // A port is no version, and a digest alone says none.
  ["database", "host:5000/postgres", "host:17/postgres"],
  ["cache", `redis${digest}`, "redis:6"],
  ["workload", "shop:2", "shop:1"],
])("%s: %s may become %s", (component, from, to) => {
  expect(dataProblem(stateful(component, from), stateful(component, to))).toBeUndefined();
});
