import { closest, distance } from "fastest-levenshtein";

/** What people call things that have another name here. */
const otherNames: Readonly<Record<string, string>> = {
  golang: "go",
  ts: "typescript",
  node: "typescript",
  nodejs: "typescript",
  javascript: "typescript",
  js: "typescript",
  postgresql: "postgres",
  pg: "postgres",
  psql: "postgres",
  valkey: "redis",
  private: "internal",
  external: "public",
  internet: "public",
  no: "none",
  false: "none",
};

/** The allowed value a person most likely meant; undefined where none is near. */
export function nearest(value: string, allowed: readonly string[]): string | undefined {
  const wanted = value.trim().toLowerCase();
  if (wanted === "" || allowed.length === 0) return undefined;
  const meanings = new Map<string, string>([
    ...Object.entries(otherNames).filter(([, meant]) => allowed.includes(meant)),
    ...allowed.map((own) => [own, own] as const),
  ]);
  const candidate = closest(wanted, [...meanings.keys()]);
  // Two letters in the wrong order count as two.
  const swapped = sorted(wanted) === sorted(candidate.toLowerCase());
  const far = Math.max(swapped ? 2 : 1, Math.floor(Math.max(candidate.length, wanted.length) / 3));
  return distance(wanted, candidate.toLowerCase()) <= far ? meanings.get(candidate) : undefined;
}

function sorted(word: string): string {
  return [...word].sort().join("");
}
