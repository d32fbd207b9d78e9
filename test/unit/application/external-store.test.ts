import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { credentialSecretNames, secretReadFor } from "../../../src/application/credentials.ts";
import { desiredObjects } from "../../../src/application/desired-objects.ts";
import {
  addressOf,
  addressText,
  externalKeys,
  pathProblem,
  pathText,
  secretProblems,
} from "../../../src/application/external-store.ts";
import { applicationFor, applicationOf } from "../../../src/application/from-request.ts";
import { labels, serviceNameSchema } from "../../../src/application/names.ts";
import { judgeConnection } from "../../../src/application/network-evaluator.ts";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import { applicationSpecSchema } from "../../../src/application/schema.ts";
import { readersOf } from "../../../src/secrets/list-secrets.ts";
import { loginObjects } from "../../../src/secrets/login-job.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";
import { externalValues, personsSecret } from "../../provisioning/external-secret.ts";

const standardsWith = (external: object) =>
  standardsSchema.parse({
    images: { starter: "registry.example.internal/starter:1" },
    dataStores: { external },
  });
const standards = standardsWith({ ranges: ["10.30.0.0/16", "fd00:30::/64"], namespaces: ["databases"] });
const at = (host: string, port = 5432) => ({ secret: "shop-login", host, port });
const shop = (host: string, more: object = {}) =>
  applicationOf(
    serviceNameSchema.parse("shop"),
    applicationSpecSchema.parse({
      team: "platform",
      image: "registry.example.internal/shop:1",
      database: { type: "postgres", provider: "external", external: at(host) },
      ...more,
    }),
  );

describe("the Secret of a data store that exists already", () => {
  const problemsOf = (
    values: Readonly<Record<string, string>>,
    store: "database" | "cache" = "database",
    more: object = {},
  ) =>
    secretProblems(
      { ...personsSecret("app-shop", "shop-login", values), ...more },
      at("db.acme.example", store === "database" ? 5432 : 6379),
      store,
    );
  const whole = externalValues("database");

  test("is taken where it says everything, and the same in parts as at once", () => {
    expect(problemsOf(whole)).toEqual([]);
    expect(problemsOf(externalValues("cache"), "cache")).toEqual([]);
    expect(problemsOf({ ...whole, uri: whole.uri?.replace(":5432", "") ?? "" })).toEqual([]);
    const cache = externalValues("cache");
    expect(
      problemsOf({ ...cache, username: "default", uri: cache.uri?.replace("shop:", ":") ?? "" }, "cache"),
    ).toEqual([]);
    const odd = externalValues("database", { password: `'; DROP TABLE users; --\n\${1+1}@/%` });
    expect(problemsOf(odd)).toEqual([]);
  });

  test.each(["database", "cache"] as const)("of a %s names each key that is missing or empty", (store) => {
    for (const key of externalKeys[store]) {
      const { [key]: _, ...without } = externalValues(store);
      expect(problemsOf(without, store)).toEqual([`has no key ${key}`]);
      expect(problemsOf({ ...without, [key]: "" }, store)).toEqual([`has nothing in key ${key}`]);
    }
    expect(problemsOf({}, store)).toHaveLength(externalKeys[store].length);
  });

  test.each([
    [{ host: "other.acme.example" }, ["has another host in key host than db.acme.example"]],
    [{ port: "5433" }, ["has another port in key port than 5432"]],
    [{ uri: "shop at db" }, ["has no postgresql:// address in key uri"]],
    [{ uri: "redis://shop:s3cret-of-theirs@db.acme.example" }, ["has no postgresql:// address in key uri"]],
    [
      { uri: "postgresql://a:b@other:1/c" },
      [
        "has another host in key uri than db.acme.example",
        "has another port in key uri than 5432",
        "has another username in key uri than in key username",
        "has another password in key uri than in key password",
        "has another database in key uri than in key database",
      ],
    ],
    [
      { sslmode: "sometimes" },
      ["has none of disable, allow, prefer, require, verify-ca, verify-full in key sslmode"],
    ],
    [
      { sslmode: "verify-full" },
      ["has verify-… in key sslmode and no key ca.crt, by which the certificate is judged"],
    ],
    [{ sslmode: "disable" }, ["has another sslmode in key uri than in key sslmode"]],
  ])("with %o is refused exactly", (change, problems) => {
    expect(problemsOf({ ...whole, ...change })).toEqual(problems);
  });

  test("that would have its path unencrypted by its uri alone is refused", () => {
    const uri = whole.uri?.replace("require", "disable") ?? "";
    expect(problemsOf({ ...whole, uri })).toEqual([
      "has another sslmode in key uri than require, which counts without a key sslmode",
    ]);
    expect(problemsOf({ ...whole, uri, sslmode: "disable" })).toEqual([]);
    const cache = externalValues("cache");
    const encrypted = { ...cache, uri: cache.uri?.replace("redis:", "rediss:") ?? "" };
    expect(problemsOf(encrypted, "cache")).toEqual([
      "has a rediss:// address in key uri and no key ca.crt, by which its certificate is judged",
    ]);
    expect(problemsOf({ ...encrypted, "ca.crt": "PEM" }, "cache")).toEqual([]);
  });

  test("that the platform made, or that holds something else, is not to be had by its name", () => {
    const metadata = { name: "other-db", namespace: "shared", labels: { [labels.managed]: "true" } };
    expect(problemsOf(whole, "database", { metadata })).toEqual([
      "was made by the platform: only one that somebody else has made can be named",
    ]);
    expect(problemsOf(whole, "database", { type: "kubernetes.io/service-account-token" })).toEqual([
      expect.stringContaining("is of type kubernetes.io/service-account-token"),
    ]);
  });

  test("is told of without any of its values", () => {
    const value = fc.string({ minLength: 4, maxLength: 40 }).map((text) => `~${text}~`);
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom("host", "port", "database", "username", "password", "uri", "sslmode", "ca.crt"),
          fc.oneof(
            value,
            value.map((text) => `postgresql://${encodeURIComponent(text)}:${encodeURIComponent(text)}@h/d`),
          ),
        ),
        (values) => {
          const told = problemsOf(values).join("\n");
          for (const each of Object.values(values)) expect(told).not.toContain(each);
        },
      ),
    );
  });
});

describe("the path to a data store that exists already", () => {
  const reaches = (host: string, ip: string, port = 5432, under = standards) =>
    judgeConnection(
      {
        namespaces: { "app-shop": {}, databases: {}, other: {} },
        policies: desiredObjects(shop(host), under).namespace.filter(({ kind }) => kind === "NetworkPolicy"),
      },
      { from: { pod: podOf("workload") }, to: { ip }, port },
    ).allowed;
  const podOf = (component: string) => ({
    namespace: "app-shop",
    labels: { [labels.service]: "shop", [labels.component]: component, [labels.managed]: "true" },
  });

  test("leads to its address and port, and nowhere else", () => {
    expect(reaches("10.30.1.2", "10.30.1.2")).toBe(true);
    expect(reaches("10.30.1.2", "10.30.1.3")).toBe(false);
    expect(reaches("10.30.1.2", "10.30.1.2", 443)).toBe(false);
    expect(reaches("fd00:30::5", "fd00:30::5")).toBe(true);
    expect(reaches("fd00:30::5", "fd00:30::6")).toBe(false);
  });

  test("of a host leads to every address that the standards allow, on its port, and the plan says so", () => {
    expect(reaches("db.acme.example", "10.30.200.9")).toBe(true);
    expect(reaches("db.acme.example", "10.31.0.1")).toBe(false);
    expect(reaches("db.acme.example", "10.30.200.9", 5433)).toBe(false);
    expect(pathText(at("db.acme.example"), standards)).toContain(
      "every address of 10.30.0.0/16, fd00:30::/64",
    );
  });

  test("never leads out of what the standards allow", () => {
    for (const host of ["8.8.8.8", "10.31.0.1", "fd00:31::1", "db.other.svc", "db.other.svc.cluster.local"]) {
      expect(pathProblem(at(host), standards)).toContain("nowhere the standards allow");
      expect(reaches(host, "8.8.8.8")).toBe(false);
      expect(reaches(host, "10.31.0.1")).toBe(false);
    }
    expect(pathProblem(at("db.acme.example"), standardsWith({}))).toContain("dataStores.external is empty");
    expect(reaches("db.acme.example", "10.30.0.1", 5432, standardsWith({}))).toBe(false);
  });

  test("of a Service leads into its namespace alone", () => {
    const judged = (namespace: string) =>
      judgeConnection(
        {
          namespaces: { "app-shop": {}, databases: {}, other: {} },
          policies: desiredObjects(shop("pg-rw.databases.svc"), standards).namespace.filter(
            ({ kind }) => kind === "NetworkPolicy",
          ),
        },
        { from: { pod: podOf("workload") }, to: { pod: { namespace, labels: {} } }, port: 5432 },
      ).allowed;
    expect([judged("databases"), judged("other")]).toEqual([true, false]);
    expect(pathProblem(at("pg-rw.databases.svc.cluster.local"), standards)).toBeUndefined();
  });

  test("is there for the Job that proves the login too, for its time", () => {
    const { policies } = loginObjects(shop("10.30.1.2"), standards, "database");
    const { namespace } = desiredObjects(shop("10.30.1.2"), standards);
    const closed = namespace.filter(({ kind }) => kind === "NetworkPolicy");
    const from = { pod: podOf("login") };
    const connection = { from, to: { ip: "10.30.1.2" }, port: 5432 };
    const namespaces = { "app-shop": {} };
    expect(judgeConnection({ namespaces, policies: closed }, connection).allowed).toBe(false);
    expect(judgeConnection({ namespaces, policies: [...closed, ...policies] }, connection).allowed).toBe(
      true,
    );
  });
});

describe("a service on a data store that exists already", () => {
  test("has no data store of its own, and its pods read the Secret that was named", () => {
    const objects = desiredObjects(shop("10.30.1.2"), standards);
    expect(objects.database).toEqual([]);
    expect(readersOf(objects.workload, "shop-login")).toEqual(["deployment/shop"]);
    expect(readersOf(objects.workload, "shop-db")).toEqual([]);
    expect(secretReadFor(shop("10.30.1.2"), "database")).toBe("shop-login");
    expect(credentialSecretNames(shop("10.30.1.2", { cache: { type: "redis" } }))).toEqual([
      "shop-login",
      "shop-cache",
    ]);
  });

  test("comes of a request, whatever the standards have new ones run on", () => {
    const google = {
      project: "acme-prod",
      network: "projects/acme-prod/global/networks/main",
      range: "10.20.0.0/16",
    };
    const request = serviceRequestSchema.parse({
      name: "shop",
      language: "go",
      database: "postgres",
      databaseSecret: "shop-login",
      databaseAddress: "db.acme.example:5433",
    });
    const atGoogle = standardsSchema.parse({ ...standards, database: { provider: "cloudsql" }, google });
    expect(applicationFor(request, atGoogle).spec.database).toEqual({
      type: "postgres",
      provider: "external",
      external: at("db.acme.example", 5433),
    });
  });

  test.each([
    [{ provider: "external" }, "external is given where the provider is external"],
    [{ external: at("db.acme.example") }, "external is given where the provider is external"],
    [
      { provider: "cloudsql", external: at("db.acme.example") },
      "external is given where the provider is external",
    ],
    [
      { provider: "external", external: at("db.acme.example"), size: "db-custom-1-3840" },
      "an external database has the size",
    ],
    [{ provider: "external", external: at("db:x") }, "is not a host"],
    [{ provider: "external", external: at("db acme") }, "is not a host"],
    [
      { provider: "external", external: { ...at("db"), secret: "shop.stripe.KEY.1" } },
      "is not the name of a Secret",
    ],
    [{ provider: "external", external: at("db", 0) }, ">=1"],
  ])("cannot be told as %o", (database, problem) => {
    const parsed = applicationSpecSchema.safeParse({
      team: "platform",
      image: "registry.example.internal/shop:1",
      database: { type: "postgres", ...database },
    });
    expect(parsed.error?.issues.map(({ message }) => message).join("; ")).toContain(problem);
  });

  test("has its address as a person types it", () => {
    expect(addressOf("db.acme.example:5432")).toEqual({ host: "db.acme.example", port: 5432 });
    expect(addressOf("[fd00::1]:6379")).toEqual({ host: "fd00::1", port: 6379 });
    expect(addressText({ host: "fd00::1", port: 6379 })).toBe("[fd00::1]:6379");
    for (const text of [
      "",
      "db",
      "db:",
      "db:0",
      "db:70000",
      "DB:1",
      "db:5432/x",
      "[db]:1",
      "a b:1",
      "fd00::1:6379x",
    ]) {
      expect(addressOf(text), text).toBeUndefined();
    }
  });
});
