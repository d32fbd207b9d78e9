import { expect, test } from "vitest";
import { isForeign } from "../../../src/provisioning/objects/namespace-contents.ts";
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
