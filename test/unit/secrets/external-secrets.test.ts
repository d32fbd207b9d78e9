import fc from "fast-check";
import { expect, test } from "vitest";
import { secretsOfStore } from "../../../src/application/credentials.ts";
import { applicationOf } from "../../../src/application/from-request.ts";
import { serviceNameSchema } from "../../../src/application/names.ts";
import { applicationSpecSchema } from "../../../src/application/schema.ts";
import { externalSecrets, remoteKeyOf } from "../../../src/secrets/external-secrets.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

const label = fc.stringMatching(/^[a-z]([-a-z0-9]{0,20}[a-z0-9])?$/);

const applicationNamed = (name: string, team = "payments", user?: string) =>
  applicationOf(
    serviceNameSchema.parse(name),
    applicationSpecSchema.parse({
      team,
      image: "gcr.io/company/shop:1",
      database: { type: "postgres", ...(user === undefined ? {} : { user }) },
      cache: { type: "redis" },
    }),
  );

const secretNames = (service: string) => [`${service}-db`, `${service}-cache`, `${service}-cache-admin`];

test("no two passwords have one key in a store, and each key is a name in Google's and in Vault", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(label, label), { minLength: 2, maxLength: 6, selector: String }),
      (pairs) => {
        const keys = pairs.flatMap(([team, service]) =>
          secretNames(service).map((secret) => remoteKeyOf(applicationNamed(service, team), secret)),
        );
        expect(new Set(keys).size).toBe(keys.length);
        for (const key of keys) expect(key).toMatch(/^[A-Za-z0-9_-]{1,255}$/);
      },
    ),
  );
});

test("what is written holds a template and no value, whatever the login is called", () => {
  for (const user of ["PASSWORD", "password", "_x"]) {
    const application = applicationNamed("shop", "payments", user);
    for (const secretOf of Object.values(secretsOfStore).flat()) {
      const objects = externalSecrets("vault").objectsOf(application, secretOf);
      const request = objects.find(({ kind }) => kind === "ExternalSecret");
      expect(JSON.stringify(objects)).not.toContain("PASSWORD.HERE");
      expect(JSON.stringify(request?.spec).match(/\{\{ \.password \}\}/g)?.length).toBeGreaterThanOrEqual(1);
    }
  }
  const [secretOf] = secretsOfStore.database;
  expect(
    externalSecrets(undefined).objectsOf(applicationNamed("shop", "payments", "reader"), secretOf),
  ).toMatchObject([
    { kind: "Password" },
    {
      kind: "ExternalSecret",
      spec: {
        refreshPolicy: "CreatedOnce",
        target: {
          creationPolicy: "Orphan",
          immutable: true,
          template: {
            data: {
              username: "reader",
              password: "{{ .password }}",
              uri: "postgresql://reader:{{ .password }}@shop-db.app-shop.svc:5432/app_shop?sslmode=disable",
            },
          },
        },
      },
    },
    { kind: "Secret", immutable: true, data: { password: "" } },
  ]);
});

test("a store outside of the cluster is named for External Secrets Operator only", () => {
  const secrets = { clusterSecretStore: "vault" };
  expect(standardsSchema.safeParse({ secrets }).success).toBe(false);
  expect(standardsSchema.safeParse({ secrets: { ...secrets, store: "external-secrets" } }).success).toBe(
    true,
  );
  expect(standardsSchema.parse({}).secrets).toEqual({ store: "kubernetes" });
});
