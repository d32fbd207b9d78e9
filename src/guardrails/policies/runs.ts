import { labels, maxServiceNameLength, systemNamespace } from "../../application/names.ts";
import { pipelineName } from "../../application/objects/pipeline-access.ts";
import type { Guardrail } from "../policy.ts";
import { isOperator, literal, mayManage, notThePlatform } from "../principals.ts";

const runs = (operations: Guardrail["requests"][number]["operations"]): Guardrail["requests"] => [
  { groups: ["platform.company.com"], resources: ["runs"], operations },
];

const actionBy = "platform.company.com/action-by";
const operationLabel = "platform.company.com/operation";
/** What names of services look like, see `serviceNameSchema`. */
const serviceName = "^[a-z]([-a-z0-9]*[a-z0-9])?$";
const user = "request.userInfo.username";
/** The namespace that a service has to itself. */
const ownNamespace = "('app-' + object.spec.service)";
/** The namespace that the service is in, and that its run works in. */
const namespace = `object.spec.?sharedNamespace.orValue(${ownNamespace})`;

/** Labels by which runs are found say what their spec says, and nothing else of ours is among them. */
const labelsAreTrue = [
  ...Object.entries({
    [labels.managed]: "'true'",
    [labels.service]: "object.spec.service",
    [labels.team]: "object.spec.team",
    [operationLabel]: "object.spec.operation",
  }).map(([key, value]) => `object.metadata.?labels[?${literal(key)}].orValue('') == ${value}`),
  `object.metadata.labels.all(k, !k.startsWith('platform.company.com/') || k in [${[labels.managed, labels.service, labels.team, operationLabel].map(literal).join(", ")}])`,
].join(" && ");

/** A request is whoever makes it's own, and says so. */
export const runRequests: Guardrail = {
  name: "runs",
  reason: "A run is a request in the name of whoever makes it, and can be found by what it is about.",
  where: "everywhere",
  requests: runs(["CREATE"]),
  rules: [
    {
      expression: `request.namespace == ${literal(systemNamespace)}`,
      message: `runs: runs are requested in namespace ${systemNamespace}`,
    },
    {
      expression: `object.spec.requestedBy == ${user}`,
      message: "runs: spec.requestedBy must be who makes the request",
      messageExpression: `'runs: spec.requestedBy must be ' + ${user} + ', who makes the request'`,
    },
    {
      // The name is that of its Lease and its logs too, beside those of the platform itself.
      expression:
        "object.metadata.name.startsWith((object.spec.operation in ['install', 'uninstall'] ? 'platform' : object.spec.service) + '-' + object.spec.operation + '-')",
      message: "runs: a run is named SERVICE-OPERATION-…",
    },
    {
      expression: `object.spec.operation in ['install', 'uninstall'] || (object.spec.service.matches(${literal(serviceName)}) && size(object.spec.service) <= ${maxServiceNameLength})`,
      message: "runs: spec.service is the name of a service",
    },
    {
      // Others work in the service's own namespace: were rights judged elsewhere, they would be judged by the wrong ones.
      expression: `!has(object.spec.sharedNamespace) || (object.spec.operation in ['delete', 'provision'] && ['app-', 'kube-', 'platform-'].all(p, !object.spec.sharedNamespace.startsWith(p)))`,
      message:
        "runs: spec.sharedNamespace is for deletions and provisions, and names a namespace that several services may share",
    },
    { expression: labelsAreTrue, message: "runs: the labels of a run say what its spec says" },
    {
      expression:
        "!has(object.spec.action) && !has(object.metadata.ownerReferences) && !has(object.metadata.finalizers)",
      message: "runs: a new run has no action, no owner and no finalizer",
    },
    {
      expression: `object.metadata.?annotations[?${literal(actionBy)}].orValue(${user}) == ${user}`,
      message: `runs: ${actionBy} is who makes the request`,
    },
    {
      expression:
        "object.spec.?parameters.?request.?name.orValue(object.spec.service) == object.spec.service && object.spec.?parameters.?request.?team.orValue(object.spec.team) == object.spec.team",
      message: "runs: what is asked for is about the run's own service and team",
    },
  ],
};

/** Orphans a cleanup may delete for somebody of the team: those in the service's own namespace, and that namespace. */
const ownOrphans = `object.spec.?parameters.?orphans.orValue([]).all(o, o.?namespace.orValue('') == ${ownNamespace} || (o.type == 'Namespace' && o.name == ${ownNamespace})) && object.spec.?parameters.?repositories.orValue([]).all(r, object.spec.service.matches(${literal(serviceName)}) && r.run.matches('^' + object.spec.service + '-create-[a-z0-9]{5}$'))`;

const mayUpdate = `authorizer.group('platform.company.com').resource('applications').namespace(${namespace}).check('update').allowed()`;

const isServiceAccount = `${user}.startsWith('system:serviceaccount:')`;

/** Whose service it is decides who may ask for what: rights in the namespace that it is in. */
export const runOwnership: Guardrail = {
  name: "run-ownership",
  reason:
    "Runs about a service are requested by its team; pipelines ask for deployments of their own service only.",
  where: "everywhere",
  requests: runs(["CREATE"]),
  when: notThePlatform,
  rules: [
    {
      expression: "!(object.spec.operation in ['install', 'uninstall'])",
      message: "run-ownership: the platform is installed by who may manage guardrails",
    },
    {
      expression: "object.spec.operation != 'provision' && !object.spec.?parameters.?application.hasValue()",
      message: "run-ownership: data stores of an applied Application are asked for by the operator",
    },
    {
      expression: `!${isServiceAccount} || (object.spec.operation == 'deploy' && ${user} == 'system:serviceaccount:app-' + object.spec.service + ':${pipelineName}')`,
      message:
        "run-ownership: a service account asks only for deploy runs, as pipeline of the service's own namespace",
    },
    {
      expression: `${isServiceAccount} || object.spec.operation == 'create' || ${mayUpdate}`,
      message: "run-ownership: a service is changed by who may update applications in its namespace",
      messageExpression: `'run-ownership: you may not update applications in ' + ${namespace} + ', so the service is not yours to change'`,
    },
    {
      expression: `object.spec.operation != 'cleanup' || (${ownOrphans})`,
      message: "run-ownership: a cleanup for a team deletes only what is in its service's namespace",
    },
  ],
};

/**
 * A service that is to be has no namespace yet: its team decides. Apart from the other rules, so that nothing else waits
 * for standards where there are none; `runs` sees to it that the label says what the run does.
 */
export const runTeams: Guardrail = {
  name: "run-teams",
  reason: "A service is created for a team by who is of that team, as the standards know it.",
  params: "standards",
  where: "everywhere",
  labels: { [operationLabel]: "create" },
  requests: runs(["CREATE"]),
  when: notThePlatform,
  variables: [
    {
      name: "groups",
      expression: "object.spec.team in params.spec.teams ? params.spec.teams[object.spec.team].groups : []",
    },
  ],
  rules: [
    {
      expression: "variables.groups.exists(g, g in request.userInfo.groups)",
      message: "run-teams: a service is created for a team by who is of that team",
      messageExpression:
        "'run-teams: you are not of team ' + object.spec.team + ', for which the service would be created'",
    },
  ],
};

/** What may be asked of a run that exists: `spec.action`, by whoever RBAC lets write runs, in their own name. */
export const runActions: Guardrail = {
  name: "run-actions",
  reason: "Of a run that exists only spec.action is written, and it is known by whom.",
  where: "everywhere",
  requests: runs(["UPDATE"]),
  when: notThePlatform,
  variables: [
    {
      name: "asked",
      expression:
        "object.spec.?action != oldObject.spec.?action || object.spec.?actionOptions != oldObject.spec.?actionOptions",
    },
    { name: "by", expression: `object.metadata.?annotations[?${literal(actionBy)}].orValue('')` },
    { name: "was", expression: `oldObject.metadata.?annotations[?${literal(actionBy)}].orValue('')` },
  ],
  rules: [
    {
      expression: `variables.by == ${user} || (variables.asked ? variables.by == '' : variables.by == variables.was)`,
      message: `run-actions: the annotation ${actionBy} is who asks; set it to your own name, or remove it`,
    },
    {
      expression: `${labelsAreTrue} && object.metadata.?ownerReferences == oldObject.metadata.?ownerReferences && object.metadata.?finalizers == oldObject.metadata.?finalizers`,
      message: "run-actions: labels, owners and finalizers of a run stay as they are",
    },
  ],
};

/** Who asked for it, while nobody has begun with it. */
const isOwnRequest = `request.operation == 'DELETE' && oldObject.spec.requestedBy == ${user} && !has(oldObject.status)`;

/** The journal: whoever could write it could have anything rolled back. */
export const runJournals: Guardrail = {
  name: "run-journals",
  reason:
    "What a run has done is written, and a run is deleted, by who executes runs alone; who asked may take it back until then.",
  where: "everywhere",
  requests: [
    { groups: ["platform.company.com"], resources: ["runs/status"], operations: ["UPDATE"] },
    { groups: ["platform.company.com"], resources: ["runs"], operations: ["DELETE"] },
  ],
  rules: [
    {
      expression: `${isOperator} || (${isOwnRequest}) || ${mayManage}`,
      message:
        "run-journals: the journal of a run is written, and a run that somebody has begun with is deleted, by who executes runs alone",
    },
  ],
};
