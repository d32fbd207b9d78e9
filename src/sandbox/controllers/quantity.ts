import { quantityNanos } from "../schema/quantity.ts";

/** A Kubernetes quantity as a number: `250m` is 0.25, `1Gi` 1073741824. Not a quantity: 0. */
export function parseQuantity(text: string): number {
  return Number(quantityNanos(text) ?? 0n) / 1e9;
}

const binary = [
  ["Ti", 2 ** 40],
  ["Gi", 2 ** 30],
  ["Mi", 2 ** 20],
  ["Ki", 2 ** 10],
] as const;

/** A number as the API server writes quantities of this resource: memory and storage in binary units, CPU in milli. */
export function formatQuantity(value: number, resource: string): string {
  if (/memory|storage/.test(resource)) {
    for (const [unit, factor] of binary) {
      if (value >= factor && value % factor === 0) return `${value / factor}${unit}`;
    }
    return String(Math.round(value));
  }
  return Number.isInteger(value) ? String(value) : `${Math.round(value * 1000)}m`;
}
