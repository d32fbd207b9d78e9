import { describe, expect, test } from "vitest";
import { changedSpec } from "../../../src/application/change.ts";
import { desiredObjects } from "../../../src/application/desired-objects.ts";
import { applicationFor, applicationOf } from "../../../src/application/from-request.ts";
import { serviceNameSchema } from "../../../src/application/names.ts";
import { judgeConnection } from "../../../src/application/network-evaluator.ts";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import { withProviders } from "../../../src/application/store-provider.ts";
import { loginObjects } from "../../../src/secrets/login-job.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

const images = { starter: "registry.example.internal/starter:1" };
const inCluster = standardsSchema.parse({ images });
const network = "projects/acme-prod/global/networks/main";
const atGoogle = standardsSchema.parse({
  images,
  database: { provider: "cloudsql" },
  cache: { provider: "memorystore" },
  google: { project: "acme-prod", network, range: "10.20.0.0/16" },
});
const request = serviceRequestSchema.parse({
  name: "shop",
  language: "go",
  database: "postgres",
  cache: "redis",
});
const shop = serviceNameSchema.parse("shop");

describe("where a data store runs", () => {
  test("is what the standards say when it is made, and stays so", () => {
    const before = applicationFor(request, inCluster).spec;
    expect(before.database).toEqual({ type: "postgres" });
    const { spec } = applicationFor(request, atGoogle);
    expect(spec).toMatchObject({
      database: { provider: "cloudsql" },
      cache: { provider: "memorystore" },
    });
    const defaults = atGoogle.workload.resources;
    const scaled = changedSpec(before, { operation: "scale", replicas: 4 }, { defaults });
    expect(withProviders(scaled, before, atGoogle).database).toEqual({ type: "postgres" });
    expect(withProviders(spec, spec, inCluster)).toEqual(spec);
  });

  test("of one that is taken out and put in again, is what the standards say then", () => {
    const before = applicationFor(request, inCluster).spec;
    const defaults = atGoogle.workload.resources;
    const without = changedSpec(before, { operation: "set", database: "none" }, { defaults });
    const again = changedSpec(without, { operation: "set", database: "postgres" }, { defaults });
    expect(withProviders(again, without, atGoogle)).toMatchObject({
      database: { provider: "cloudsql" },
      cache: { type: "redis" },
    });
  });

  test("cannot be at Google where the standards do not say in which project", () => {
    const problems = standardsSchema.safeParse({ cache: { provider: "memorystore" } }).error?.issues;
    expect(problems?.map(({ path, message }) => `${path.join(".")} ${message}`)).toEqual([
      "cache.provider needs google: its project, network and range",
    ]);
    for (const range of ["10.0.0.0", "10.0.0.0/4", "0.0.0.0/0", "fd00::/64", "10.0.0.0/16/2", "here/16"]) {
      const google = { project: "acme-prod", network, range };
      expect(standardsSchema.safeParse({ google }).success, range).toBe(false);
    }
  });
});

describe("the network of a service whose data stores are at Google", () => {
  const application = applicationFor(request, atGoogle);
  const objects = Object.values(desiredObjects(application, atGoogle)).flat();
  const login = loginObjects(application, atGoogle, "database").policies;
  const world = {
    namespaces: { "app-shop": {} },
    policies: [...objects, ...login].filter(({ kind }) => kind === "NetworkPolicy"),
  };
  const pod = (component: string) => ({
    pod: {
      namespace: "app-shop",
      labels: {
        "platform.company.com/service": "shop",
        "platform.company.com/component": component,
      },
    },
  });
  const allowed = (component: string, ip: string, port: number) =>
    judgeConnection(world, { from: pod(component), to: { ip }, port }).allowed;

  test("opens to the range of the data stores, on their ports, and no further", () => {
    expect(allowed("workload", "10.20.3.4", 5432)).toBe(true);
    expect(allowed("workload", "10.20.3.4", 6378)).toBe(true);
    expect(allowed("workload", "10.20.3.4", 22)).toBe(false);
    expect(allowed("workload", "10.21.0.1", 5432)).toBe(false);
    expect(allowed("workload", "169.254.169.254", 5432)).toBe(false);
  });

  test("lets the proof log in to the one it proves", () => {
    expect(allowed("login", "10.20.3.4", 5432)).toBe(true);
    expect(allowed("login", "10.20.3.4", 6378)).toBe(false);
    expect(allowed("login", "10.21.0.1", 5432)).toBe(false);
  });

  test("and its parts hold nothing of data stores in the cluster", () => {
    const desired = desiredObjects(application, atGoogle);
    expect([...desired.database, ...desired.cache]).toEqual([]);
    const kept = desiredObjects(applicationOf(shop, applicationFor(request, inCluster).spec), atGoogle);
    expect(kept.database.map(({ kind }) => kind)).toContain("StatefulSet");
  });
});
