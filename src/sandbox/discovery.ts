import type { JsonObject } from "./json.ts";
import type { ResourceInfo, Resources } from "./resources.ts";
import { failures } from "./status.ts";

/** What `/version` answers. The suffix says that nothing real runs here. */
export const serverVersion = {
  major: "1",
  minor: "32",
  gitVersion: "v1.32.0-sandbox",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "2025-01-01T00:00:00Z",
  goVersion: "",
  compiler: "",
  platform: "sandbox/simulated",
} as const;

/** Resources that answer a question and store nothing. */
const reviews = [
  { group: "authorization.k8s.io", kind: "SelfSubjectAccessReview", name: "selfsubjectaccessreviews" },
  { group: "authorization.k8s.io", kind: "SelfSubjectRulesReview", name: "selfsubjectrulesreviews" },
  { group: "authentication.k8s.io", kind: "SelfSubjectReview", name: "selfsubjectreviews" },
] as const;

interface Group {
  readonly name: string;
  readonly versions: readonly string[];
}

function groupsOf(resources: Resources): readonly Group[] {
  const versions = new Map<string, Set<string>>(reviews.map(({ group }) => [group, new Set(["v1"])]));
  for (const { group, version } of resources.all()) {
    const known = versions.get(group) ?? new Set();
    versions.set(group, known.add(version));
  }
  return [...versions].map(([name, found]) => ({ name, versions: [...found] }));
}

const groupVersion = (group: string, version: string) => (group === "" ? version : `${group}/${version}`);

const apiGroup = ({ name, versions }: Group): JsonObject => {
  const listed = versions.map((version) => ({ groupVersion: groupVersion(name, version), version }));
  return { name, versions: listed, preferredVersion: listed[0] };
};

/** `/api`, `/apis`, `/apis/GROUP` and `/api[s]/…/VERSION`. @throws ApiFailure 404. */
export function discovery(
  resources: Resources,
  segments: readonly string[],
  aggregated: boolean,
): JsonObject {
  const [root, group, version] = segments;
  if (segments.length === 1 && aggregated) return aggregatedGroups(resources, root === "api");
  if (root === "api" && group === undefined) {
    return {
      kind: "APIVersions",
      versions: ["v1"],
      serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: "sandbox" }],
    };
  }
  const groups = groupsOf(resources).filter(({ name }) => name !== "");
  if (root === "apis" && group === undefined) {
    return { kind: "APIGroupList", apiVersion: "v1", groups: groups.map(apiGroup) };
  }
  const found = groups.find(({ name }) => name === group);
  if (root === "apis" && version === undefined) {
    if (found === undefined) throw failures.noSuchPath();
    return { kind: "APIGroup", apiVersion: "v1", ...apiGroup(found) };
  }
  const wanted = root === "api" ? (group ?? "") : `${group}/${version}`;
  const served = resources.all().filter(({ apiVersion }) => apiVersion === wanted);
  const asked = reviews.filter((review) => `${review.group}/v1` === wanted);
  if (served.length === 0 && asked.length === 0) throw failures.noSuchPath();
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: wanted,
    resources: [
      ...served.flatMap(apiResources),
      ...asked.map(({ name, kind }) => ({
        name,
        singularName: kind.toLowerCase(),
        namespaced: false,
        kind,
        verbs: ["create"],
      })),
    ],
  };
}

function apiResources(resource: ResourceInfo): readonly JsonObject[] {
  return [
    {
      name: resource.plural,
      singularName: resource.singular,
      namespaced: resource.namespaced,
      kind: resource.kind,
      verbs: resource.verbs,
      ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
      ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
      storageVersionHash: "sandbox",
    },
    ...resource.subresources.map((subresource) => ({
      name: `${resource.plural}/${subresource}`,
      singularName: "",
      namespaced: resource.namespaced,
      kind: subresourceKind(resource, subresource),
      verbs: subresourceVerbs(subresource),
      ...(subresource === "scale" ? { group: "autoscaling", version: "v1" } : {}),
      ...(subresource === "eviction" ? { group: "policy", version: "v1" } : {}),
    })),
  ];
}

const subresourceKind = (resource: ResourceInfo, subresource: string): string =>
  subresource === "scale"
    ? "Scale"
    : subresource === "eviction"
      ? "Eviction"
      : subresource === "proxy"
        ? `${resource.kind}ProxyOptions`
        : resource.kind;

const subresourceVerbs = (subresource: string): readonly string[] =>
  subresource === "log"
    ? ["get"]
    : subresource === "eviction"
      ? ["create"]
      : subresource === "proxy"
        ? ["create", "delete", "get", "patch", "update"]
        : subresource === "finalize"
          ? ["update"]
          : ["get", "patch", "update"];

/** `apidiscovery.k8s.io/v2`: everything in one answer, as kubectl asks for it. */
function aggregatedGroups(resources: Resources, core: boolean): JsonObject {
  const items = groupsOf(resources)
    .filter(({ name }) => (name === "") === core)
    .map(({ name, versions }) => ({
      metadata: { name, creationTimestamp: null },
      versions: versions.map((version) => ({
        version,
        freshness: "Current",
        resources: [
          ...resources
            .all()
            .filter((resource) => resource.group === name && resource.version === version)
            .map(aggregatedResource),
          ...reviews
            .filter(({ group }) => group === name)
            .map((review) => ({
              resource: review.name,
              responseKind: { group: review.group, version: "v1", kind: review.kind },
              scope: "Cluster",
              singularResource: review.kind.toLowerCase(),
              verbs: ["create"],
            })),
        ],
      })),
    }));
  return { kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", metadata: {}, items };
}

function aggregatedResource(resource: ResourceInfo): JsonObject {
  const { group, version, kind, plural, singular } = resource;
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: resource.namespaced ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs: resource.verbs,
    shortNames: resource.shortNames,
    categories: resource.categories,
    subresources: resource.subresources.map((subresource) => ({
      subresource,
      responseKind:
        subresource === "scale"
          ? { group: "autoscaling", version: "v1", kind: "Scale" }
          : { group, version, kind: subresourceKind(resource, subresource) },
      verbs: subresourceVerbs(subresource),
    })),
  };
}
