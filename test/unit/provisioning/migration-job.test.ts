import { expect, test } from "vitest";
import { databaseSecret } from "../../../src/application/credentials.ts";
import { applicationFor } from "../../../src/application/from-request.ts";
import { migrationJob } from "../../../src/application/objects/migration.ts";
import { subjectOf } from "../../../src/application/objects/subject.ts";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { hiddenFrom } from "../../../src/provisioning/jobs/migration-job.ts";
import { secretValues } from "../../../src/secrets/rotation.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";
import { memoryCluster } from "./memory-cluster.ts";

test("whatever a migration says, no value of its Secrets is told, in whichever form it says it", async () => {
  const standards = standardsSchema.parse({ images: { starter: "registry.example.internal/starter:1" } });
  const plain = applicationFor(
    serviceRequestSchema.parse({
      name: "ledger",
      language: "go",
      database: "postgres",
      image: "r.io/ledger:1",
    }),
    standards,
  );
  const application = { ...plain, spec: { ...plain.spec, migrations: { command: ["migrate"] } } };
  const password = "pa ss/w@rd";
  const cluster = memoryCluster();
  const secret = databaseSecret(application, password);
  await cluster.create(resources.secrets, secret);
  const job = migrationJob(subjectOf(application, standards));
  if (job === undefined) throw new Error("no job");
  const hide = await hiddenFrom(cluster, job);
  const { uri = "", host = "" } = secretValues(secret);
  const told = hide(
    `dial ${uri}: ${encodeURIComponent(password)} or ${password} refused at ${host}, user app_ledger`,
  );
  for (const form of [password, encodeURIComponent(password), uri]) expect(told).not.toContain(form);
  expect(told).toBe(`dial •••: ••• or ••• refused at ${host}, user app_ledger`);
});
