import { isDeepStrictEqual } from "node:util";
import { isValues, Unknown, type Value, type Values } from "./values.ts";

/** A type in Terraform's own JSON notation: `"string"`, `["map","string"]`, … */
export type CtyType = string | readonly CtyType[] | { readonly [name: string]: CtyType };

export interface Attribute {
  readonly type: CtyType;
  readonly required?: boolean;
  readonly optional?: boolean;
  readonly computed?: boolean;
  readonly sensitive?: boolean;
  readonly writeOnly?: boolean;
  /** A change of it needs a new resource. */
  readonly forceNew?: boolean;
  readonly default?: Value;
}

export interface Block {
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly blocks?: Readonly<
    Record<string, Block & { readonly nesting: "LIST" | "SET"; readonly max?: number }>
  >;
}

/** A block as the protocol describes it. */
export function describeBlock(block: Block): object {
  return {
    attributes: Object.entries(block.attributes).map(([name, attribute]) => ({
      name,
      type: Buffer.from(JSON.stringify(attribute.type)),
      required: attribute.required === true,
      optional: attribute.optional === true,
      computed: attribute.computed === true,
      sensitive: attribute.sensitive === true,
      write_only: attribute.writeOnly === true,
    })),
    block_types: Object.entries(block.blocks ?? {}).map(([name, nested]) => ({
      type_name: name,
      nesting: nested.nesting,
      max_items: nested.max ?? 0,
      block: describeBlock(nested),
    })),
  };
}

/**
 * What a resource will be: defaults filled in; what only the cloud decides stays as it was, and is unknown for a new
 * resource.
 */
export function planned(block: Block, proposed: Values, prior: Values | undefined): Values {
  const result: Record<string, Value> = {};
  for (const [name, attribute] of Object.entries(block.attributes)) {
    const value = proposed[name] ?? null;
    if (attribute.writeOnly === true) result[name] = null;
    else if (value !== null) result[name] = value;
    else if (attribute.default !== undefined) result[name] = attribute.default;
    else if (attribute.computed === true)
      result[name] = prior === undefined ? new Unknown() : (prior[name] ?? null);
    else result[name] = null;
  }
  for (const [name, nested] of Object.entries(block.blocks ?? {})) {
    const before = prior?.[name];
    result[name] = items(proposed[name]).map((item, index) =>
      planned(nested, item, nested.nesting === "LIST" ? items(before)[index] : undefined),
    );
  }
  return result;
}

/** Paths of what changes but cannot change in place, in the protocol's form. */
export function replacedBy(
  block: Block,
  before: Values,
  after: Values,
  path: readonly object[] = [],
): object[] {
  const found: object[] = [];
  for (const [name, attribute] of Object.entries(block.attributes)) {
    if (attribute.forceNew !== true) continue;
    if (!isDeepStrictEqual(before[name] ?? null, after[name] ?? null)) {
      found.push({ steps: [...path, { attribute_name: name }] });
    }
  }
  for (const [name, nested] of Object.entries(block.blocks ?? {})) {
    if (nested.nesting !== "LIST") continue;
    items(after[name]).forEach((item, index) => {
      const old = items(before[name])[index];
      if (old === undefined) return;
      found.push(
        ...replacedBy(nested, old, item, [...path, { attribute_name: name }, { element_key_int: index }]),
      );
    });
  }
  return found;
}

/** A resource with a value for everything unknown: the cloud's answer, by the path of names, or null. */
export function decided(block: Block, values: Values, answers: Values): Values {
  const result: Record<string, Value> = {};
  for (const name of Object.keys(block.attributes)) {
    const value = values[name] ?? null;
    result[name] = value instanceof Unknown ? (answers[name] ?? null) : value;
  }
  for (const [name, nested] of Object.entries(block.blocks ?? {})) {
    const answer = items(answers[name]);
    result[name] = items(values[name]).map((item, index) => decided(nested, item, answer[index] ?? {}));
  }
  return result;
}

function items(value: Value | undefined): readonly Values[] {
  return Array.isArray(value) ? value.filter(isValues) : [];
}
