import { describe, expect, test } from "vitest";
import type { Application } from "../../../src/application/application.ts";
import { desiredObjects } from "../../../src/application/desired-objects.ts";
import { applicationFor } from "../../../src/application/from-request.ts";
import { migrationMark } from "../../../src/application/migration.ts";
import { judgeConnection, type NetworkPod } from "../../../src/application/network-evaluator.ts";
import { migrationJob } from "../../../src/application/objects/migration.ts";
import { subjectOf } from "../../../src/application/objects/subject.ts";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import { storedSpecSchema } from "../../../src/application/schema.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

const standards = standardsSchema.parse({ images: { starter: "registry.example.internal/starter:1" } });
const request = {
  name: "ledger",
  language: "go",
  database: "postgres",
  cache: "redis",
  image: "r.io/ledger:1",
};
const plain = applicationFor(serviceRequestSchema.parse(request), standards);
const application: Application = {
  ...plain,
  spec: { ...plain.spec, migrations: { command: ["/bin/ledger", "migrate up; rm -rf /"] } },
};
const job = JSON.parse(JSON.stringify(migrationJob(subjectOf(application, standards))));
const deploymentOf = (of: Application) =>
  JSON.parse(
    JSON.stringify(desiredObjects(of, standards).workload.find(({ kind }) => kind === "Deployment")),
  );

describe("the mark of a migration", () => {
  const { spec } = application;
  const mark = migrationMark(spec);
  test("changes with what is run and with what is run after it, and with nothing else", () => {
    const others = [
      { ...spec, image: "r.io/ledger:2" },
      { ...spec, migrations: { ...spec.migrations, command: ["/bin/ledger", "migrate", "up; rm -rf /"] } },
      { ...spec, migrations: { command: ["/bin/ledger", "migrate up; rm -rf /"], image: "r.io/tools:1" } },
    ].map(migrationMark);
    expect(new Set([mark, ...others]).size).toBe(4);
    expect(migrationMark({ ...spec, ...{ replicas: 9, exposure: "public" } })).toBe(mark);
  });
  test("there is none without a migration, nor while a starter runs", () => {
    expect(migrationMark(plain.spec)).toBeUndefined();
    expect(migrationMark({ ...spec, starter: true })).toBeUndefined();
  });
  test("stands on the Deployment, not on its pods: a migration alone rolls nothing", () => {
    const [before, after] = [deploymentOf(plain), deploymentOf(application)];
    expect(after.spec).toEqual(before.spec);
    expect(after.metadata.annotations).toEqual({ "platform.company.com/migration": mark });
  });
});

describe("the Job of a migration", () => {
  const [container] = job.spec.template.spec.containers;
  test("is the service's own pod, with another program that no shell takes apart", () => {
    const pod = deploymentOf(application).spec.template.spec;
    const [service] = pod.containers;
    expect(container).toMatchObject({
      image: "r.io/ledger:1",
      command: ["/bin/ledger", "migrate up; rm -rf /"],
    });
    for (const field of ["env", "resources", "securityContext", "volumeMounts"]) {
      expect(container[field]).toEqual(service[field]);
    }
    for (const field of [
      "securityContext",
      "serviceAccountName",
      "automountServiceAccountToken",
      "volumes",
    ]) {
      expect(job.spec.template.spec[field]).toEqual(pod[field]);
    }
  });
  test("gets no requests, and is tried once", () => {
    const service = desiredObjects(application, standards).workload.find(({ kind }) => kind === "Service");
    const { selector } = JSON.parse(JSON.stringify(service)).spec;
    const { labels } = job.spec.template.metadata;
    expect(Object.entries(selector).every(([key, value]) => labels[key] === value)).toBe(false);
    expect(container).not.toHaveProperty("ports");
    expect(job.spec).toMatchObject({ backoffLimit: 0, template: { spec: { restartPolicy: "Never" } } });
  });
  test("reaches the data stores and nothing that the service does not; without a migration nobody does", () => {
    const namespaces = { "app-ledger": { "platform.company.com/managed": "true" } };
    const pod = (labels: Record<string, string>): NetworkPod => ({ namespace: "app-ledger", labels });
    const store = (of: Application, part: "database" | "cache") => {
      const set = desiredObjects(of, standards)[part].find(({ kind }) => kind === "StatefulSet");
      return pod(JSON.parse(JSON.stringify(set)).spec.template.metadata.labels);
    };
    const allowed = (of: Application, part: "database" | "cache", port: number) =>
      judgeConnection(
        {
          namespaces,
          policies: Object.values(desiredObjects(of, standards))
            .flat()
            .filter(({ kind }) => kind === "NetworkPolicy"),
        },
        { from: { pod: pod(job.spec.template.metadata.labels) }, to: { pod: store(of, part) }, port },
      ).allowed;
    expect([allowed(application, "database", 5432), allowed(application, "cache", 6379)]).toEqual([
      true,
      true,
    ]);
    expect([allowed(plain, "database", 5432), allowed(plain, "cache", 6379)]).toEqual([false, false]);
    expect(allowed(application, "database", 22)).toBe(false);
  });
});

test("a migration without a command, or with an empty word, is refused", () => {
  const parse = (migrations: object) =>
    storedSpecSchema.safeParse({ image: "r.io/ledger:1", migrations }).success;
  expect(parse({ command: ["migrate"] })).toBe(true);
  for (const wrong of [
    {},
    { command: [] },
    { command: [""] },
    { command: "migrate" },
    { command: ["x"], image: "NO" },
  ]) {
    expect(parse(wrong)).toBe(false);
  }
});
