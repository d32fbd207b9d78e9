import { ensureObject, isObject, type JsonObject, listAt, objectAt, textAt } from "../json.ts";

/** Sets a field that is missing. */
export function fallback(object: JsonObject, field: string, value: unknown): void {
  if (object[field] === undefined) object[field] = value;
}

const objects = (list: readonly unknown[]): readonly JsonObject[] => list.filter(isObject);

/** Defaults of a pod's spec, in a pod or in a workload's template. */
export function defaultPodSpec(spec: JsonObject): void {
  fallback(spec, "restartPolicy", "Always");
  fallback(spec, "dnsPolicy", "ClusterFirst");
  fallback(spec, "schedulerName", "default-scheduler");
  fallback(spec, "terminationGracePeriodSeconds", 30);
  fallback(spec, "securityContext", {});
  if (spec.serviceAccountName !== undefined) spec.serviceAccount = spec.serviceAccountName;
  else if (spec.serviceAccount !== undefined) spec.serviceAccountName = spec.serviceAccount;
  for (const field of ["initContainers", "containers", "ephemeralContainers"]) {
    for (const container of objects(listAt(spec, field))) defaultContainer(container);
  }
  for (const volume of objects(listAt(spec, "volumes"))) defaultVolume(volume);
}

function defaultContainer(container: JsonObject): void {
  const image = textAt(container, "image") ?? "";
  fallback(container, "imagePullPolicy", isLatest(image) ? "Always" : "IfNotPresent");
  fallback(container, "terminationMessagePath", "/dev/termination-log");
  fallback(container, "terminationMessagePolicy", "File");
  fallback(container, "resources", {});
  for (const port of objects(listAt(container, "ports"))) fallback(port, "protocol", "TCP");
  for (const field of ["livenessProbe", "readinessProbe", "startupProbe"]) {
    const probe = objectAt(container, field);
    if (probe !== undefined) defaultProbe(probe);
  }
  for (const hook of ["postStart", "preStop"]) {
    const get = objectAt(container, "lifecycle", hook, "httpGet");
    if (get !== undefined) defaultGet(get);
  }
  for (const variable of objects(listAt(container, "env"))) {
    const reference = objectAt(variable, "valueFrom", "fieldRef");
    if (reference !== undefined) fallback(reference, "apiVersion", "v1");
    const amount = objectAt(variable, "valueFrom", "resourceFieldRef");
    if (amount !== undefined) fallback(amount, "divisor", "0");
  }
}

function isLatest(image: string): boolean {
  if (image.includes("@")) return false;
  const tag = /:([^:/]+)$/.exec(image)?.[1];
  return tag === undefined || tag === "latest";
}

function defaultProbe(probe: JsonObject): void {
  fallback(probe, "timeoutSeconds", 1);
  fallback(probe, "periodSeconds", 10);
  fallback(probe, "successThreshold", 1);
  fallback(probe, "failureThreshold", 3);
  const get = objectAt(probe, "httpGet");
  if (get !== undefined) defaultGet(get);
  const grpc = objectAt(probe, "grpc");
  if (grpc !== undefined) fallback(grpc, "service", "");
}

function defaultGet(get: JsonObject): void {
  fallback(get, "path", "/");
  fallback(get, "scheme", "HTTP");
}

function defaultVolume(volume: JsonObject): void {
  if (Object.keys(volume).length === 1) volume.emptyDir = {};
  for (const source of ["configMap", "secret", "downwardAPI", "projected"]) {
    const found = objectAt(volume, source);
    if (found !== undefined) fallback(found, "defaultMode", 420);
  }
  const host = objectAt(volume, "hostPath");
  if (host !== undefined) fallback(host, "type", "");
  for (const source of objects(listAt(volume, "projected", "sources"))) {
    const token = objectAt(source, "serviceAccountToken");
    if (token !== undefined) fallback(token, "expirationSeconds", 3600);
  }
  const claim = objectAt(volume, "ephemeral", "volumeClaimTemplate", "spec");
  if (claim !== undefined) fallback(claim, "volumeMode", "Filesystem");
}

/** Defaults of a pod itself, beyond those of its spec; `status.qosClass` follows from its resources. */
export function defaultPod(pod: JsonObject): void {
  const spec = ensureObject(pod, "spec");
  fallback(spec, "enableServiceLinks", true);
  fallback(spec, "priority", 0);
  fallback(spec, "preemptionPolicy", "PreemptLowerPriority");
  fallback(spec, "serviceAccountName", "default");
  spec.serviceAccount = spec.serviceAccountName;
  fallback(
    spec,
    "tolerations",
    ["not-ready", "unreachable"].map((taint) => ({
      effect: "NoExecute",
      key: `node.kubernetes.io/${taint}`,
      operator: "Exists",
      tolerationSeconds: 300,
    })),
  );
  for (const container of objects([...listAt(spec, "initContainers"), ...listAt(spec, "containers")])) {
    const limits = objectAt(container, "resources", "limits");
    if (limits === undefined) continue;
    const requests = ensureObject(ensureObject(container, "resources"), "requests");
    for (const [resource, amount] of Object.entries(limits)) fallback(requests, resource, amount);
  }
  ensureObject(pod, "status").qosClass = qosClass(spec);
}

function qosClass(spec: JsonObject): string {
  const containers = objects([...listAt(spec, "initContainers"), ...listAt(spec, "containers")]);
  const sum = (field: string) => containers.map((container) => objectAt(container, "resources", field) ?? {});
  const [limits, requests] = [sum("limits"), sum("requests")];
  if ([...limits, ...requests].every((amounts) => Object.keys(amounts).length === 0)) return "BestEffort";
  const guaranteed = limits.every((limit, index) =>
    ["cpu", "memory"].every(
      (name) => limit[name] !== undefined && limit[name] === (requests[index]?.[name] ?? limit[name]),
    ),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}
