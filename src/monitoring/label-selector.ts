import { z } from "zod";

/** A Kubernetes `LabelSelector`; an empty one matches everything. */
export const labelSelectorSchema = z.object({
  matchLabels: z.record(z.string(), z.string()).default({}),
  matchExpressions: z
    .array(z.object({ key: z.string(), operator: z.string(), values: z.array(z.string()).default([]) }))
    .default([]),
});
export type LabelSelector = z.output<typeof labelSelectorSchema>;

/** The first requirement of a selector that the labels do not meet, as kubectl writes selectors; undefined where all are met. */
export function unmet(selector: LabelSelector, labels: Readonly<Record<string, string>>): string | undefined {
  for (const [key, value] of Object.entries(selector.matchLabels)) {
    if (labels[key] !== value) return `${key}=${value}`;
  }
  for (const { key, operator, values } of selector.matchExpressions) {
    const value = labels[key];
    const among = value !== undefined && values.includes(value);
    switch (operator) {
      case "In":
        if (!among) return `${key} in (${values.join(", ")})`;
        break;
      case "NotIn":
        if (among) return `${key} notin (${values.join(", ")})`;
        break;
      case "Exists":
        if (value === undefined) return key;
        break;
      case "DoesNotExist":
        if (value !== undefined) return `!${key}`;
        break;
      default:
        return `${key} ${operator}`;
    }
  }
  return undefined;
}
