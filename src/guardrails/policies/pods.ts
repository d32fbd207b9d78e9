import { ephemeralRules, type PodSource, podRules } from "../pod-rules.ts";
import type { Guardrail, Requests } from "../policy.ts";

const audit = [{ key: "exceptions", valueExpression: "variables.excepted.join(', ')" }];

/** A changed label or replica count is no reason to judge anew what was let in; the pods that follow are judged. */
function judgedTemplates(
  name: string,
  reason: string,
  requests: readonly Requests[],
  source: PodSource,
): Guardrail {
  const old = source.spec.replace(/^object\./, "oldObject.");
  return {
    name,
    reason,
    params: "guardrails",
    withoutParams: "changes pass",
    where: "managed",
    requests,
    when: [
      {
        name: "created-or-changed",
        expression: `request.operation == 'CREATE' || ${source.spec} != ${old}`,
      },
    ],
    ...podRules(source),
    audit,
  };
}

/** Every pod, whoever makes it: this is what no other kind of object gets round. */
export const pods: Guardrail = {
  name: "pods",
  reason:
    "Whatever makes a pod, the pod itself comes from an allowed registry, has resources and gains no privileges.",
  params: "guardrails",
  where: "managed",
  requests: [{ groups: [""], resources: ["pods"], operations: ["CREATE"] }],
  ...podRules({ spec: "object.spec", longRunning: false }),
  audit,
};

const images = (object: string, containers: string) =>
  `${object}.spec.?${containers}.orValue([]).map(c, c.?image.orValue(''))`;

/**
 * A living pod is judged no more, since of what the rules are about its images alone can be changed. It needs no
 * parameters, so that whoever clears a namespace away can take finalizers off its pods when those have gone.
 */
export const podImages: Guardrail = {
  name: "pod-images",
  reason: "The images of a living pod stay what they were when it was judged.",
  where: "managed",
  requests: [{ groups: [""], resources: ["pods"], operations: ["UPDATE"] }],
  rules: [
    {
      expression: ["containers", "initContainers"]
        .map((containers) => `${images("object", containers)} == ${images("oldObject", containers)}`)
        .join(" && "),
      message: "pod-images: the images of a living pod stay as they are; another image takes another pod",
    },
  ],
};

const changes = ["CREATE", "UPDATE"] as const;

/** Whatever makes pods that run until they are stopped: refused at once, instead of a workload without pods. */
export const workloads = judgedTemplates(
  "workloads",
  "A workload whose pods would be refused is refused itself; what runs until it is stopped is probed.",
  [
    {
      groups: ["apps"],
      resources: ["deployments", "replicasets", "statefulsets", "daemonsets"],
      operations: changes,
    },
    { groups: [""], resources: ["replicationcontrollers"], operations: changes },
  ],
  { spec: "object.spec.template.spec", longRunning: true },
);

/** Jobs end by themselves, so they need no probes. */
export const jobs = judgedTemplates(
  "jobs",
  "A Job whose pods would be refused is refused itself.",
  [{ groups: ["batch"], resources: ["jobs"], operations: changes }],
  { spec: "object.spec.template.spec", longRunning: false },
);

export const cronJobs = judgedTemplates(
  "cronjobs",
  "A CronJob whose pods would be refused is refused itself.",
  [{ groups: ["batch"], resources: ["cronjobs"], operations: changes }],
  { spec: "object.spec.jobTemplate.spec.template.spec", longRunning: false },
);

const ephemeral = ephemeralRules("object.spec");

/** `kubectl debug` puts containers into living pods: they keep the same rules, and no exception covers them. */
export const ephemeralContainers: Guardrail = {
  name: "ephemeral-containers",
  reason: "A container added to a living pod comes from an allowed registry and gains no privileges.",
  params: "guardrails",
  where: "managed",
  requests: [{ groups: [""], resources: ["pods/ephemeralcontainers"], operations: changes }],
  variables: ephemeral.variables,
  rules: ephemeral.rules,
};
