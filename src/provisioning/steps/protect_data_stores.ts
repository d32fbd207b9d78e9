import type { Part } from "../../application/desired-objects.ts";
import { externalOf } from "../../application/store-provider.ts";
import { dataStoreNames } from "../objects/namespace-contents.ts";
import { protectedObjects, protecting, readDataStores } from "../objects/protection.ts";
import type { Step } from "../step.ts";

type Context = Parameters<Step["when"]>[0];

/** Names of the data stores that the operation gives the service. */
function given({ request, application, previous }: Context): readonly string[] {
  const has = (part: Part & ("database" | "cache")) =>
    application.spec[part] !== undefined &&
    previous?.spec[part] === undefined &&
    externalOf(application.spec, part) === undefined;
  const wanted = [has("database"), has("cache")];
  return dataStoreNames(request.name).filter((_, index) => wanted[index] === true);
}

/** Protects data stores against deletion, now that the service has been ready on them. */
export const protectDataStores: Step = {
  id: "protect_data_stores",
  title: "Deletion protection",
  needs: ["apply_kubernetes", "provision_database", "provision_cache"],
  when: (context) => context.standards.dataStores.deletionProtection && given(context).length > 0,
  async describe(context) {
    return {
      effects: [],
      notes: [`${given(context).join(" and ")}: deleted only by who names the service`],
      manifests: [],
    };
  },
  async apply(context) {
    const names = given(context);
    const stores = await readDataStores(context.cluster, context.application.metadata, names);
    await context.write.patchObjects(stores.flatMap(protectedObjects), protecting);
    return { summary: `${names.join(", ")} protected` };
  },
};
