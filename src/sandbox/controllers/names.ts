/** The letters of generated names: no vowels, nothing that looks like another. */
const letters = "bcdfghjklmnpqrstvwxz2456789";

/** Five letters as the API server appends them to `generateName`. `random` answers with 0 ≤ x < 1. */
export function suffix(random: () => number): string {
  let text = "";
  for (let i = 0; i < 5; i++) text += letters[Math.floor(random() * letters.length)] ?? "x";
  return text;
}

/** FNV-1a, 32 bits. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value ^= text.charCodeAt(i);
    value = Math.imul(value, 0x01000193) >>> 0;
  }
  return value;
}

/** JSON with sorted keys: equal for equal values. */
export function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
        : inner,
    ) ?? "null"
  );
}

/** What controllers append to the names of what they make from a template, the same for equal templates. */
export function templateHash(template: unknown): string {
  const digits = String(hash(canonical(template)));
  let text = "";
  for (const digit of digits) text += letters[digit.charCodeAt(0) % letters.length] ?? "x";
  return text;
}

/** A number between `min` and `max` that is always the same for the same seed. */
export function between(seed: string, min: number, max: number): number {
  return Math.round(min + (hash(seed) / 0xffffffff) * (max - min));
}

/** `stem-suffix`, the stem cut so that the whole has at most 63 characters. */
export function childName(stem: string, end: string): string {
  return `${stem.slice(0, 63 - end.length - 1)}-${end}`;
}
