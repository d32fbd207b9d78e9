import { databaseNames } from "../../application/credentials.ts";
import { databasesNamespace } from "../../application/names.ts";
import { externalOf, isInCloud, providerOf } from "../../application/store-provider.ts";
import { backupsClaimName, backupsIn } from "../../backups/backup.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { recordedStore } from "../data-stores/in-cloud.ts";
import { ProvisioningError } from "../errors.ts";
import type { Check, CheckContext } from "./check.ts";

/** Only a database in the cluster is dumped, restored and imported into by a Job beside it. */
export const databaseIsHere: Check = async (context) => {
  const { application, request } = context;
  if (externalOf(application.spec, "database") !== undefined) {
    return new ProvisioningError(
      "usage",
      `the database of ${request.name} is not the platform's: whoever runs it backs it up, restores it and brings data into it`,
      "ask them which backups there are",
    );
  }
  if (!isInCloud(application.spec, "database")) return undefined;
  const where = `the database of ${request.name} is not in the cluster`;
  const provider = providerOf(application.spec, "database");
  const store = await recordedStore(context, "database");
  if (store === undefined) {
    return new ProvisioningError(
      "usage",
      `${where}: ${provider} backs it up itself`,
      "see your provider's backups",
    );
  }
  if (store.provider === "cloudnative-pg") return byCloudNativePg(store.variables.name, context);
  const { name, project } = store.variables;
  const at = `--project ${project}`;
  if (context.importing !== undefined) {
    return new ProvisioningError(
      "usage",
      `${where}: data comes into it by Google's own means`,
      `gcloud sql import sql ${name} gs://BUCKET/DUMP.sql --database ${databaseNames(application).database} --user ${databaseNames(application).logins[0]} ${at}; the runbook on imports says what else`,
    );
  }
  return context.backups?.operation === "restore"
    ? new ProvisioningError(
        "usage",
        `${where}: Google brings it back, to any moment of the last days, as an instance of its own`,
        `gcloud sql instances clone ${name} ${name.slice(0, 59)}-pit --point-in-time 2026-01-02T03:04:05Z ${at}; the runbook on backups says how its data gets into the service's`,
      )
    : new ProvisioningError(
        "usage",
        `${where}: Google backs it up every day, and can bring back any moment of the last days`,
        `gcloud sql backups create --instance ${name} ${at}; gcloud sql backups list --instance ${name} ${at}`,
      );
};

/** Its controller makes and restores backups, by objects beside the Cluster that a platform engineer writes. */
function byCloudNativePg(cluster: string, { request, backups, importing }: CheckContext): ProvisioningError {
  const where = `the database of ${request.name} is run by CloudNativePG`;
  const here = `-n ${databasesNamespace}`;
  if (importing !== undefined) {
    return new ProvisioningError(
      "usage",
      `${where}: the platform brings no data into it`,
      `have a platform engineer do it: kubectl cnpg psql ${cluster} ${here}; docs/data-stores.md says what else`,
    );
  }
  return backups?.operation === "restore"
    ? new ProvisioningError(
        "usage",
        `${where}: that brings it back as a Cluster of its own, from a backup or to any moment`,
        `have a platform engineer make one with bootstrap.recovery, ${here}; docs/data-stores.md says how its data gets into the service's`,
      )
    : new ProvisioningError(
        "usage",
        `${where}, which backs it up where spec.backup of its Cluster says so`,
        `have a platform engineer do it: kubectl cnpg backup ${cluster} ${here}`,
      );
}

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
