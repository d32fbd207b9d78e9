import { externalOf, isInCloud, providerOf } from "../../application/store-provider.ts";
import { backupsClaimName, backupsIn } from "../../backups/backup.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { ProvisioningError } from "../errors.ts";
import type { Check } from "./check.ts";

/** Only a database in the cluster is dumped by a Job beside it. */
export const databaseIsHere: Check = async ({ application: { spec }, request }) => {
  if (externalOf(spec, "database") !== undefined) {
    return new ProvisioningError(
      "usage",
      `the database of ${request.name} is not the platform's: whoever runs it backs it up and restores it`,
      "ask them which backups there are",
    );
  }
  if (!isInCloud(spec, "database")) return undefined;
  return new ProvisioningError(
    "usage",
    `the database of ${request.name} is not in the cluster: ${providerOf(spec, "database")} backs it up itself`,
    "see your provider's backups",
  );
};

/** What is to be restored is listed, and was read when it was made. */
export const backupExists: Check = async ({ cluster, application, request, backups }) => {
  const wanted = backups?.restore;
  const { namespace } = application.metadata;
  const claim = await find(cluster, resources.persistentVolumeClaims, {
    namespace,
    name: backupsClaimName(application),
  });
  const listed = claim === undefined ? [] : backupsIn(claim.metadata);
  if (listed.some(({ name }) => name === wanted)) return undefined;
  return new ProvisioningError(
    "usage",
    `${request.name} has no backup ${wanted ?? ""}`,
    `see what it has: platform database list ${request.name}`,
  );
};
