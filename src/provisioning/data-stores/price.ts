import type { Prices } from "../../standards/prices.ts";
import { parseQuantity } from "../quantity.ts";

/** What a data store costs a month. */
export interface MonthlyPrice {
  readonly amount: number;
  /** Three letters. */
  readonly currency: string;
  /** Worked out from prices that the standards call examples. */
  readonly examples: boolean;
}

/** What is known of a price: `theirs` where whoever runs the data store pays it, undefined where nobody says. */
export type KnownPrice = MonthlyPrice | "theirs" | undefined;

const gib = 2 ** 30;

function monthly({ currency, examples }: Prices, amount: number): MonthlyPrice {
  return { amount: Math.round(amount * 100) / 100, currency, examples };
}

/** Price of a pod with a volume, by what is set aside for it; undefined where the standards name none. Pure. */
export function priceInCluster(
  prices: Prices | undefined,
  // Kubernetes quantities.
  { cpu, memory, storage }: { readonly cpu: string; readonly memory: string; readonly storage: string },
): MonthlyPrice | undefined {
  if (prices?.cluster === undefined) return undefined;
  const { cpu: core, memoryGib, storageGib } = prices.cluster;
  const inMemory = (parseQuantity(memory) / gib) * memoryGib;
  const onVolume = (parseQuantity(storage) / gib) * storageGib;
  return monthly(prices, parseQuantity(cpu) * core + inMemory + onVolume);
}

/** Price of a Cloud SQL instance; undefined where the standards name none of its machine type. Pure. */
export function priceOfCloudSql(
  prices: Prices | undefined,
  { tier, disk_gb }: { readonly tier: string; readonly disk_gb: number },
): MonthlyPrice | undefined {
  if (prices?.cloudsql === undefined) return undefined;
  const { cpu, memoryGib, diskGb, machines } = prices.cloudsql;
  const [, cores, mebibytes] = /^db-custom-([0-9]+)-([0-9]+)$/.exec(tier) ?? [];
  const custom =
    cores === undefined || mebibytes === undefined
      ? undefined
      : Number(cores) * cpu + (Number(mebibytes) / 1_024) * memoryGib;
  const machine = Object.hasOwn(machines, tier) ? machines[tier] : custom;
  return machine === undefined ? undefined : monthly(prices, machine + disk_gb * diskGb);
}

/** Price of a Memorystore instance; undefined where the standards name none. Pure. */
export function priceOfMemorystore(
  prices: Prices | undefined,
  { memory_gb }: { readonly memory_gb: number },
): MonthlyPrice | undefined {
  if (prices?.memorystore === undefined) return undefined;
  return monthly(prices, memory_gb * prices.memorystore.memoryGb);
}

/** A price as a person reads it: `12.40 USD a month`; and where there is none, that it is not known. */
export function priceText(price: KnownPrice): string {
  if (price === undefined) return "unknown: the standards name none";
  if (price === "theirs") return "none of the platform's: whoever runs it pays it";
  const examples = price.examples ? ", by example prices" : "";
  return `${shownAmount(price)} a month${examples}`;
}

/** The same in few words, beside other things. */
export function shortPrice(price: KnownPrice): string {
  if (price === undefined) return "price unknown";
  if (price === "theirs") return "paid by whoever runs it";
  return `${shownAmount(price)}/month${price.examples ? " (example)" : ""}`;
}

function shownAmount({ amount, currency }: MonthlyPrice): string {
  return `${amount.toFixed(2)} ${currency}`;
}
