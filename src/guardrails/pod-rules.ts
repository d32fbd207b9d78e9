import { imageRules } from "./images.ts";
import type { Expression, Rule } from "./policy.ts";

/** Where a kind holds what pods are made of. */
export interface PodSource {
  /** CEL path of the PodSpec, for example `object.spec.template.spec`. */
  readonly spec: string;
  /** Whether its containers run until they are stopped, so that they are probed. */
  readonly longRunning: boolean;
}

/**
 * Rules that the exceptions in this namespace take away for an object of this name. Expiry is judged by when the object
 * was created, since CEL has no clock: of what is being created that is now; of what exists, its pods are judged anew.
 */
export const exceptions: Expression = {
  name: "excepted",
  expression:
    "params.spec.?exceptions.orValue([]).filter(e, (object.metadata.name == e.workload || object.metadata.name.startsWith(e.workload + '-')) && timestamp(object.metadata.creationTimestamp) < timestamp(e.expires)).map(e, e.rule)",
};

/** What Pod Security's `restricted` asks of each container `c`, said of templates too, before a pod is refused for it. */
function restricted(spec: string): string {
  const inherited = (field: string, fallback: string) =>
    `c.?securityContext.?${field}.orValue(${spec}.?securityContext.?${field}.orValue(${fallback}))`;
  return [
    "c.?securityContext.?allowPrivilegeEscalation.orValue(true) == false",
    "c.?securityContext.?privileged.orValue(false) == false",
    "c.?securityContext.?capabilities.?drop.orValue([]).exists(x, x == 'ALL')",
    "c.?securityContext.?capabilities.?add.orValue([]).all(x, x == 'NET_BIND_SERVICE')",
    "c.?securityContext.?procMount.orValue('Default') == 'Default'",
    `${inherited("runAsNonRoot", "false")} == true`,
    `${inherited("runAsUser", "1")} != 0`,
    `c.?securityContext.?seccompProfile.?type.orValue(${spec}.?securityContext.?seccompProfile.?type.orValue('')) in ['RuntimeDefault', 'Localhost']`,
  ].join(" && ");
}

/** One rule about all containers in the CEL list `list`, naming those that break it. */
function everyContainer(word: string, list: string, holds: string, reason: string, excepted: string): Rule {
  return {
    expression: `'${word}' in ${excepted} || ${list}.all(c, ${holds})`,
    message: `${word}: a container ${reason}`,
    messageExpression: `'${word}: container ' + ${list}.filter(c, !(${holds})).map(c, c.name).join(', ') + ' ${reason}'`,
  };
}

const privilegeReason =
  "must not gain privileges: allowPrivilegeEscalation false, capabilities dropped, a user that is not root, a seccomp profile";

/** What every pod and every template of pods must keep. `params` are Guardrails. */
export function podRules({ spec, longRunning }: PodSource): {
  readonly variables: readonly Expression[];
  readonly rules: readonly Rule[];
} {
  const excepted = "variables.excepted";
  const images = imageRules(excepted);
  const every = (word: string, holds: string, reason: string, list = "variables.containers") =>
    everyContainer(word, list, holds, reason, excepted);
  return {
    variables: [
      exceptions,
      { name: "containers", expression: `${spec}.containers + ${spec}.?initContainers.orValue([])` },
      {
        name: "images",
        // Pod Security lets images be mounted as volumes. `dyn`: clusters before 1.31 do not know the field.
        expression: `variables.containers.map(c, c.?image.orValue('')) + ${spec}.?volumes.orValue([]).filter(v, has(dyn(v).image)).map(v, dyn(v).image.?reference.orValue(''))`,
      },
      ...images.variables,
    ],
    rules: [
      ...images.rules,
      every(
        "resources",
        "'cpu' in c.?resources.?requests.orValue({}) && 'memory' in c.?resources.?requests.orValue({}) && 'memory' in c.?resources.?limits.orValue({})",
        "needs requests of cpu and memory, and a limit of memory",
      ),
      every("privilege", restricted(spec), privilegeReason),
      {
        expression: `'host' in ${excepted} || (!${spec}.?hostNetwork.orValue(false) && !${spec}.?hostPID.orValue(false) && !${spec}.?hostIPC.orValue(false))`,
        message: "host: a pod must not share the network, processes or memory of its node",
      },
      {
        expression: `'host' in ${excepted} || ${spec}.?volumes.orValue([]).all(v, !has(v.hostPath))`,
        message: "host: a pod must not mount paths of its node (hostPath)",
      },
      every(
        "host",
        "c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0)",
        "must not take a port of its node",
      ),
      ...(longRunning
        ? [
            every(
              "probes",
              "has(c.readinessProbe) && has(c.livenessProbe)",
              "needs a readinessProbe and a livenessProbe",
              `${spec}.containers`,
            ),
          ]
        : []),
    ],
  };
}

/** What a container that is added to a living pod must keep: it has no resources or probes, and no exception. */
export function ephemeralRules(spec: string): {
  readonly variables: readonly Expression[];
  readonly rules: readonly Rule[];
} {
  const images = imageRules("variables.excepted");
  return {
    variables: [
      { name: "excepted", expression: "['']" },
      { name: "containers", expression: `${spec}.?ephemeralContainers.orValue([])` },
      { name: "images", expression: "variables.containers.map(c, c.?image.orValue(''))" },
      ...images.variables,
    ],
    rules: [
      ...images.rules,
      everyContainer(
        "privilege",
        "variables.containers",
        restricted(spec),
        privilegeReason,
        "variables.excepted",
      ),
    ],
  };
}
