import { stringify } from "yaml";
import type { KubeObject } from "../../cluster/object.ts";

/** An object as YAML, without the server's bookkeeping, in lines. Loaded only when somebody asks for it. */
export function yamlLines(object: KubeObject): readonly string[] {
  const { managedFields: _, ...metadata } = object.metadata;
  return stringify({ ...object, metadata }, { lineWidth: 0 })
    .trimEnd()
    .split("\n");
}
