import { type ApplicationSpec, wholeSpec } from "../../application/application.ts";
import { secretNamesOf, tellsWhere } from "../../application/credentials.ts";
import { applicationOf, inNamespace } from "../../application/from-request.ts";
import { refText } from "../../application/service-ref.ts";
import { isInCloud, type StoreKind, storeKinds } from "../../application/store-provider.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { noSuchService, ProvisioningError } from "../errors.ts";
import type { PlanContext } from "../step.ts";
import { contextOfChange } from "./change.ts";
import type { PlacedService } from "./delete.ts";
import type { Surroundings } from "./surroundings.ts";

/**
 * What a provision works on: an Application that somebody applied, before and after it has the data stores that it asks
 * for and that runs make.
 * @param team - that of the namespace
 * @throws ProvisioningError `usage` where there is no such Application, `unchanged` where it has them all
 */
export async function provisionContext(
  service: PlacedService,
  team: string,
  surroundings: Surroundings,
): Promise<PlanContext> {
  const { cluster } = surroundings;
  const { name, namespace } = service;
  const object = await find(cluster, resources.applications, { name, namespace });
  if (object === undefined) throw noSuchService(refText(service));
  const after = wholeSpec(object.spec, team);
  const application = inNamespace(applicationOf(name, after), namespace);
  const made = await Promise.all(
    storeKinds.map(async (store) => {
      if (!isInCloud(after, store)) return true;
      const [read = ""] = secretNamesOf(application, store);
      const secret = await find(cluster, resources.secrets, { namespace, name: read });
      return secret !== undefined && tellsWhere(secret);
    }),
  );
  const missing = storeKinds.filter((_, index) => made[index] === false);
  if (missing.length === 0) {
    throw new ProvisioningError("unchanged", `${refText(service)} has the data stores that it asks for`);
  }
  const before = without(after, missing);
  const existing = { dataStores: "keep", uid: object.metadata.uid, namespace } as const;
  return contextOfChange(name, { before, after }, existing, surroundings);
}

function without(spec: ApplicationSpec, stores: readonly StoreKind[]): ApplicationSpec {
  const { database, cache, ...rest } = spec;
  return {
    ...rest,
    ...(database === undefined || stores.includes("database") ? {} : { database }),
    ...(cache === undefined || stores.includes("cache") ? {} : { cache }),
  };
}
