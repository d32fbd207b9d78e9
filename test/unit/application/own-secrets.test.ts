import fc from "fast-check";
import { expect, test } from "vitest";
import { changedSpec } from "../../../src/application/change.ts";
import { type OwnSecret, ownSecretName, ownSecretSchema } from "../../../src/application/own-secrets.ts";
import { applicationSpecSchema } from "../../../src/application/schema.ts";
import { specDiff } from "../../../src/application/spec-diff.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

const secrets = fc.record({
  name: fc.stringMatching(/^[a-z]([-a-z0-9]{0,8}[a-z0-9])?$/),
  key: fc.stringMatching(/^[B-N][A-Z0-9]{0,5}(_[A-Z0-9]{1,4}){0,2}$/),
  version: fc.integer({ min: 1, max: 999_999 }),
});
const services = fc.stringMatching(/^[a-z]([-a-z0-9]{0,8}[a-z0-9])?$/);

test("no two values share a Secret, and none is one of a data store", () => {
  fc.assert(
    fc.property(services, secrets, services, secrets, (service, one, otherService, other) => {
      const [first, second] = [ownSecretName(service, one), ownSecretName(otherService, other)];
      const same = service === otherService && JSON.stringify(one) === JSON.stringify(other);
      expect(first === second).toBe(same);
      expect(first).toMatch(/^[a-z][-a-z0-9]*[.][a-z][-a-z0-9]*[.][a-z][-a-z0-9]*[.][1-9][0-9]*$/);
      expect(first.length).toBeLessThanOrEqual(253);
    }),
  );
});

test.each([
  ["name", "../db"],
  ["name", "a.b"],
  ["name", "x".repeat(41)],
  ["name", "$(id)"],
  ["key", "stripe_key"],
  ["key", "A__B"],
  ["key", "A_"],
  ["key", "DATABASE_URL"],
  ["key", "PORT"],
  ["key", "A=B"],
  ["key", "A\nB"],
  ["version", 0],
] as const)("a %s of %j is refused", (field, value) => {
  const good = { name: "stripe", key: "STRIPE_KEY", version: 1 };
  expect(ownSecretSchema.safeParse(good).success).toBe(true);
  expect(ownSecretSchema.safeParse({ ...good, [field]: value }).success).toBe(false);
});

const { resources: defaults } = standardsSchema.parse({}).workload;
const bare = applicationSpecSchema.parse({ team: "payments", image: "gcr.io/company/shop:1" });
const stripe = (version: number): OwnSecret => ({ name: "stripe", key: "STRIPE_KEY", version });

test("a set replaces the variable it names and leaves the others; the last one that goes leaves none", () => {
  const other = { name: "tls", key: "CLIENT_PEM", version: 1 };
  const set = (spec: typeof bare, secret: OwnSecret) =>
    changedSpec(spec, { operation: "set", secret }, { defaults });
  const both = set(set(set(bare, stripe(1)), other), stripe(2));
  expect(both.secrets).toEqual([other, stripe(2)]);
  const without = (spec: typeof bare, withoutSecret: string) =>
    changedSpec(spec, { operation: "set", withoutSecret }, { defaults });
  expect(without(without(both, "CLIENT_PEM"), "STRIPE_KEY")).toEqual(bare);
  // What another change makes of it.
  expect(changedSpec(both, { operation: "scale", replicas: 3 }, { defaults }).secrets).toEqual(both.secrets);
});

test("what changes is told, in whatever order the cluster keeps the fields", () => {
  const { version, key, name } = stripe(1);
  const stored = { ...bare, secrets: [{ version, key, name }] };
  expect(specDiff(stored, { ...bare, secrets: [stripe(1)] })).toEqual([]);
  expect(specDiff(stored, { ...bare, secrets: [stripe(2)] })).toEqual([
    {
      field: "secrets",
      before: "key STRIPE_KEY name stripe version 1",
      after: "key STRIPE_KEY name stripe version 2",
    },
  ]);
});
