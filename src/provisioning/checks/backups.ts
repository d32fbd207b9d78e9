import { databaseNames } from "../../application/credentials.ts";
import { databasesNamespace } from "../../application/names.ts";
import { externalOf, isInCloud, providerOf } from "../../application/store-provider.ts";
import { backupsClaimName, backupsIn } from "../../backups/backup.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { momentsOf } from "../data-stores/cloud-store.ts";
import { recordedStore } from "../data-stores/in-cloud.ts";
import { ProvisioningError } from "../errors.ts";
import type { Check, CheckContext } from "./check.ts";

/** Only a database in the cluster is dumped, restored from a dump and imported into by a Job beside it. */
export const databaseIsHere: Check = async (context) => {
  const { application, request, backups } = context;
  if (externalOf(application.spec, "database") !== undefined) {
    return new ProvisioningError(
      "usage",
      `the database of ${request.name} is not the platform's: whoever runs it backs it up, restores it and brings data into it`,
      "ask them which backups there are",
    );
  }
  const provider = providerOf(application.spec, "database");
  const toTime = backups?.toTime !== undefined;
  if (toTime && provider === "cloudsql") return undefined;
  if (toTime && provider === "in-cluster") {
    return new ProvisioningError(
      "usage",
      `the database of ${request.name} is in the cluster: it is brought back from a backup, not to a moment`,
      `platform database list ${request.name} shows its backups; then: platform database restore ${request.name} BACKUP`,
    );
  }
  if (!isInCloud(application.spec, "database")) return undefined;
  const where = `the database of ${request.name} is not in the cluster`;
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
  return backups?.operation === "restore"
    ? new ProvisioningError(
        "usage",
        `${where}: it is brought back to a moment, not from a backup`,
        `platform database list ${request.name} shows which moments are kept; then: platform database restore ${request.name} --to-time TIME`,
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

/** The moment has to have been, with the instance that the service has now, and within what Google keeps of its log. */
export const momentIsKept: Check = async (context) => {
  const { application, backups, clock, request } = context;
  const moment = backups?.toTime;
  if (moment === undefined || providerOf(application.spec, "database") !== "cloudsql") return undefined;
  const store = await recordedStore(context, "database");
  if (store?.provider !== "cloudsql") {
    return new ProvisioningError(
      "usage",
      `nothing says where the database of ${request.name} is, so nothing can be made of it`,
      `see what was done with it: platform run list ${request.name}`,
    );
  }
  const now = clock.now();
  const { from, to } = momentsOf(store, now);
  const wanted = new Date(moment);
  const see = `see which moments are kept: platform database list ${request.name}`;
  if (Number.isNaN(wanted.getTime())) {
    return new ProvisioningError("usage", `${moment} is no time`, "give one like 2026-01-02T03:04:05Z");
  }
  if (wanted > to) {
    return new ProvisioningError("usage", `${moment} has not been yet: it is ${now.toISOString()}`, see);
  }
  if (wanted >= from) return undefined;
  const { name, backups: kept } = store.variables;
  const began = store.madeAt === undefined ? undefined : new Date(store.madeAt);
  return new ProvisioningError(
    "usage",
    began !== undefined && wanted < began
      ? `${moment} was before ${name} was made, at ${began.toISOString()}`
      : `${moment} is before what Google keeps of ${name}: ${kept.log_days} days, from ${from.toISOString()}`,
    see,
  );
};

/** What is to be restored is listed, and was read when it was made. */
export const backupExists: Check = async ({ cluster, application, request, backups }) => {
  const wanted = backups?.restore;
  if (backups?.toTime !== undefined) return undefined;
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
