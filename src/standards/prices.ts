import { z } from "zod";

/** An amount of the currency, a month. */
const price = z.number().min(0).max(1_000_000);

/**
 * What the organisation pays, a month. There are no defaults: where nothing is told, the price is unknown, and is shown
 * as that.
 */
export const pricesSchema = z
  .strictObject({
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, "is not a currency, for example EUR")
      .describe("The currency of all prices, by its three letters."),
    examples: z
      .boolean()
      .default(false)
      .describe("The prices are examples, and not what anybody pays: whatever is shown of them says so."),
    cluster: z
      .strictObject({
        cpu: price.describe("One core that is set aside."),
        memoryGib: price.describe("One GiB of memory that is set aside."),
        storageGib: price.describe("One GiB of a volume."),
      })
      .optional()
      .describe("Of the cluster."),
    cloudsql: z
      .strictObject({
        cpu: price.describe("One core of a machine db-custom-CPUS-MEBIBYTES."),
        memoryGib: price.describe("One GiB of memory of such a machine."),
        diskGb: price.describe("One gigabyte of the disk."),
        machines: z
          .record(z.string().regex(/^db-[-a-zA-Z0-9]{1,60}$/, "is not a machine type"), price)
          .default({})
          .describe("Machine types with a price of their own, whole."),
      })
      .optional()
      .describe("Of Cloud SQL as these standards make it: where a second zone stands by, what both cost."),
    memorystore: z
      .strictObject({ memoryGb: price.describe("One gigabyte.") })
      .optional()
      .describe("Of Memorystore as these standards make it: where a replica stands by, what both cost."),
  })
  .describe(
    "What data stores cost a month, by the organisation's own price list; what is left out is shown as unknown.",
  );
export type Prices = z.output<typeof pricesSchema>;
