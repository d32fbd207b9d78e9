import { z } from "zod";

/** A condition of a status: `status.conditions[]` of most Kubernetes kinds. */
const conditionSchema = z.object({
  type: z.string(),
  /** `True`, `False` or `Unknown`. */
  status: z.string(),
  reason: z.string().default(""),
  message: z.string().default(""),
});
export type Condition = z.output<typeof conditionSchema>;

/** An array of a status. Servers leave empty ones out; what is no `item` is passed over, so that the rest still tells. */
export function tolerantArray<Item extends z.ZodType>(item: Item) {
  return z
    .array(item.optional().catch(undefined))
    .default([])
    .catch([])
    .transform((items) => items.filter((each) => each !== undefined));
}

/** Conditions inside a schema of a status. */
export const conditionsSchema = tolerantArray(conditionSchema);

const statusSchema = z.object({ conditions: conditionsSchema });

/** The conditions of an object's `status`; none where it has no status yet. Pure. */
export function conditionsOf(object: { readonly status?: unknown }): readonly Condition[] {
  return statusSchema.safeParse(object.status).data?.conditions ?? [];
}

/** Whether a condition of this type is there and `True`. Pure. */
export function holds(conditions: readonly Condition[], type: string): boolean {
  return conditions.some((condition) => condition.type === type && condition.status === "True");
}
