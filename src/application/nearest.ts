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
  no: "none",
  false: "none",
};

/** The allowed value a person most likely meant; undefined where none is near. */
export function nearest(value: string, allowed: readonly string[]): string | undefined {
  const wanted = value.trim().toLowerCase();
  if (wanted === "" || allowed.length === 0) return undefined;
  const other = otherNames[wanted];
  if (other !== undefined && allowed.includes(other)) return other;
  const candidate = closest(wanted, [...allowed]);
  const far = Math.max(1, Math.floor(Math.max(candidate.length, wanted.length) / 3));
  return distance(wanted, candidate.toLowerCase()) <= far ? candidate : undefined;
}
