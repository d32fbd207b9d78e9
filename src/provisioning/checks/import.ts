import { databaseNames } from "../../application/credentials.ts";
import { sourceIn, sourceKeys } from "../../backups/import-source.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { ProvisioningError } from "../errors.ts";
import type { Check } from "./check.ts";

/** The Secret is there and says where the source is: everything it does not say is named, and nothing that it says. */
export const sourceIsTold: Check = async ({ cluster, application, request, importing }) => {
  if (importing === undefined) return undefined;
  const { namespace } = application.metadata;
  const name = importing.from;
  if (name === databaseNames(application).name) {
    return new ProvisioningError(
      "usage",
      `secret ${name} is that of ${request.name}'s own database: an import comes from another one`,
      "name the secret of the source; the runbook on imports has its keys",
    );
  }
  const secret = await find(cluster, resources.secrets, { namespace, name });
  if (secret === undefined) {
    return new ProvisioningError(
      "usage",
      `there is no secret ${name} in ${namespace}`,
      `make it, with the keys ${sourceKeys.join(", ")}: see the runbook on imports`,
    );
  }
  const { problems } = sourceIn(secret);
  if (problems === undefined) return undefined;
  return new ProvisioningError(
    "usage",
    `secret ${name} does not say where the source is: ${problems.join(", ")}`,
    `write it again, in ${namespace}, with the keys ${sourceKeys.join(", ")}`,
  );
};
