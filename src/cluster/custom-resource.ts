import type { Json, KubeObject } from "./object.ts";
import { apiVersionOf, type Resource, resources } from "./resource.ts";

type JsonObject = { readonly [key: string]: Json };

/** What sets one CRD apart from another. */
export interface CustomResource {
  /** What it defines; its version is the only one, served and stored. */
  readonly resource: Resource;
  readonly labels: Readonly<Record<string, string>>;
  readonly shortNames?: readonly string[];
  /** Names for several kinds at once, as `all` is one. */
  readonly categories: readonly string[];
  /** `status` and `scale`, where it has them. */
  readonly subresources?: JsonObject;
  /** What a table of its objects shows beside their names. */
  readonly columns: readonly Json[];
  readonly description: string;
  /** Structural schema of `spec`, which every object must have. */
  readonly spec: JsonObject;
  /** … of `status`. */
  readonly status?: JsonObject;
  /** CEL rules about the whole object: `x-kubernetes-validations`. */
  readonly rules?: readonly Json[];
}

/** The CustomResourceDefinition of a resource. Pure. */
export function customResourceDefinition({ resource, ...own }: CustomResource): KubeObject {
  const { group, version, plural, kind, namespaced } = resource;
  return {
    apiVersion: apiVersionOf(resources.customResourceDefinitions),
    kind: resources.customResourceDefinitions.kind,
    metadata: { name: `${plural}.${group}`, labels: own.labels },
    spec: {
      group,
      scope: namespaced ? "Namespaced" : "Cluster",
      names: {
        plural,
        singular: kind.toLowerCase(),
        kind,
        listKind: `${kind}List`,
        ...(own.shortNames === undefined ? {} : { shortNames: own.shortNames }),
        categories: own.categories,
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          ...(own.subresources === undefined ? {} : { subresources: own.subresources }),
          additionalPrinterColumns: own.columns,
          schema: {
            openAPIV3Schema: {
              type: "object",
              description: own.description,
              required: ["spec"],
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                spec: own.spec,
                ...(own.status === undefined ? {} : { status: own.status }),
              },
              ...(own.rules === undefined ? {} : { "x-kubernetes-validations": own.rules }),
            },
          },
        },
      ],
    },
  };
}
