import type { StoredObject } from "../api.ts";
import { ensureObject, isObject, type JsonObject, listAt, objectAt, textAt } from "../json.ts";
import { defaultPodSpec, fallback } from "./pod.ts";

/** Defaults of the workload kinds that hold a pod template. */
export function defaultWorkload(id: string, object: JsonObject): void {
  const spec = objectAt(object, "spec");
  if (spec === undefined) return;
  switch (id) {
    case "apps/deployments":
      defaultDeployment(spec);
      return;
    case "apps/statefulsets":
      defaultStatefulSet(spec);
      return;
    case "apps/daemonsets":
      defaultDaemonSet(spec);
      return;
    case "apps/replicasets":
    case "/replicationcontrollers":
      fallback(spec, "replicas", 1);
      defaultTemplate(spec);
      return;
    case "batch/cronjobs":
      defaultCronJob(spec);
      return;
    default:
  }
}

function defaultTemplate(spec: JsonObject): void {
  const template = objectAt(spec, "template");
  if (template !== undefined) defaultPodSpec(ensureObject(template, "spec"));
}

function defaultDeployment(spec: JsonObject): void {
  fallback(spec, "replicas", 1);
  fallback(spec, "revisionHistoryLimit", 10);
  fallback(spec, "progressDeadlineSeconds", 600);
  const strategy = ensureObject(spec, "strategy");
  fallback(strategy, "type", "RollingUpdate");
  if (strategy.type === "RollingUpdate") {
    const rolling = ensureObject(strategy, "rollingUpdate");
    fallback(rolling, "maxSurge", "25%");
    fallback(rolling, "maxUnavailable", "25%");
  }
  defaultTemplate(spec);
}

function defaultStatefulSet(spec: JsonObject): void {
  fallback(spec, "replicas", 1);
  fallback(spec, "revisionHistoryLimit", 10);
  fallback(spec, "podManagementPolicy", "OrderedReady");
  const strategy = ensureObject(spec, "updateStrategy");
  // A partition is filled in only where the strategy was left out, or has settings already.
  if (strategy.type === undefined) {
    strategy.type = "RollingUpdate";
    ensureObject(strategy, "rollingUpdate");
  }
  const rolling = objectAt(strategy, "rollingUpdate");
  if (rolling !== undefined) fallback(rolling, "partition", 0);
  const retention = ensureObject(spec, "persistentVolumeClaimRetentionPolicy");
  fallback(retention, "whenDeleted", "Retain");
  fallback(retention, "whenScaled", "Retain");
  for (const claim of listAt(spec, "volumeClaimTemplates").filter(isObject)) {
    claim.apiVersion = "v1";
    claim.kind = "PersistentVolumeClaim";
    fallback(ensureObject(claim, "spec"), "volumeMode", "Filesystem");
    fallback(ensureObject(claim, "status"), "phase", "Pending");
  }
  defaultTemplate(spec);
}

function defaultDaemonSet(spec: JsonObject): void {
  fallback(spec, "revisionHistoryLimit", 10);
  const strategy = ensureObject(spec, "updateStrategy");
  fallback(strategy, "type", "RollingUpdate");
  if (strategy.type === "RollingUpdate") {
    const rolling = ensureObject(strategy, "rollingUpdate");
    fallback(rolling, "maxUnavailable", 1);
    fallback(rolling, "maxSurge", 0);
  }
  defaultTemplate(spec);
}

function defaultJobSpec(spec: JsonObject): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  fallback(spec, "parallelism", 1);
  fallback(spec, "backoffLimit", 6);
  fallback(spec, "completionMode", "NonIndexed");
  fallback(spec, "suspend", false);
  fallback(spec, "podReplacementPolicy", "TerminatingOrFailed");
  defaultTemplate(spec);
}

/** A Job selects its own pods by its UID, which is known by now. */
export function defaultJob(object: JsonObject, before: StoredObject | undefined): void {
  const spec = ensureObject(object, "spec");
  defaultJobSpec(spec);
  if (spec.manualSelector === true) return;
  const uid = before?.metadata.uid ?? textAt(object, "metadata", "uid") ?? "";
  const name = textAt(object, "metadata", "name") ?? "";
  spec.selector = { matchLabels: { "batch.kubernetes.io/controller-uid": uid } };
  const labels = ensureObject(ensureObject(ensureObject(spec, "template"), "metadata"), "labels");
  labels["batch.kubernetes.io/controller-uid"] = uid;
  labels["batch.kubernetes.io/job-name"] = name;
  labels["controller-uid"] = uid;
  labels["job-name"] = name;
}

function defaultCronJob(spec: JsonObject): void {
  fallback(spec, "concurrencyPolicy", "Allow");
  fallback(spec, "suspend", false);
  fallback(spec, "successfulJobsHistoryLimit", 3);
  fallback(spec, "failedJobsHistoryLimit", 1);
  const job = objectAt(spec, "jobTemplate");
  const template = objectAt(job, "spec", "template", "spec");
  if (template !== undefined) defaultPodSpec(template);
}
