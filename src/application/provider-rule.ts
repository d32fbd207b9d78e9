import type { ApplicationStatus } from "./schema.ts";
import type { StoreKind } from "./store-provider.ts";

/** Type of the condition that tells of a data store. */
export const storeCondition: Readonly<Record<StoreKind, string>> = {
  database: "DatabaseReady",
  cache: "CacheReady",
};

/**
 * Whether a data store was made by what its Application said when it was looked at last: then it stays where it is. The same as
 * the CRD's rule, {@link providerStays}. Pure.
 */
export function storeWasMade({ conditions = [] }: ApplicationStatus, store: StoreKind): boolean {
  return conditions.some(
    ({ type, status, reason }) =>
      type === storeCondition[store] && status !== "Unknown" && reason !== "NotRequested",
  );
}

/**
 * Rule of the CRD, about the whole object: data does not move from one place to another by an edit. Who runs a data store is
 * said when it is made at the latest: by whoever writes the Application, or by the standards, for which the operator
 * writes it.
 */
export function providerStays(store: StoreKind) {
  const [is, was] = [`self.spec.${store}`, `oldSelf.spec.${store}`];
  const made = `has(oldSelf.status) && has(oldSelf.status.conditions) && oldSelf.status.conditions.exists(c, c.type == '${storeCondition[store]}' && c.status != 'Unknown' && c.reason != 'NotRequested')`;
  const same = `has(${is}.provider) == has(${was}.provider) && (!has(${is}.provider) || ${is}.provider == ${was}.provider)`;
  return {
    rule: `!has(${is}) || !has(${was}) || (${same}) || (!has(${was}.provider) && !(${made}))`,
    message: `the provider of a ${store} that exists cannot be changed`,
  };
}
