import type { FieldChange } from "../application/spec-diff.ts";
import { abbreviate, clip, type Line, span, widthOf } from "./line.ts";
import type { Glyphs } from "./theme.ts";

/** Hexadecimal digits of a digest that tell images apart, as container tools show them. */
const digestLength = 12;

/** An image by what tells it apart among those of one repository: the beginning of its digest, else its name and tag. */
export function shortImage(image: string): string {
  const digest = /@sha256:([0-9a-f]+)$/.exec(image)?.[1];
  return digest === undefined ? imageName(image) : digest.slice(0, digestLength);
}

/** An image without the way to it: `starter:0.1.0`, `checkout@9f1c2d3e4f5a`. */
function imageName(image: string): string {
  const name = image.replace(/^.*\//, "");
  return name.replace(/@sha256:([0-9a-f]+)$/, (_, digest: string) => `@${digest.slice(0, digestLength)}`);
}

/** Two values of a field side by side; images without the way to them. */
function sides({ field, before, after }: FieldChange, glyphs: Glyphs): readonly [string, string] {
  const [was = glyphs.none, is = glyphs.none] = [before, after];
  if (field !== "image") return [was, is];
  const repository = (value: string) => value.replace(/@.*$/, "");
  const same = was.includes("@") && repository(was) === repository(is);
  return same ? [shortImage(was), shortImage(is)] : [imageName(was), imageName(is)];
}

/** What differs, a line a field: `replicas  3 → 5`. At most `most` lines, the last of which says how many are missing. */
export function fieldChangeLines(
  changes: readonly FieldChange[],
  { columns, most, glyphs }: { readonly columns: number; readonly most: number; readonly glyphs: Glyphs },
): readonly Line[] {
  const shown = changes.length > most ? changes.slice(0, Math.max(0, most - 1)) : changes;
  const width = Math.min(28, Math.max(0, ...shown.map(({ field }) => widthOf(field))));
  const lines = shown.map((change): Line => {
    const [was, is] = sides(change, glyphs);
    const room = columns - width - 6;
    const arrow = ` ${glyphs.arrow} `;
    const beside = widthOf(was) + widthOf(is) + arrow.length <= room;
    const half = Math.max(8, Math.floor((room - arrow.length) / 2));
    return [
      span(`   ${abbreviate(change.field, width).padEnd(width)}  `, "dim"),
      span(beside ? was : abbreviate(was, half)),
      span(arrow, "dim"),
      span(beside ? is : abbreviate(is, half), "strong"),
    ];
  });
  const missing = changes.length - shown.length;
  return missing === 0 ? lines : [...lines, [span(`   and ${missing} more fields`, "dim")]];
}

/** The same in one line: `replicas 3 → 5, starter true → false`. */
export function fieldChangeText(changes: readonly FieldChange[], width: number, glyphs: Glyphs): string {
  const parts = changes.map((change) => {
    const [was, is] = sides(change, glyphs);
    return `${change.field} ${was} ${glyphs.arrow} ${is}`;
  });
  return clip(parts.join(", "), width, glyphs.ellipsis);
}
