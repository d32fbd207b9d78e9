import { isObject, type JsonObject } from "./json.ts";
import type { ResourceInfo, Resources } from "./resources.ts";
import { definition, type Schema } from "./schema/schema.ts";
import { failures } from "./status.ts";

/** `/openapi/v3`: where the document of each group and version is. */
export function openApiIndex(resources: Resources): JsonObject {
  const paths: JsonObject = {};
  for (const { group, version } of resources.all()) {
    const path = group === "" ? `api/${version}` : `apis/${group}/${version}`;
    paths[path] = { serverRelativeURL: `/openapi/v3/${path}` };
  }
  return { paths };
}

/**
 * `/openapi/v3/apis/GROUP/VERSION`: not perfect documents, but what kubectl asks of them: which kinds there are, and
 * that the server itself validates fields.
 */
export function openApiDocument(resources: Resources, segments: readonly string[]): JsonObject {
  const apiVersion = segments[0] === "api" ? segments[1] : `${segments[1]}/${segments[2]}`;
  const served = resources.all().filter((resource) => resource.apiVersion === apiVersion);
  if (served.length === 0) throw failures.noSuchPath();
  const schemas: JsonObject = {};
  const paths: JsonObject = {};
  for (const resource of served) {
    const kind = { group: resource.group, version: resource.version, kind: resource.kind };
    schemas[schemaName(resource)] = {
      ...referenced(resource.schema, schemas),
      "x-kubernetes-group-version-kind": [kind],
    };
    const root = segments[0] === "api" ? `/api/${resource.version}` : `/apis/${resource.apiVersion}`;
    const path = `${root}${resource.namespaced ? "/namespaces/{namespace}" : ""}/${resource.plural}/{name}`;
    paths[path] = { patch: operation("patch", kind), put: operation("put", kind) };
  }
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes sandbox", version: "unversioned" },
    paths,
    components: { schemas },
  };
}

/** A schema with its references as OpenAPI writes them; the types it refers to are added to `schemas`. */
function referenced(schema: Schema, schemas: JsonObject): JsonObject {
  const rewrite = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rewrite);
    if (!isObject(value)) return value;
    const { $ref, ...rest } = value;
    if (typeof $ref !== "string") {
      return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, rewrite(inner)]));
    }
    if (schemas[$ref] === undefined) {
      schemas[$ref] = {}; // Types may refer to themselves.
      schemas[$ref] = rewrite(definition($ref));
    }
    return { ...rest, allOf: [{ $ref: `#/components/schemas/${$ref}` }] };
  };
  const made = rewrite(schema);
  return isObject(made) ? made : {};
}

const schemaName = (resource: ResourceInfo) =>
  `${resource.group === "" ? "core" : resource.group}.${resource.version}.${resource.kind}`;

const operation = (action: string, kind: JsonObject): JsonObject => ({
  "x-kubernetes-action": action,
  "x-kubernetes-group-version-kind": kind,
  parameters: ["dryRun", "fieldManager", "fieldValidation"].map((name) => ({
    name,
    in: "query",
    schema: { type: "string" },
  })),
  responses: { "200": { description: "OK" } },
});

/** `/openapi/v2`: the same for older clients. */
export function openApiV2(resources: Resources): JsonObject {
  const definitions: JsonObject = {};
  const paths: JsonObject = {};
  for (const resource of resources.all()) {
    const kind = { group: resource.group, version: resource.version, kind: resource.kind };
    definitions[schemaName(resource)] = { type: "object", "x-kubernetes-group-version-kind": [kind] };
    const root = resource.group === "" ? `/api/${resource.version}` : `/apis/${resource.apiVersion}`;
    const path = `${root}${resource.namespaced ? "/namespaces/{namespace}" : ""}/${resource.plural}/{name}`;
    const { parameters, ...rest } = operation("patch", kind);
    const inQuery = Array.isArray(parameters)
      ? parameters.map(({ name }) => ({ name, in: "query", type: "string", uniqueItems: true }))
      : [];
    paths[path] = { patch: { ...rest, parameters: inQuery } };
  }
  return {
    swagger: "2.0",
    info: { title: "Kubernetes sandbox", version: "unversioned" },
    paths,
    definitions,
  };
}
