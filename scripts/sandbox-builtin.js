// Regenerates src/sandbox/builtin/*.json (schemas and discovery of the built-in resources that the sandbox serves)
// from the API server of the current kubeconfig, so that no one copies them by hand: `node scripts/sandbox-builtin.js`.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";

const served = {
  "api/v1":
    "pods services endpoints configmaps secrets namespaces nodes persistentvolumes persistentvolumeclaims serviceaccounts events resourcequotas limitranges replicationcontrollers",
  "apis/apps/v1": "deployments replicasets statefulsets daemonsets controllerrevisions",
  "apis/batch/v1": "jobs cronjobs",
  "apis/autoscaling/v2": "horizontalpodautoscalers",
  "apis/policy/v1": "poddisruptionbudgets",
  "apis/networking.k8s.io/v1": "networkpolicies ingresses ingressclasses",
  "apis/rbac.authorization.k8s.io/v1": "roles rolebindings clusterroles clusterrolebindings",
  "apis/storage.k8s.io/v1": "storageclasses",
  "apis/coordination.k8s.io/v1": "leases",
  "apis/discovery.k8s.io/v1": "endpointslices",
  "apis/apiextensions.k8s.io/v1": "customresourcedefinitions",
  "apis/scheduling.k8s.io/v1": "priorityclasses",
  "apis/admissionregistration.k8s.io/v1": "validatingadmissionpolicies validatingadmissionpolicybindings",
};

const raw = (path) =>
  JSON.parse(execFileSync("kubectl", ["get", "--raw", path], { maxBuffer: 1 << 28, encoding: "utf8" }));

const documentation = [
  "x-kubernetes-group-version-kind",
  "x-kubernetes-patch-strategy",
  "x-kubernetes-patch-merge-key",
];
const reference = (text) => text.replace("#/components/schemas/", "");

function strip(schema) {
  if (Array.isArray(schema)) return schema.map(strip);
  if (schema === null || typeof schema !== "object") return schema;
  const kept = {};
  for (const [key, value] of Object.entries(schema)) {
    if (documentation.includes(key) || (key === "description" && typeof value === "string")) continue;
    if (key === "allOf" && value.length === 1 && value[0].$ref) kept.$ref = reference(value[0].$ref);
    else if (key === "$ref" && typeof value === "string") kept.$ref = reference(value);
    else kept[key] = strip(value);
  }
  return kept;
}

const definitions = {};
const resources = [];
const roots = [];
for (const [path, names] of Object.entries(served)) {
  const [group, version] = path === "api/v1" ? ["", "v1"] : path.slice("apis/".length).split("/");
  const schemas = raw(`/openapi/v3/${path}`).components.schemas;
  Object.assign(definitions, schemas);
  const all = raw(`/${path}`).resources;
  for (const plural of names.split(" ")) {
    const found = all.find(({ name }) => name === plural);
    const schema = Object.entries(schemas).find(([, definition]) =>
      definition["x-kubernetes-group-version-kind"]?.some(
        (gvk) => gvk.group === group && gvk.version === version && gvk.kind === found.kind,
      ),
    )?.[0];
    roots.push(schema);
    resources.push({
      group,
      version,
      plural,
      singular: found.singularName,
      kind: found.kind,
      namespaced: found.namespaced,
      verbs: found.verbs,
      shortNames: found.shortNames ?? [],
      categories: found.categories ?? [],
      subresources: all
        .filter(({ name }) => name.startsWith(`${plural}/`))
        .map(({ name }) => name.slice(plural.length + 1)),
      schema,
    });
  }
}

const kept = {};
function keep(name) {
  if (name in kept) return;
  kept[name] = strip(definitions[name]);
  const visit = (value) => {
    if (value === null || typeof value !== "object") return;
    if (typeof value.$ref === "string") keep(value.$ref);
    Object.values(value).forEach(visit);
  };
  visit(kept[name]);
}
roots.forEach(keep);

const lines = (entries) => entries.join(",\n");
const folder = new URL("../src/sandbox/builtin/", import.meta.url);
writeFileSync(
  new URL("schemas.json", folder),
  `{\n${lines(
    Object.keys(kept)
      .sort()
      .map((name) => `${JSON.stringify(name)}:${JSON.stringify(kept[name])}`),
  )}\n}\n`,
);
writeFileSync(
  new URL("resources.json", folder),
  `[\n${lines(resources.map((resource) => JSON.stringify(resource)))}\n]\n`,
);
