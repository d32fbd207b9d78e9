import { createHash } from "node:crypto";
import { type Document, readDocument } from "../application/document.ts";
import { RefusedInput } from "../application/refusal.ts";
import { schemaProblems } from "../application/schema-problems.ts";
import type { Cluster, RequestOptions } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import { resources } from "../cluster/resource.ts";
import { type Standards, standardsName, standardsSchema } from "./standards.ts";

/** The cluster has no standards: `platform install` writes them. */
export class StandardsMissing extends Error {
  override readonly name = "StandardsMissing";

  constructor(context: string) {
    super(`the cluster of ${context} has no standards yet: run platform install`);
  }
}

function isManifest(value: unknown): value is { readonly spec?: unknown } {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "Standards";
}

/**
 * Parses standards, bare or as a manifest of kind Standards. What is left out has its default.
 * @throws RefusedInput with every problem, each with field and line.
 */
export function parseStandards(document: Document): Standards {
  const prefix = isManifest(document.value) ? ["spec"] : [];
  const value = isManifest(document.value) ? document.value.spec : document.value;
  // An empty file is a file of defaults.
  const parsed = standardsSchema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  throw new RefusedInput(schemaProblems(standardsSchema, parsed.error, document, prefix), document.file);
}

/** @throws RefusedInput where the file cannot be read, is not YAML or is not standards. */
export async function readStandardsFile(path: string): Promise<Standards> {
  return parseStandards(await readDocument(path));
}

/**
 * The standards of a cluster.
 * @throws StandardsMissing, RefusedInput where they are not valid (an older or newer platform wrote them), ClusterError.
 */
export async function loadStandards(cluster: Cluster, options: RequestOptions = {}): Promise<Standards> {
  const object = await cluster.get(resources.standards, { name: standardsName }, options).catch((error) => {
    if (isClusterError(error, "not-found")) throw new StandardsMissing(cluster.context);
    throw error;
  });
  return parseStandards({
    file: `standards/${standardsName} of ${cluster.context}`,
    value: object,
    positionOf: () => undefined,
  });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, child]) => [key, sorted(child)]),
  );
}

/** Identifies standards in a run's record: equal standards have equal hashes, in whatever order they were written. */
export function standardsHash(standards: Standards): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(standards)))
    .digest("hex")
    .slice(0, 16);
}
