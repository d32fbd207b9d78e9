import type { ApplicationSpec } from "../../application/application.ts";
import { namespaceOf, type ServiceName } from "../../application/names.ts";
import { applicationSpecSchema } from "../../application/schema.ts";
import { externalOf, providerOf } from "../../application/store-provider.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import type { Rotatable } from "../../secrets/rotation.ts";
import { noSuchService, ProvisioningError } from "../errors.ts";
import type { PlanContext } from "../step.ts";
import { contextOfChange } from "./change.ts";
import type { Surroundings } from "./surroundings.ts";

/** @throws ProvisioningError `usage` where there is no such service */
async function asItIs(
  service: ServiceName,
  { cluster }: Surroundings,
): Promise<{ readonly spec: ApplicationSpec; readonly uid: string | undefined }> {
  const ref = { name: service, namespace: namespaceOf(service) };
  const object = await find(cluster, resources.applications, ref);
  if (object === undefined) throw noSuchService(service);
  return { spec: applicationSpecSchema.parse(object.spec), uid: object.metadata.uid };
}

/**
 * What a rotation works on: the service as it is, before and after.
 * @throws ProvisioningError `usage` where there is no such service, or it has no such data store
 */
export async function rotateContext(
  service: ServiceName,
  credential: Rotatable,
  surroundings: Surroundings,
): Promise<PlanContext> {
  const { spec, uid } = await asItIs(service, surroundings);
  if (spec[credential] === undefined) {
    throw new ProvisioningError(
      "usage",
      `${service} has no ${credential}`,
      `see what it has: platform secret list ${service}`,
    );
  }
  const external = externalOf(spec, credential);
  if (external !== undefined) {
    throw new ProvisioningError(
      "usage",
      `the ${credential} of ${service} is not the platform's: whoever runs it changes its password`,
      `have them make a Secret beside ${external.secret} with the new one, then: platform service set ${service} --${credential}-secret NAME`,
    );
  }
  if (providerOf(spec, credential) === "cloudnative-pg") {
    throw new ProvisioningError(
      "usage",
      `CloudNativePG runs the ${credential} of ${service}: its login has one password at a time, so that it cannot change without a moment in which new connections fail`,
      "have a platform engineer change it in both Secrets, where such a moment is allowed: docs/data-stores.md says how",
    );
  }
  const change = { before: spec, after: spec };
  return { ...contextOfChange(service, change, { dataStores: "keep", uid }, surroundings), credential };
}

/**
 * What a backup works on, and a restore: the service as it is, before and after.
 * @param restore - for a restore: the backup
 * @throws ProvisioningError `usage` where there is no such service, database or backup
 */
export async function backupContext(
  service: ServiceName,
  backups: NonNullable<PlanContext["backups"]>,
  surroundings: Surroundings,
): Promise<PlanContext> {
  return { ...(await databaseContext(service, surroundings)), backups };
}

/**
 * What an import works on: the service as it is, before and after.
 * @param from - name of the Secret that says where the data is
 * @throws ProvisioningError `usage` where there is no such service, or it has no database
 */
export async function importContext(
  service: ServiceName,
  from: string,
  surroundings: Surroundings,
): Promise<PlanContext> {
  return { ...(await databaseContext(service, surroundings)), importing: { from } };
}

async function databaseContext(service: ServiceName, surroundings: Surroundings): Promise<PlanContext> {
  const { spec, uid } = await asItIs(service, surroundings);
  if (spec.database === undefined) {
    throw new ProvisioningError(
      "usage",
      `${service} has no database`,
      "see what it has: platform service list",
    );
  }
  const change = { before: spec, after: spec };
  return contextOfChange(service, change, { dataStores: "keep", uid }, surroundings);
}
