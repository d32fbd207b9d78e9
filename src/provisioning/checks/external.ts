import { isDeepStrictEqual } from "node:util";
import { pathProblem } from "../../application/external-store.ts";
import { externalOf, storeKinds } from "../../application/store-provider.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { faultText, secretFault, waitsMs } from "../data-stores/external.ts";
import { ProvisioningError } from "../errors.ts";
import type { Check } from "./check.ts";

/** Data stores that exist already must be where the standards allow, and what opens them must be there and whole. */
export const externalStoresAreOpen: Check = async ({ cluster, application, previous, standards, change }) => {
  if (change.after === undefined) return undefined;
  const { namespace: name } = application.metadata;
  const given = storeKinds.filter((store) => {
    const external = externalOf(application.spec, store);
    return (
      external !== undefined && !isDeepStrictEqual(external, previous && externalOf(previous.spec, store))
    );
  });
  const allowed = given.flatMap((store) => {
    const external = externalOf(application.spec, store);
    const problem = external && pathProblem(external, standards);
    return problem === undefined ? [] : [`the ${store} cannot be reached: ${problem}`];
  });
  if (allowed.length > 0) {
    return new ProvisioningError(
      "refused",
      allowed.join("; "),
      "have a platform engineer say in the standards where such data stores may be: dataStores.external",
    );
  }
  if (given.length === 0) return undefined;
  // The operator may read no Secrets of a namespace that is not there; nor is there any.
  if ((await find(cluster, resources.namespaces, { name })) === undefined) {
    const secrets = given.flatMap((store) => externalOf(application.spec, store)?.secret ?? []);
    const seconds = waitsMs(standards) / 1_000;
    return {
      warning: `namespace ${name} is new, so secret ${secrets.join(" and ")} is not in it: the run waits ${seconds} s for it, once the namespace is there`,
    };
  }
  const faults = await Promise.all(
    given.map(async (store) => {
      const fault = await secretFault(cluster, application, store);
      return fault === undefined ? [] : [faultText(fault, application, store)];
    }),
  );
  const found = faults.flat();
  if (found.length === 0) return undefined;
  return new ProvisioningError(
    "usage",
    found.map(({ message }) => message).join("; "),
    [...new Set(found.map(({ mend }) => mend))].join("; "),
  );
};
