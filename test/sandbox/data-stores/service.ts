import type { Application } from "../../../src/application/application.ts";
import { secretsOfStore } from "../../../src/application/credentials.ts";
import { desiredObjects } from "../../../src/application/desired-objects.ts";
import { applicationFor } from "../../../src/application/from-request.ts";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

export const standards = standardsSchema.parse({
  teams: { payments: { groups: ["team-payments"] } },
  images: { starter: "registry.example.internal/starter:1" },
});

/** A service with both data stores, as a request makes it. */
export function service(databaseUser?: string): Application {
  const request = serviceRequestSchema.parse({
    name: "ledger",
    team: "payments",
    language: "go",
    database: "postgres",
    cache: "redis",
  });
  const application = applicationFor(request, standards);
  return databaseUser === undefined
    ? application
    : { ...application, spec: { ...application.spec, database: { type: "postgres", user: databaseUser } } };
}

export function storeOf(application: Application, part: "database" | "cache"): readonly KubeObject[] {
  return desiredObjects(application, standards)[part];
}

/** The Secrets of a data store, with passwords that a test knows. */
export function secretsOf(
  application: Application,
  part: "database" | "cache",
  passwords: readonly string[],
): readonly KubeObject[] {
  return secretsOfStore[part].map((secretOf, index) => secretOf(application, passwords[index] ?? "none"));
}
