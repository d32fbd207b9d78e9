import { labels } from "../../application/names.ts";
import type { Guardrail, Requests } from "../policy.ts";
import { notThePlatformOrCluster } from "../principals.ts";
import { fenceWrites } from "./fences.ts";

const ours = "k.startsWith('platform.company.com/')";

/** Keys of ours in the CEL map `now` are in `before` with the same value. */
const keptFrom = (now: string, before: string) =>
  `${now}.all(k, !${ours} || (k in ${before} && ${before}[k] == ${now}[k]))`;

/** A selector of namespaces selects the Namespace object too; that has a guardrail of its own. */
const namespacesThemselves: readonly Requests[] = [
  { groups: [""], resources: ["namespaces", "namespaces/*"], operations: ["*"] },
];

/** What cert-manager makes of a Certificate, with the Certificate's labels, and clears away by itself. */
const derived: readonly Requests[] = [
  { groups: ["cert-manager.io"], resources: ["certificaterequests"], operations: ["*"] },
  { groups: ["acme.cert-manager.io"], resources: ["orders", "challenges"], operations: ["*"] },
];

/**
 * Network policies, Services and the platform itself know what belongs to a service by its labels: a pod that carries
 * those of another reaches its database. Kubernetes' own controllers copy labels from templates, which are judged below.
 */
export const objectLabels: Guardrail = {
  name: "labels",
  reason:
    "Labels of platform.company.com/ say what belongs to which service; in managed namespaces nobody else sets, changes or removes them.",
  where: "managed",
  requests: [
    { groups: ["*"], resources: ["*", "pods/status", "services/status"], operations: ["CREATE", "UPDATE"] },
  ],
  exclude: [...namespacesThemselves, ...derived],
  when: notThePlatformOrCluster,
  variables: [
    { name: "new", expression: "object.?metadata.?labels.orValue({})" },
    { name: "old", expression: "oldObject == null ? {} : oldObject.?metadata.?labels.orValue({})" },
  ],
  rules: [
    {
      expression: `${keptFrom("variables.new", "variables.old")} && variables.old.all(k, !${ours} || k in variables.new)`,
      message: "labels: labels of platform.company.com/ are set, changed and removed by the platform alone",
    },
  ],
};

function templates(name: string, path: string, requests: Guardrail["requests"]): Guardrail {
  return {
    name,
    reason: "Pods get their labels from templates, so templates carry none of platform.company.com/ either.",
    where: "managed",
    requests,
    when: notThePlatformOrCluster,
    variables: [
      { name: "new", expression: `object.${path}.?metadata.?labels.orValue({})` },
      { name: "old", expression: `oldObject == null ? {} : oldObject.${path}.?metadata.?labels.orValue({})` },
    ],
    rules: [
      {
        expression: keptFrom("variables.new", "variables.old"),
        message:
          "labels: labels of platform.company.com/ in a template are set by the platform alone: its pods would count as a service's",
      },
    ],
  };
}

const changes = ["CREATE", "UPDATE"] as const;

export const templateLabels = templates("template-labels", "spec.template", [
  {
    groups: ["apps"],
    resources: ["deployments", "replicasets", "statefulsets", "daemonsets"],
    operations: changes,
  },
  { groups: [""], resources: ["replicationcontrollers"], operations: changes },
  { groups: ["batch"], resources: ["jobs"], operations: changes },
]);

export const cronJobLabels = templates("cronjob-labels", "spec.jobTemplate.spec.template", [
  { groups: ["batch"], resources: ["cronjobs"], operations: changes },
]);

/** What carries the platform's label is its own; what others note beside it, such as finalizers and annotations, may stay. */
export const managedObjects: Guardrail = {
  name: "managed-objects",
  reason:
    "What the platform made in a managed namespace is changed and deleted by the platform alone, through the Application or a run.",
  where: "managed",
  labelled: labels.managed,
  requests: [{ groups: ["*"], resources: ["*"], operations: ["UPDATE", "DELETE"] }],
  // The first are the team's to edit, the others are refused by a guardrail of their own.
  exclude: [
    { groups: ["platform.company.com"], resources: ["applications"], operations: ["UPDATE", "DELETE"] },
    ...fenceWrites,
    ...namespacesThemselves,
    ...derived,
  ],
  when: [
    ...notThePlatformOrCluster,
    {
      // A deleted pod comes back: whoever may delete pods restarts one.
      name: "not-a-restart",
      expression: "!(request.operation == 'DELETE' && request.resource.resource == 'pods')",
    },
  ],
  rules: [
    {
      expression: "request.operation != 'DELETE'",
      message:
        "managed-objects: the platform made it, so it is deleted through the Application or a run (platform service …)",
    },
    {
      expression: [
        "request.operation != 'UPDATE'",
        `(${[
          "spec",
          "data",
          "binaryData",
          "immutable",
          "webhooks",
          "secrets",
          "imagePullSecrets",
          "automountServiceAccountToken",
        ]
          .map((field) => `object.?${field} == oldObject.?${field}`)
          .join(
            " && ",
          )} && object.metadata.?ownerReferences == oldObject.metadata.?ownerReferences && object.metadata.?annotations.orValue({}).all(k, !${ours} || (k in oldObject.metadata.?annotations.orValue({}) && oldObject.metadata.annotations[k] == object.metadata.annotations[k])) && oldObject.metadata.?annotations.orValue({}).all(k, !${ours} || k in object.metadata.?annotations.orValue({})))`,
      ].join(" || "),
      message:
        "managed-objects: the platform made it, so it is changed through the Application or a run (platform service …)",
    },
  ],
};

/** Replicas follow from the Application, or from its autoscaler. */
export const scale: Guardrail = {
  name: "scale",
  reason:
    "Workloads of a managed namespace are scaled through the Application (platform service scale), or by Kubernetes' autoscaler.",
  where: "managed",
  requests: [
    {
      groups: ["apps"],
      resources: ["deployments/scale", "replicasets/scale", "statefulsets/scale"],
      operations: ["UPDATE"],
    },
  ],
  when: notThePlatformOrCluster,
  rules: [
    {
      expression: "false",
      message:
        "scale: a workload is scaled through its Application: platform service scale NAME --replicas N",
    },
  ],
};
