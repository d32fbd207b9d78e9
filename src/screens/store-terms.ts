import { priceText, shortPrice } from "../provisioning/data-stores/price.ts";
import type { StoreTerms } from "../provisioning/data-stores/terms.ts";
import { type Line, span, wrap } from "./line.ts";

/** Columns before what a line says. */
const lead = 15;

/** Size, price and protection of a data store, a line each, what guards it in as many as it takes. */
export function termsLines({ size, price, protection }: StoreTerms, columns: number): readonly Line[] {
  return (
    [
      ["Size", size],
      ["Price", priceText(price)],
      ["Protection", protection.join("; ")],
    ] as const
  ).flatMap(([title, said]) =>
    wrap(said, columns - lead - 3, 4).map(
      (text, index): Line => [span(`   ${(index === 0 ? title : "").padEnd(lead - 3)}`, "dim"), span(text)],
    ),
  );
}

/** The same under a heading that says who runs it. */
export function termsBlock(terms: StoreTerms, columns: number): readonly Line[] {
  const title = terms.store === "database" ? "Database" : "Cache";
  return [[span(`   ${title.padEnd(lead - 3)}`, "dim"), span(terms.runs)], ...termsLines(terms, columns)];
}

/** Who runs a data store, its price and its size, beside the step that makes it; the last may be cut off. */
export function termsText({ brief: { by, size }, price }: StoreTerms): string {
  return `${by}, ${shortPrice(price)}, ${size}`;
}
