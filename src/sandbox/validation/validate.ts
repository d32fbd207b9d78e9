import type { StoredObject } from "../api.ts";
import type { JsonObject } from "../json.ts";
import type { ResourceInfo } from "../resources.ts";
import { validateSchema } from "../schema/validate.ts";
import type { Cause } from "../status.ts";
import { validateBuiltin } from "./builtin.ts";
import { validateMetadata } from "./metadata.ts";
import { validateRules } from "./rules.ts";

export interface ValidationContext {
  readonly subresource: string | undefined;
  readonly warn: (text: string) => void;
}

/** All that is wrong with an object, in the order in which a real API server reports it. */
export function validate(
  resource: ResourceInfo,
  object: JsonObject,
  before: StoredObject | undefined,
  context: ValidationContext,
): readonly Cause[] {
  const causes = [...validateMetadata(resource, object, before)];
  if (resource.custom === undefined)
    return [...causes, ...validateBuiltin(resource, object, before, context)];
  const schema = validateSchema(object, resource.schema);
  // Rules run on objects of the right shape only.
  return [
    ...causes,
    ...schema,
    ...(schema.length === 0 ? validateRules(resource.schema, object, before) : []),
  ];
}
