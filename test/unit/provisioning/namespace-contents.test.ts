import { expect, test } from "vitest";
import { isClaimOf, isForeign } from "../../../src/provisioning/objects/namespace-contents.ts";
import { effectKey } from "../../../src/provisioning/runs/effect.ts";

const hash = { "reconcile.external-secrets.io/data-hash": "1" };
const namespace = "app-shop";

function ownership(...requests: readonly string[]) {
  const effects = requests.map((name) =>
    effectKey({
      kind: "object",
      apiVersion: "external-secrets.io/v1",
      type: "ExternalSecret",
      name,
      namespace,
    }),
  );
  return { effects: new Set(effects), run: "shop-create-1", service: "shop", statefulSets: [] };
}

test("a Secret that was made for an ExternalSecret of the run is not foreign, before anybody has taken it over", () => {
  const secret = { name: "shop-db", namespace, annotations: hash };
  expect(isForeign("Secret", "v1", secret, ownership("shop-db"))).toBe(false);
});

test("others are: of another ExternalSecret, made by hand, or of another kind", () => {
  expect(
    isForeign("Secret", "v1", { name: "notes", namespace, annotations: hash }, ownership("shop-db")),
  ).toBe(true);
  expect(isForeign("Secret", "v1", { name: "shop-db", namespace }, ownership("shop-db"))).toBe(true);
  expect(
    isForeign("ConfigMap", "v1", { name: "shop-db", namespace, annotations: hash }, ownership("shop-db")),
  ).toBe(true);
});

test("a data store has the claims of its own StatefulSet, not those of a service beside it whose name ends alike", () => {
  expect(isClaimOf("data-api-db-0", "api-db")).toBe(true);
  expect(isClaimOf("api-db-backups", "api-db")).toBe(true);
  for (const other of ["data-my-api-db-0", "my-api-db-backups", "data-api-db", "data-api-db-0-copy"]) {
    expect(isClaimOf(other, "api-db")).toBe(false);
  }
});
