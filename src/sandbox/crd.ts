import { isObject, type JsonObject, listAt, objectAt, textAt, valueAt } from "./json.ts";
import type { ResourceInfo, ScalePaths } from "./resources.ts";
import { objectMeta, type Schema } from "./schema/schema.ts";

/** A column of a CRD's `additionalPrinterColumns`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
  readonly jsonPath: string;
}

/** What a custom resource's version has beyond a built-in one. */
export interface CustomVersion {
  readonly definition: string;
  /** The apiVersion that objects are stored in. */
  readonly storedAs: string;
  readonly columns: readonly PrinterColumn[];
  readonly selectableFields: readonly string[];
}

interface Definition {
  readonly name: string;
  readonly group: string;
  readonly namespaced: boolean;
  readonly names: {
    readonly plural: string;
    readonly singular: string;
    readonly kind: string;
    readonly listKind: string;
    readonly shortNames: readonly string[];
    readonly categories: readonly string[];
  };
  readonly versions: readonly Version[];
}

interface Version {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly schema: Schema;
  readonly status: boolean;
  readonly scale: ScalePaths | undefined;
  readonly columns: readonly PrinterColumn[];
  readonly selectableFields: readonly string[];
}

const texts = (value: readonly unknown[]): readonly string[] =>
  value.filter((item) => typeof item === "string");

/** Reads a CustomResourceDefinition that has passed validation. */
export function readDefinition(crd: JsonObject): Definition {
  const kind = textAt(crd, "spec", "names", "kind") ?? "";
  return {
    name: textAt(crd, "metadata", "name") ?? "",
    group: textAt(crd, "spec", "group") ?? "",
    namespaced: textAt(crd, "spec", "scope") === "Namespaced",
    names: {
      plural: textAt(crd, "spec", "names", "plural") ?? "",
      singular: textAt(crd, "spec", "names", "singular") ?? kind.toLowerCase(),
      kind,
      listKind: textAt(crd, "spec", "names", "listKind") ?? `${kind}List`,
      shortNames: texts(listAt(crd, "spec", "names", "shortNames")),
      categories: texts(listAt(crd, "spec", "names", "categories")),
    },
    versions: listAt(crd, "spec", "versions").map(readVersion),
  };
}

function readVersion(version: unknown): Version {
  const scale = objectAt(version, "subresources", "scale");
  return {
    name: textAt(version, "name") ?? "",
    served: valueAt(version, "served") === true,
    storage: valueAt(version, "storage") === true,
    schema: rooted(valueAt(version, "schema", "openAPIV3Schema")),
    status: objectAt(version, "subresources", "status") !== undefined,
    scale:
      scale === undefined
        ? undefined
        : {
            spec: (textAt(scale, "specReplicasPath") ?? ".spec.replicas").slice(1),
            status: (textAt(scale, "statusReplicasPath") ?? ".status.replicas").slice(1),
            selector: textAt(scale, "labelSelectorPath")?.slice(1),
          },
    columns: listAt(version, "additionalPrinterColumns").map((column) => ({
      name: textAt(column, "name") ?? "",
      type: textAt(column, "type") ?? "string",
      format: textAt(column, "format") ?? "",
      description: textAt(column, "description") ?? "",
      priority: Number(valueAt(column, "priority") ?? 0),
      jsonPath: textAt(column, "jsonPath") ?? "",
    })),
    selectableFields: listAt(version, "selectableFields").map((field) =>
      (textAt(field, "jsonPath") ?? "").replace(/^\./, ""),
    ),
  };
}

const text: Schema = { type: "string" };

/** The schema of a whole object: what the CRD says, with the metadata that every object has. */
function rooted(schema: unknown): Schema {
  const root: Schema = isObject(schema) ? schema : { "x-kubernetes-preserve-unknown-fields": true };
  return {
    ...root,
    properties: { ...root.properties, apiVersion: text, kind: text, metadata: objectMeta },
  };
}

/** The served resources of a CRD, a version each, the storage version first. */
export function customResource(crd: Definition): readonly ResourceInfo[] {
  const storage = crd.versions.find((version) => version.storage);
  return crd.versions
    .filter((version) => version.served)
    .toSorted((a, b) => Number(b.storage) - Number(a.storage))
    .map((version) => ({
      id: `${crd.group}/${crd.names.plural}`,
      group: crd.group,
      version: version.name,
      apiVersion: `${crd.group}/${version.name}`,
      plural: crd.names.plural,
      singular: crd.names.singular,
      kind: crd.names.kind,
      listKind: crd.names.listKind,
      namespaced: crd.namespaced,
      verbs: ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"],
      shortNames: crd.names.shortNames,
      categories: crd.names.categories,
      subresources: [...(version.status ? ["status"] : []), ...(version.scale ? ["scale"] : [])],
      scale: version.scale,
      schema: version.schema,
      custom: {
        definition: crd.name,
        storedAs: `${crd.group}/${storage?.name ?? version.name}`,
        columns: version.columns,
        selectableFields: version.selectableFields,
      },
    }));
}
