import type { ApplicationStatus } from "./schema.ts";
import type { StoreKind } from "./store-provider.ts";

type Condition = NonNullable<ApplicationStatus["conditions"]>[number];

/** Type of the condition that tells of a data store. */
export const storeCondition: Readonly<Record<StoreKind, string>> = {
  database: "DatabaseReady",
  cache: "CacheReady",
};

/** Reasons by which that condition says that there is nothing of the data store. */
const nothingReasons = ["NotRequested", "ProvisioningRefused", "ProvisioningRolledBack"] as const;

/** The condition that tells of a data store, where there is one. Pure. */
export function storeConditionIn(
  { conditions = [] }: ApplicationStatus,
  store: StoreKind,
): Condition | undefined {
  return conditions.find(({ type }) => type === storeCondition[store]);
}

/**
 * Whether the condition of a data store says that nothing was made of it: until then it may be decided where it runs. The
 * CRD's rules ask the same. Pure.
 */
export function saysNothing({ status, reason }: Condition): boolean {
  return status === "Unknown" || nothingReasons.some((each) => each === reason);
}

/** As {@link saysNothing}, in a rule of the CRD; an Application without the condition has what a run has made. */
function nothingIsMade(store: StoreKind): string {
  const reasons = nothingReasons.map((reason) => `'${reason}'`).join(", ");
  return `(has(oldSelf.status) && has(oldSelf.status.conditions) && oldSelf.status.conditions.exists(c, c.type == '${storeCondition[store]}' && (c.status == 'Unknown' || c.reason in [${reasons}])))`;
}

function same(store: StoreKind, field: string): string {
  const [is, was] = [`self.spec.${store}`, `oldSelf.spec.${store}`];
  return `(has(${is}.${field}) == has(${was}.${field}) && (!has(${is}.${field}) || ${is}.${field} == ${was}.${field}))`;
}

/** Where an Application has the data store before and after an edit. */
function remains(store: StoreKind): string {
  return `has(self.spec.${store}) && has(oldSelf.spec.${store})`;
}

/**
 * Rule of the CRD, about the whole object: data does not move from one place to another by an edit. Who runs a data store is
 * said before it is made: by whoever writes the Application, or by the standards, for which the operator writes it.
 */
export function providerStays(store: StoreKind) {
  const decided = `(!has(oldSelf.spec.${store}.provider) && ${nothingIsMade(store)})`;
  return {
    rule: `!(${remains(store)}) || ${same(store, "provider")} || ${decided}`,
    message: `the provider of a ${store} that exists cannot be changed`,
  };
}

/**
 * Rule of the CRD, about the whole object: an edit that would come to nothing is refused. Nothing brings what is elsewhere
 * to another size or version once it is made.
 */
export function fixedElsewhere(store: StoreKind, provider: string, field: string, message: string) {
  const elsewhere = `(has(self.spec.${store}.provider) && self.spec.${store}.provider == '${provider}')`;
  return {
    rule: `!(${remains(store)}) || !${elsewhere} || ${same(store, field)} || ${nothingIsMade(store)}`,
    message,
  };
}
