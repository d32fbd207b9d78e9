import { describe, expect, test } from "vitest";
import type { z } from "zod";
import type { Application } from "../../../src/application/application.ts";
import { serviceChangeSchema } from "../../../src/application/change.ts";
import { desiredObjects, parts } from "../../../src/application/desired-objects.ts";
import { migrationJob } from "../../../src/application/objects/migration.ts";
import { subjectOf } from "../../../src/application/objects/subject.ts";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import { applicationSpecSchema } from "../../../src/application/schema.ts";
import { isAtGoogle, isInCluster, storeKinds } from "../../../src/application/store-provider.ts";
import { backupObjects } from "../../../src/backups/backup-job.ts";
import { backupActions } from "../../../src/backups/backup-scripts.ts";
import { importObjects } from "../../../src/backups/import-job.ts";
import { importActions } from "../../../src/backups/import-scripts.ts";
import { readingObjects } from "../../../src/backups/instance-job.ts";
import { structuralSchema } from "../../../src/cluster/structural-schema.ts";
import { newCloudStore } from "../../../src/provisioning/data-stores/cloud-store.ts";
import { runSpecSchema } from "../../../src/provisioning/runs/run-record.ts";
import { loginObjects } from "../../../src/secrets/login-job.ts";
import { rotationObjects } from "../../../src/secrets/rotation-job.ts";
import { type Standards, standardsSchema } from "../../../src/standards/standards.ts";
import { backendPlaceSchema } from "../../../src/terraform/backend.ts";

/** What somebody means to be code: of Terraform, a shell, SQL, psql, YAML. */
const hostile = [
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what Terraform would evaluate
  "${1+1}",
  "%{ if true }x%{ endif }",
  "'; DROP TABLE account; --",
  `" || "quoted`,
  "$(reboot)",
  "`reboot`",
  "\\! reboot",
  "line\nbreak: true",
  "a b",
];

type Path = readonly (string | number)[];
type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Every field that a schema knows, of lists the first item, of maps one key (`*`) and its value. */
function fieldsOf(schema: unknown, path: Path = []): readonly Path[] {
  if (!isObject(schema)) return [path];
  const branches = [schema.anyOf, schema.oneOf, schema.allOf].flatMap((each) =>
    Array.isArray(each) ? each : [],
  );
  if (branches.length > 0 && !("properties" in schema)) {
    return branches.flatMap((branch) => fieldsOf(branch, path));
  }
  if (isObject(schema.properties)) {
    return Object.entries(schema.properties).flatMap(([key, inner]) => fieldsOf(inner, [...path, key]));
  }
  if (isObject(schema.additionalProperties)) {
    return [[...path, "*"], ...fieldsOf(schema.additionalProperties, [...path, "key"])];
  }
  return "items" in schema ? fieldsOf(schema.items, [...path, 0]) : [path];
}

/** The document with a field that holds `text`; what a field stands in is made where it is not there. */
function withText(document: unknown, [first, ...rest]: Path, text: string): unknown {
  if (first === undefined) return text;
  if (typeof first === "number") {
    const [item, ...others]: readonly unknown[] = Array.isArray(document) ? document : [];
    return [withText(item, rest, text), ...others];
  }
  const object = isObject(document) ? document : {};
  if (first === "*") return { [text]: Object.values(object)[0] ?? "x" };
  const key = first === "key" ? (Object.keys(object)[0] ?? first) : first;
  return { ...object, [key]: withText(object[key], rest, text) };
}

/** Fields that take any of the texts, of a document that is whole without. */
function takenBy(schema: z.ZodType, document: Json): ReadonlyMap<string, readonly unknown[]> {
  expect(schema.safeParse(document).error).toBeUndefined();
  const taken = new Map<string, unknown[]>();
  for (const path of fieldsOf(structuralSchema(schema))) {
    for (const text of hostile) {
      const { data, success } = schema.safeParse(withText(document, path, text));
      if (!success) continue;
      expect(JSON.stringify(data), path.join(".")).toContain(JSON.stringify(text).slice(1, -1));
      const name = path.join(".");
      taken.set(name, [...(taken.get(name) ?? []), data]);
    }
  }
  return taken;
}

const digest = `@sha256:${"a".repeat(64)}`;
const amounts = { cpu: "1", memory: "1Gi" };
const resources = { requests: amounts, limits: amounts };

/** Everything that an organisation may decide. */
const standards = {
  organization: "acme",
  contact: "#help",
  teams: { payments: { groups: ["team-payments"] } },
  oncall: { groups: ["oncall"] },
  domain: "apps.example.internal",
  images: {
    starter: "registry.example/starter:1",
    registries: ["registry.example", "postgresql"],
    repository: "registry.example",
  },
  workload: { resources },
  quota: { cpu: "20", memory: "40Gi", storage: "100Gi" },
  tiers: { standard: { quota: { cpu: "20" } } },
  database: {
    image: "postgres:15",
    storage: "10Gi",
    resources,
    cloudsql: { tier: "db-custom-1-3840", version: "POSTGRES_15" },
    cloudnativepg: { image: `postgresql/postgresql:17.5${digest}`, storageClass: "fast" },
  },
  cache: { image: "redis:7.4", versions: { "7.4": "redis:7.4" }, storage: "1Gi", resources },
  prices: { currency: "EUR", cluster: { cpu: 1, memoryGib: 1, storageGib: 1 } },
  google: {
    project: "acme-data",
    region: "us-central1",
    network: "projects/acme-data/global/networks/main",
    range: "10.0.0.0/8",
  },
  terraform: { state: "s3", bucket: "states", region: "eu-west-1" },
  dataStores: { external: { ranges: ["10.30.0.0/16"], namespaces: ["databases"] } },
  secrets: { store: "external-secrets", clusterSecretStore: "vault" },
  monitoring: { labels: { release: "prometheus" } },
};

const own = {
  image: "registry.example/shop:1",
  migrations: { command: ["/bin/shop", "migrate"] },
  resources,
};
const address = { secret: "login", host: "db.databases.svc", port: 5432 };

/** The ways in which a service may have its data stores. */
const specs: Readonly<Record<string, Json>> = {
  "in the cluster": {
    database: { type: "postgres", size: "db-custom-1-3840", user: "shop" },
    cache: { type: "redis", version: "7.4" },
  },
  "at Google": {
    database: { type: "postgres", provider: "cloudsql", size: "db-custom-1-3840", user: "shop" },
    cache: { type: "redis", provider: "memorystore", version: "7.0" },
  },
  "by CloudNativePG": { database: { type: "postgres", provider: "cloudnative-pg", user: "shop" } },
  "that exist already": {
    database: { type: "postgres", provider: "external", external: address },
    cache: { type: "redis", provider: "external", external: { ...address, port: 6379 } },
  },
};

const specOf = (stores: Json) => ({
  ...own,
  ...stores,
  team: "payments",
  autoscaling: { minReplicas: 1, maxReplicas: 3 },
  secrets: [{ name: "stripe", key: "STRIPE_KEY", version: 1 }],
});

function applicationOf(spec: unknown): Application {
  return {
    apiVersion: "platform.company.com/v1",
    kind: "Application",
    metadata: { name: "shop", namespace: "app-shop", uid: "1" },
    spec: applicationSpecSchema.parse(spec),
  };
}

const turns = ["enable", "prove", "revoke"] as const;

/** Everything that runs for a service, and what Terraform and CloudNativePG are told. */
function madeOf(application: Application, decided: Standards) {
  const { spec } = application;
  const here = isInCluster(spec, "database");
  const source = {
    secret: "source",
    address: { host: "old.example", port: 5432 },
    was: "writable",
  } as const;
  const stores = storeKinds.filter((store) => spec[store] !== undefined);
  const elsewhere = stores.filter(
    (store) => isAtGoogle(spec, store) || spec[store]?.provider === "cloudnative-pg",
  );
  const told = elsewhere.map((store) => newCloudStore(application, decided, store, "1"));
  return {
    objects: [
      ...parts.flatMap((part) => desiredObjects(application, decided)[part]),
      migrationJob(subjectOf(application, decided)),
      ...stores.map((store) => loginObjects(application, decided, store)),
      ...(here || spec.database?.provider === "cloudsql"
        ? turns.map((turn) => rotationObjects(application, decided, "database", turn))
        : []),
      ...(isInCluster(spec, "cache")
        ? turns.map((turn) => rotationObjects(application, decided, "cache", turn))
        : []),
      ...(here
        ? [
            ...backupActions.map((action) =>
              backupObjects(application, decided, action, { backup: "backup-1", drop: ["backup-0"] }),
            ),
            ...importActions.map((action) => importObjects(application, decided, action, source)),
          ]
        : [readingObjects(application, decided, "shop-db")]),
    ],
    told,
  };
}

/** What is run: commands, arguments, and the files that a data store is begun with. */
function codeIn(node: unknown, key = ""): readonly string[] {
  if (["command", "args"].includes(key) || /\.(sql|conf)$/.test(key)) return [JSON.stringify(node)];
  if (Array.isArray(node)) return node.flatMap((each) => codeIn(each));
  if (!isObject(node)) return [];
  return Object.entries(node).flatMap(([name, inner]) => codeIn(inner, name));
}

describe.each(Object.entries(specs))("a service with data stores %s", (_, stores) => {
  const decided = standardsSchema.parse(standards);
  const application = applicationOf(specOf(stores));
  const before = madeOf(application, decided);

  test("takes no such text in any field of its Application but the words of a migration, which no shell sees", () => {
    expect(codeIn(before.objects).length).toBeGreaterThan(2);
    const taken = takenBy(applicationSpecSchema, specOf(stores));
    expect([...taken.keys()]).toEqual(["migrations.command.0"]);
    for (const [index, spec] of [...taken.values()].flat().entries()) {
      const made = madeOf(applicationOf(spec), decided);
      const other = codeIn(made.objects).filter((code) => !codeIn(before.objects).includes(code));
      expect(new Set(other)).toEqual(new Set([JSON.stringify([hostile[index], "migrate"])]));
      expect(made.told).toEqual(before.told);
    }
  });

  test("runs the same, and has Terraform told the same, whatever an organisation calls itself and its places", () => {
    const taken = takenBy(standardsSchema, standards);
    expect([...taken.keys()]).toEqual([
      "organization",
      "contact",
      "teams.key.groups.0",
      "oncall.groups.0",
      "images.registries.0",
      "images.repository",
      "delivery.host",
    ]);
    for (const [field, all] of taken) {
      for (const [index, data] of all.entries()) {
        const made = madeOf(application, standardsSchema.parse(data));
        expect(codeIn(made.objects), field).toEqual(codeIn(before.objects));
        expect(JSON.stringify(made.told), field).not.toContain(JSON.stringify(hostile[index]).slice(1, -1));
        if (field !== "organization") expect(made.told).toEqual(before.told);
      }
    }
  });
});

test("what a person asks for takes no such text, but the words of a migration", () => {
  const request = { name: "shop", language: "go", database: "postgres", databaseSecret: "login" };
  expect([...takenBy(serviceRequestSchema, request).keys()]).toEqual([]);
  const whole = { operation: "set", migrate: ["/bin/shop"], databaseSecret: "login" };
  const fields = [
    "requests.cpu",
    "limits.memory",
    "alerts.0",
    "database",
    "cache",
    "secret.name",
    "secret.key",
  ];
  for (const field of [...fields, "databaseSecret", "databaseAddress", "cacheSecret", "cacheAddress"]) {
    for (const text of hostile) {
      const path = field.split(".").map((word) => (word === "0" ? 0 : word));
      expect(serviceChangeSchema.safeParse(withText(whole, path, text)).success, field).toBe(false);
    }
  }
});

test("a Run takes such text only as what is compared with something, never as a part of what is done", () => {
  const run = {
    operation: "create",
    service: "shop",
    team: "payments",
    parameters: {
      request: { name: "shop", language: "go" },
      installation: { standards: "{}", image: "platform:1", version: "1" },
    },
    requestedBy: "ann",
  };
  const taken = takenBy(runSpecSchema, run);
  expect([...taken.keys()].filter((field) => !/^parameters\.(orphans|repositories)\./.test(field))).toEqual([
    // Names that have to be those of what is there.
    "service",
    "team",
    "parameters.migrate.0",
    "parameters.confirmed",
    // Parsed as standards; what the operator's Deployment names, and what its label says.
    "parameters.installation.standards",
    "parameters.installation.image",
    "parameters.installation.version",
    "requestedBy",
    "actionOptions.lockHolder",
    "actionOptions.confirmed",
  ]);
});

test("where states live takes no such text in any field", () => {
  for (const place of [
    { kind: "gcs", bucket: "states" },
    { kind: "s3", bucket: "states", region: "eu-west-1" },
    { kind: "kubernetes", namespace: "platform-state", access: { kind: "in-cluster" } },
  ]) {
    expect(backendPlaceSchema.safeParse(place).success).toBe(true);
    for (const field of Object.keys(place)) {
      for (const text of hostile) {
        expect(backendPlaceSchema.safeParse({ ...place, [field]: text }).success).toBe(false);
      }
    }
  }
});
