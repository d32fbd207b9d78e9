import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sourceIn, sourceKeys, sourceNameSchema, sourcePeers } from "../../../src/backups/import-source.ts";

const secret = (values: Readonly<Record<string, string>>) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "old-shop", namespace: "app-shop" },
  data: Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
  ),
});
const whole = { host: "db.example.com", port: "5432", database: "shop", username: "shop", password: "x" };

describe("the secret of a source", () => {
  test("says where the source is", () => {
    expect(sourceIn(secret(whole))).toEqual({ address: { host: "db.example.com", port: 5432 } });
    for (const host of ["10.1.2.3", "fd00::1", "old_db", "db.old.svc.cluster.local", "db.example.com."]) {
      expect(sourceIn(secret({ ...whole, host })).problems).toBeUndefined();
    }
  });

  test("names each key that is missing or empty, all at once", () => {
    expect(sourceIn(secret({ host: "" })).problems).toEqual(sourceKeys.map((key) => `it has no ${key}`));
    const { data: _, ...empty } = secret({});
    expect(sourceIn(empty).problems).toHaveLength(sourceKeys.length);
  });

  test.each([
    [{ host: "a b" }, "its host is neither"],
    [{ host: "/var/run/postgresql" }, "its host is neither"],
    [{ host: "one,two" }, "its host is neither"],
    [{ port: "0" }, "its port is no"],
    [{ port: "65536" }, "its port is no"],
    [{ port: "5432,5433" }, "its port is no"],
    [{ password: "secret\n" }, "its password ends with a line break"],
    [{ sslmode: "allow" }, "its sslmode is none of"],
    [{ "ca.crt": "MIIB" }, "its ca.crt is no certificate"],
  ])("%o is wrong", (values, problem) => {
    expect(sourceIn(secret({ ...whole, ...values })).problems?.join()).toContain(problem);
  });

  test("never tells a value", () => {
    const value = fc.string({ minLength: 6, unit: fc.constantFrom(..."XYZQ \n';,{}") });
    fc.assert(
      fc.property(fc.record({ host: value, port: value, password: value, sslmode: value }), (values) => {
        const { problems = [] } = sourceIn(secret({ ...whole, ...values }));
        for (const each of Object.values(values)) expect(problems.join()).not.toContain(each);
      }),
    );
  });
});

test("a path leads to the source's address, its namespace, or, behind a name, to its port anywhere", () => {
  const to = (host: string) => sourcePeers({ host, port: 5432 });
  expect(to("10.1.2.3")).toEqual([{ ipBlock: { cidr: "10.1.2.3/32" } }]);
  expect(to("fd00::1")).toEqual([{ ipBlock: { cidr: "fd00::1/128" } }]);
  for (const host of [
    "db.old.svc",
    "db.old.svc.cluster.local",
    "db.old.svc.cluster.local.",
    "pod-0.db.old.svc",
    "DB.Old.SVC",
  ]) {
    expect(to(host)).toEqual([
      { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "old" } } },
    ]);
  }
  // Outside, a label may be called svc too.
  for (const host of ["db.example.com", "db.old.svc.example.com", "old.svc"]) {
    expect(to(host)).toEqual([{ ipBlock: { cidr: "0.0.0.0/0" } }, { ipBlock: { cidr: "::/0" } }]);
  }
});

test("only what can be a secret's name is one", () => {
  for (const name of ["old-shop", "shop.import.login.1"])
    expect(sourceNameSchema.safeParse(name).success).toBe(true);
  for (const name of ["", "Old", "a/b", "../x", "a..b", "-a", "x".repeat(254)]) {
    expect(sourceNameSchema.safeParse(name).success).toBe(false);
  }
});
