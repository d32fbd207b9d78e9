import {
  databasesNamespace,
  labels,
  operatorName,
  stateNamespace,
  systemNamespace,
} from "../../application/names.ts";
import { pipelineName } from "../../application/objects/pipeline-access.ts";
import { databaseKinds } from "../database-access.ts";
import type { Guardrail } from "../policy.ts";
import { isOperator, literal } from "../principals.ts";

const byOperator = [{ name: "the-operator", expression: isOperator }];
const isManaged = (object: string) =>
  `${object}.metadata.?labels[?${literal(labels.managed)}].orValue('') == 'true'`;
const service = (object: string) =>
  `(${object}.metadata.name == 'app-' + ${object}.metadata.?labels[?${literal(labels.service)}].orValue(''))`;

/** Nobody borrows the operator's power over the rest of the cluster: not by a request, nor with its token. */
export const operatorReach: Guardrail = {
  name: "operator-reach",
  reason:
    "The operator writes in managed namespaces, in platform-system what belongs to runs, in platform-state Terraform's states, and in platform-databases databases.",
  where: "everywhere",
  requests: [{ groups: ["*"], resources: ["*/*"], operations: ["CREATE", "UPDATE", "DELETE"] }],
  exclude: [
    { groups: [""], resources: ["namespaces", "namespaces/*"], operations: ["*"] },
    { groups: ["authorization.k8s.io", "authentication.k8s.io"], resources: ["*"], operations: ["*"] },
    // Where a namespace is not managed, it says so on the Application.
    {
      groups: ["platform.company.com"],
      resources: ["applications", "applications/status"],
      operations: ["UPDATE"],
    },
    { groups: ["", "events.k8s.io"], resources: ["events"], operations: ["CREATE", "UPDATE"] },
  ],
  when: byOperator,
  variables: [{ name: "place", expression: "request.?namespace.orValue('')" }],
  rules: [
    {
      expression: `variables.place == '' || (namespaceObject != null && ${isManaged("namespaceObject")}) || (variables.place == ${literal(systemNamespace)} && request.resource.resource in ['runs', 'leases', 'configmaps']) || (variables.place == ${literal(stateNamespace)} && request.resource.resource in ['secrets', 'leases', 'configmaps']) || (variables.place == ${literal(databasesNamespace)} && request.resource.resource in [${databaseKinds.map(({ plural }) => literal(plural)).join(", ")}])`,
      message: "operator-reach: the operator writes only in managed namespaces",
      messageExpression:
        "'operator-reach: the operator writes only in managed namespaces, and ' + variables.place + ' is none'",
    },
    {
      expression:
        "request.operation != 'CREATE' || request.resource.resource != 'pods' || request.?dryRun.orValue(false)",
      message: "operator-reach: the operator starts no pods; it only asks whether one would be refused",
    },
    {
      expression:
        "request.operation != 'DELETE' || request.resource.resource != 'guardrails' || (namespaceObject != null && has(namespaceObject.metadata.deletionTimestamp))",
      message: "operator-reach: the operator leaves guardrails where they are; they go with their namespace",
    },
  ],
};

/** It makes the namespaces of services; it takes none that exists, and deletes none that several services share. */
export const operatorNamespaces: Guardrail = {
  name: "operator-namespaces",
  reason:
    "The operator makes and deletes the namespaces of services; it takes no namespace that is not managed.",
  where: "everywhere",
  requests: [
    {
      groups: [""],
      resources: ["namespaces", "namespaces/*"],
      operations: ["CREATE", "UPDATE", "DELETE"],
    },
  ],
  when: byOperator,
  rules: [
    {
      expression: `request.operation != 'CREATE' || (${isManaged("object")} && ${service("object")} && object.metadata.?labels[?'pod-security.kubernetes.io/enforce'].orValue('') == 'restricted')`,
      message: "operator-namespaces: the operator makes only namespaces of services, app-NAME, restricted",
    },
    {
      expression: `request.operation != 'UPDATE' || (${isManaged("oldObject")} && ${isManaged("object")} && object.metadata.?labels[?'pod-security.kubernetes.io/enforce'] == oldObject.metadata.?labels[?'pod-security.kubernetes.io/enforce'])`,
      message: "operator-namespaces: the operator changes only managed namespaces, and leaves them managed",
    },
    {
      expression: `request.operation != 'DELETE' || (${isManaged("oldObject")} && ${service("oldObject")})`,
      message: "operator-namespaces: the operator deletes only namespaces of services",
    },
  ],
};

const subject = (name: string, namespace: string) =>
  `(s.kind == 'ServiceAccount' && s.name == ${literal(name)} && s.?namespace.orValue('') == ${namespace})`;

/** Which subjects `s` each of the shipped roles may be bound to. */
const subjectsOf: Readonly<Record<string, string>> = {
  "platform-operator-namespace": subject(operatorName, literal(systemNamespace)),
  "platform-pipeline": subject(pipelineName, "request.namespace"),
  "platform-team": "(s.kind == 'Group' && s.name in variables.groups)",
  "platform-namespace-team": "(s.kind == 'Group' && s.name in variables.groups)",
};

/** Rights it hands on are the shipped ones, to the groups of the namespace's team as the standards name them. */
export const operatorBindings: Guardrail = {
  name: "operator-bindings",
  reason:
    "The operator binds only shipped roles, and only to the team that the namespace belongs to, its pipeline and itself.",
  params: "standards",
  where: "everywhere",
  requests: [
    { groups: ["rbac.authorization.k8s.io"], resources: ["rolebindings"], operations: ["CREATE", "UPDATE"] },
  ],
  when: byOperator,
  variables: [
    {
      name: "team",
      expression: `namespaceObject.metadata.?labels[?${literal(labels.team)}].orValue('')`,
    },
    {
      name: "groups",
      expression: "variables.team in params.spec.teams ? params.spec.teams[variables.team].groups : []",
    },
  ],
  rules: [
    {
      expression: `object.roleRef.kind == 'ClusterRole' && (${Object.entries(subjectsOf)
        .map(
          ([role, allowed]) =>
            `(object.roleRef.name == ${literal(role)} && object.?subjects.orValue([]).all(s, ${allowed}))`,
        )
        .join(" || ")})`,
      message:
        "operator-bindings: the operator binds only shipped roles, to the groups of the namespace's team, its pipeline and itself",
    },
  ],
};
