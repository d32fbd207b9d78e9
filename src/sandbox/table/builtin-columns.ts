import { isObject, listAt, numberAt, objectAt, textAt, valueAt } from "../json.ts";
import { ageSince } from "./age.ts";
import { ageColumn, type Column, column } from "./column.ts";
import { podColumns } from "./pod-columns.ts";
import { joined, selectorOf } from "./texts.ts";
import { workloadColumns } from "./workload-columns.ts";

const wide = { priority: 1 } as const;
const integer = { type: "integer" } as const;
const size = (field: string) => (object: unknown) => Object.keys(objectAt(object, field) ?? {}).length;
const text =
  (...path: readonly string[]) =>
  (object: unknown) =>
    textAt(object, ...path) ?? "";
const modes: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};
const accessModes =
  (...path: readonly string[]) =>
  (object: unknown) =>
    listAt(object, ...path)
      .map((mode) => modes[String(mode)] ?? String(mode))
      .join(",");
const created = column("Created At", text("metadata", "creationTimestamp"), { type: "date" });

function servicePorts(service: unknown): string {
  return joined(
    listAt(service, "spec", "ports").map((port) => {
      const nodePort = numberAt(port, "nodePort");
      const number = numberAt(port, "port");
      return `${number}${nodePort === undefined ? "" : `:${nodePort}`}/${textAt(port, "protocol")}`;
    }),
  );
}

function externalAddress(service: unknown): string {
  const type = textAt(service, "spec", "type");
  if (type === "ExternalName") return textAt(service, "spec", "externalName") ?? "<none>";
  if (type === "LoadBalancer") {
    const addresses = listAt(service, "status", "loadBalancer", "ingress").map(
      (ingress) => textAt(ingress, "ip") ?? textAt(ingress, "hostname") ?? "",
    );
    return addresses.length > 0 ? addresses.join(",") : "<pending>";
  }
  return joined(listAt(service, "spec", "externalIPs").map(String));
}

function eventObject(event: unknown): string {
  return `${(textAt(event, "involvedObject", "kind") ?? "").toLowerCase()}/${textAt(event, "involvedObject", "name") ?? ""}`;
}

function lastSeen(event: unknown, now: Date): string {
  const last =
    textAt(event, "series", "lastObservedTime") ??
    textAt(event, "lastTimestamp") ??
    textAt(event, "eventTime");
  return ageSince(last, now);
}

function subjects(kind: string): Column["cell"] {
  return (binding) =>
    listAt(binding, "subjects")
      .filter((subject) => textAt(subject, "kind") === kind)
      .map((subject) =>
        kind === "ServiceAccount"
          ? `${textAt(subject, "namespace")}/${textAt(subject, "name")}`
          : textAt(subject, "name"),
      )
      .join(", ");
}

const bindingColumns: readonly Column[] = [
  column("Role", (binding) => `${textAt(binding, "roleRef", "kind")}/${textAt(binding, "roleRef", "name")}`),
  ageColumn,
  column("Users", subjects("User"), wide),
  column("Groups", subjects("Group"), wide),
  column("ServiceAccounts", subjects("ServiceAccount"), wide),
];

function quotaUse(quota: unknown, part: "requests" | "limits"): string {
  const hard = objectAt(quota, "status", "hard") ?? objectAt(quota, "spec", "hard") ?? {};
  const used = objectAt(quota, "status", "used") ?? {};
  return Object.keys(hard)
    .filter((name) => name.startsWith("limits.") === (part === "limits"))
    .sort()
    .map((name) => `${name}: ${String(used[name] ?? 0)}/${String(hard[name])}`)
    .join(", ");
}

function nodeStatus(node: unknown): string {
  const ready = listAt(node, "status", "conditions").find(
    (condition) => textAt(condition, "type") === "Ready",
  );
  const state = ready === undefined ? "Unknown" : textAt(ready, "status") === "True" ? "Ready" : "NotReady";
  return valueAt(node, "spec", "unschedulable") === true ? `${state},SchedulingDisabled` : state;
}

function nodeRoles(node: unknown): string {
  const prefix = "node-role.kubernetes.io/";
  const labels = Object.keys(objectAt(node, "metadata", "labels") ?? {});
  return joined(
    labels
      .filter((label) => label.startsWith(prefix))
      .map((label) => label.slice(prefix.length))
      .sort(),
  );
}

const nodeAddress = (type: string) => (node: unknown) =>
  textAt(
    listAt(node, "status", "addresses").find((address) => textAt(address, "type") === type),
    "address",
  ) ?? "<none>";

function autoscalerTargets(autoscaler: unknown): string {
  return joined(
    listAt(autoscaler, "spec", "metrics").map((metric) => {
      const wanted = numberAt(metric, "resource", "target", "averageUtilization");
      const name = textAt(metric, "resource", "name") ?? "";
      const current = listAt(autoscaler, "status", "currentMetrics").find(
        (found) => textAt(found, "resource", "name") === name,
      );
      const now = numberAt(current, "resource", "current", "averageUtilization");
      return `${name}: ${now === undefined ? "<unknown>" : `${now}%`}/${wanted ?? "<auto>"}${wanted === undefined ? "" : "%"}`;
    }),
  );
}

function sliceEndpoints(slice: unknown): string {
  return joinedOr(
    listAt(slice, "endpoints").flatMap((endpoint) => listAt(endpoint, "addresses").map(String)),
    "<unset>",
  );
}

const joinedOr = (items: readonly string[], none: string) => {
  if (items.length === 0) return none;
  return items.length > 3 ? `${items.slice(0, 3).join(",")} + ${items.length - 3} more...` : items.join(",");
};

/** The columns after the name, by resource, as kubectl shows them of a real server. */
export const builtinColumns: Readonly<Record<string, readonly Column[]>> = {
  ...workloadColumns,
  "/pods": podColumns,
  "/namespaces": [column("Status", text("status", "phase")), ageColumn],
  "/services": [
    column("Type", text("spec", "type")),
    column("Cluster-IP", (service) => textAt(service, "spec", "clusterIP") ?? "<none>"),
    column("External-IP", externalAddress),
    column("Port(s)", servicePorts),
    ageColumn,
    column("Selector", (service) => selectorOf({ matchLabels: objectAt(service, "spec", "selector") }), wide),
  ],
  "/secrets": [column("Type", text("type")), column("Data", size("data")), ageColumn],
  "/configmaps": [
    column("Data", (object) => Number(size("data")(object)) + Number(size("binaryData")(object))),
    ageColumn,
  ],
  "/serviceaccounts": [ageColumn],
  "/endpoints": [
    column("Endpoints", (endpoints) =>
      joinedOr(
        listAt(endpoints, "subsets").flatMap((subset) =>
          listAt(subset, "addresses").flatMap((address) =>
            listAt(subset, "ports").map((port) => `${textAt(address, "ip")}:${numberAt(port, "port")}`),
          ),
        ),
        "<none>",
      ),
    ),
    ageColumn,
  ],
  "/events": [
    column("Type", text("type")),
    column("Reason", text("reason")),
    column("Object", eventObject),
    column("Subobject", text("involvedObject", "fieldPath"), wide),
    column(
      "Source",
      (event) => textAt(event, "source", "component") ?? textAt(event, "reportingComponent") ?? "",
      wide,
    ),
    column("Message", (event) => (textAt(event, "message") ?? "").trim()),
    column(
      "First Seen",
      (event, now) => ageSince(textAt(event, "firstTimestamp") ?? textAt(event, "eventTime"), now),
      wide,
    ),
    column("Count", (event) => numberAt(event, "series", "count") ?? numberAt(event, "count") ?? 1, wide),
    column("Name", text("metadata", "name"), { format: "name", priority: 1 }),
  ],
  "/nodes": [
    column("Status", nodeStatus),
    column("Roles", nodeRoles),
    ageColumn,
    column("Version", text("status", "nodeInfo", "kubeletVersion")),
    column("Internal-IP", nodeAddress("InternalIP"), wide),
    column("External-IP", nodeAddress("ExternalIP"), wide),
    column("OS-Image", text("status", "nodeInfo", "osImage"), wide),
    column("Kernel-Version", text("status", "nodeInfo", "kernelVersion"), wide),
    column("Container-Runtime", text("status", "nodeInfo", "containerRuntimeVersion"), wide),
  ],
  "/persistentvolumeclaims": [
    column("Status", (claim) =>
      valueAt(claim, "metadata", "deletionTimestamp") === undefined
        ? (textAt(claim, "status", "phase") ?? "")
        : "Terminating",
    ),
    column("Volume", text("spec", "volumeName")),
    column("Capacity", text("status", "capacity", "storage")),
    column("Access Modes", accessModes("status", "accessModes")),
    column("StorageClass", text("spec", "storageClassName")),
    column("VolumeAttributesClass", () => "<unset>"),
    ageColumn,
    column("VolumeMode", text("spec", "volumeMode"), wide),
  ],
  "/persistentvolumes": [
    column("Capacity", text("spec", "capacity", "storage")),
    column("Access Modes", accessModes("spec", "accessModes")),
    column("Reclaim Policy", text("spec", "persistentVolumeReclaimPolicy")),
    column("Status", text("status", "phase")),
    column("Claim", (volume) => {
      const claim = objectAt(volume, "spec", "claimRef");
      return claim === undefined ? "" : `${String(claim.namespace)}/${String(claim.name)}`;
    }),
    column("StorageClass", text("spec", "storageClassName")),
    column("VolumeAttributesClass", () => "<unset>"),
    column("Reason", text("status", "reason")),
    ageColumn,
    column("VolumeMode", text("spec", "volumeMode"), wide),
  ],
  "/resourcequotas": [
    column("Request", (quota) => quotaUse(quota, "requests")),
    column("Limit", (quota) => quotaUse(quota, "limits")),
    ageColumn,
  ],
  "/limitranges": [created],
  "networking.k8s.io/networkpolicies": [
    column("Pod-Selector", (policy) => selectorOf(objectAt(policy, "spec", "podSelector"))),
    ageColumn,
  ],
  "networking.k8s.io/ingresses": [
    column("Class", (ingress) => textAt(ingress, "spec", "ingressClassName") ?? "<none>"),
    column("Hosts", (ingress) =>
      joinedOr(
        listAt(ingress, "spec", "rules").map((rule) => textAt(rule, "host") ?? "*"),
        "*",
      ),
    ),
    column("Address", (ingress) =>
      listAt(ingress, "status", "loadBalancer", "ingress")
        .map((found) => textAt(found, "ip") ?? textAt(found, "hostname") ?? "")
        .join(","),
    ),
    column("Ports", (ingress) => (listAt(ingress, "spec", "tls").length > 0 ? "80, 443" : "80")),
    ageColumn,
  ],
  "rbac.authorization.k8s.io/roles": [created],
  "rbac.authorization.k8s.io/clusterroles": [created],
  "rbac.authorization.k8s.io/rolebindings": bindingColumns,
  "rbac.authorization.k8s.io/clusterrolebindings": bindingColumns,
  "policy/poddisruptionbudgets": [
    column("Min Available", (budget) => String(valueAt(budget, "spec", "minAvailable") ?? "N/A")),
    column("Max Unavailable", (budget) => String(valueAt(budget, "spec", "maxUnavailable") ?? "N/A")),
    column("Allowed Disruptions", (budget) => numberAt(budget, "status", "disruptionsAllowed") ?? 0, integer),
    ageColumn,
  ],
  "autoscaling/horizontalpodautoscalers": [
    column("Reference", (autoscaler) => {
      const target = objectAt(autoscaler, "spec", "scaleTargetRef");
      return `${String(target?.kind)}/${String(target?.name)}`;
    }),
    column("Targets", autoscalerTargets),
    column("MinPods", (autoscaler) => String(numberAt(autoscaler, "spec", "minReplicas") ?? "<unset>")),
    column("MaxPods", (autoscaler) => numberAt(autoscaler, "spec", "maxReplicas")),
    column("Replicas", (autoscaler) => numberAt(autoscaler, "status", "currentReplicas") ?? 0),
    ageColumn,
  ],
  "coordination.k8s.io/leases": [column("Holder", text("spec", "holderIdentity")), ageColumn],
  "discovery.k8s.io/endpointslices": [
    column("AddressType", text("addressType")),
    column("Ports", (slice) =>
      joinedOr(
        listAt(slice, "ports").map((port) => String(numberAt(port, "port") ?? "")),
        "<unset>",
      ),
    ),
    column("Endpoints", sliceEndpoints),
    ageColumn,
  ],
  "storage.k8s.io/storageclasses": [
    column("Provisioner", text("provisioner")),
    column("ReclaimPolicy", text("reclaimPolicy")),
    column("VolumeBindingMode", text("volumeBindingMode")),
    column("AllowVolumeExpansion", (found) => valueAt(found, "allowVolumeExpansion") === true),
    ageColumn,
  ],
  "apiextensions.k8s.io/customresourcedefinitions": [
    column("Scope", text("spec", "scope")),
    column("Versions", (crd) =>
      listAt(crd, "spec", "versions")
        .map(
          (version) => `${textAt(version, "name")}${valueAt(version, "storage") === true ? "(storage)" : ""}`,
        )
        .join(","),
    ),
    created,
    column("Group", text("spec", "group"), wide),
    column("Kind", text("spec", "names", "kind"), wide),
    column("ShortNames", (crd) => listAt(crd, "spec", "names", "shortNames").join(","), wide),
    column(
      "Established",
      (crd) =>
        listAt(crd, "status", "conditions").some(
          (condition) =>
            isObject(condition) && condition.type === "Established" && condition.status === "True",
        ),
      { type: "boolean", priority: 1 },
    ),
  ],
};

/** Columns before the name, of the one resource that has any. */
export const leadingColumns: Readonly<Record<string, readonly Column[]>> = {
  "/events": [column("Last Seen", lastSeen)],
};
