import { ephemeralRules, type PodSource, podRules } from "../pod-rules.ts";
import type { Guardrail, Requests } from "../policy.ts";

/** A changed label or replica count is no reason to judge anew what was let in; the pods that follow are judged. */
function judged(name: string, reason: string, requests: readonly Requests[], source: PodSource): Guardrail {
  const old = source.spec.replace(/^object\./, "oldObject.");
  const { variables, rules } = podRules(source);
  return {
    name,
    reason,
    params: "guardrails",
    where: "managed",
    requests,
    when: [
      {
        name: "created-or-changed",
        expression: `request.operation == 'CREATE' || ${source.spec} != ${old}`,
      },
    ],
    variables,
    rules,
    audit: [{ key: "exceptions", valueExpression: "variables.excepted.join(', ')" }],
  };
}

const changes = ["CREATE", "UPDATE"] as const;

/** Every pod, whoever makes it: this is what no other kind of object gets round. */
export const pods = judged(
  "pods",
  "Whatever makes a pod, the pod itself comes from an allowed registry, has resources and gains no privileges.",
  [{ groups: [""], resources: ["pods"], operations: changes }],
  { spec: "object.spec", longRunning: false },
);

/** Whatever makes pods that run until they are stopped: refused at once, instead of a workload without pods. */
export const workloads = judged(
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
export const jobs = judged(
  "jobs",
  "A Job whose pods would be refused is refused itself.",
  [{ groups: ["batch"], resources: ["jobs"], operations: changes }],
  { spec: "object.spec.template.spec", longRunning: false },
);

export const cronJobs = judged(
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
