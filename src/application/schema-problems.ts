import { z } from "zod";
import type { Document } from "./document.ts";
import { nearest } from "./nearest.ts";
import type { Problem } from "./refusal.ts";

function unwrapped(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return unwrapped(schema.unwrap());
  }
  return schema;
}

/** The keys that an object schema knows at this path. */
function keysAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  let node = unwrapped(schema);
  for (const key of path) {
    if (node instanceof z.ZodObject) node = unwrapped(node.shape[String(key)]);
    else if (node instanceof z.ZodRecord) node = unwrapped(node.valueType);
    else return [];
  }
  return node instanceof z.ZodObject ? Object.keys(node.shape) : [];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (node, key) =>
      typeof node === "object" && node !== null
        ? Object.entries(node).find(([name]) => name === String(key))?.[1]
        : undefined,
    value,
  );
}

type Issue = z.core.$ZodIssue;

function messageOf(issue: Issue, input: unknown): string {
  switch (issue.code) {
    case "invalid_type":
      return valueAt(input, issue.path) === undefined
        ? "is needed"
        : `must be ${{ int: "a whole number", number: "a number", string: "text", boolean: "true or false", array: "a list", object: "a map", record: "a map" }[String(issue.expected)] ?? issue.expected}`;
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    case "too_small":
      if (issue.origin === "string") return "must not be empty";
      return issue.origin === "array" ? "must not be an empty list" : `must be at least ${issue.minimum}`;
    case "too_big":
      return `must be at most ${issue.maximum}${issue.origin === "string" ? " characters" : ""}`;
    case "invalid_format":
      return issue.message.startsWith("Invalid string")
        ? `has a form that is not allowed (${issue.pattern ?? issue.format})`
        : issue.message;
    case "invalid_key":
      return "is not a name that is allowed here";
    default:
      return issue.message;
  }
}

/**
 * What is wrong with `document` by `schema`, a problem a field, each with its position.
 * @param prefix - where in the document the schema's value stands
 */
export function schemaProblems(
  schema: z.ZodType,
  error: z.ZodError,
  document: Document,
  prefix: readonly PropertyKey[] = [],
): Problem[] {
  const input = valueAt(document.value, prefix);
  return error.issues.flatMap((issue): Problem[] => {
    const field = issue.path.map(String).join(".");
    if (issue.code === "unrecognized_keys") {
      const known = keysAt(schema, issue.path);
      return issue.keys.map((key) => {
        const suggestion = nearest(key, known);
        return {
          field: [...issue.path.map(String), key].join("."),
          message: "is not known",
          ...(suggestion === undefined ? {} : { suggestion }),
          ...document.positionOf([...prefix, ...issue.path, key]),
        };
      });
    }
    const value = valueAt(input, issue.path);
    const suggestion =
      issue.code === "invalid_value" && typeof value === "string"
        ? nearest(value, issue.values.map(String))
        : undefined;
    return [
      {
        field,
        message: messageOf(issue, input),
        ...(suggestion === undefined ? {} : { suggestion }),
        ...document.positionOf([...prefix, ...issue.path]),
      },
    ];
  });
}
