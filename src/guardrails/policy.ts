import { labels } from "../application/names.ts";
import { guardrailsName } from "../application/objects/guardrails.ts";
import type { KubeObject } from "../cluster/object.ts";
import { apiVersionOf, resources } from "../cluster/resource.ts";
import { standardsName } from "../standards/standards.ts";

/** Labels of everything of the installation: it belongs to no service. */
export const partLabels: Readonly<Record<string, string>> = {
  "app.kubernetes.io/managed-by": "platform",
  "app.kubernetes.io/part-of": "platform",
};

type Operation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT" | "*";

/** Requests a guardrail looks at, as `resourceRules` of a policy have it. */
export interface Requests {
  /** `""` is the core group, `*` any. */
  readonly groups: readonly string[];
  /** With subresources as `pods/status`; `*` is every resource, without its subresources. */
  readonly resources: readonly string[];
  readonly operations: readonly Operation[];
}

/** A named CEL expression. */
export interface Expression {
  readonly name: string;
  readonly expression: string;
}

/** What must be true of a request that is let pass. */
export interface Rule {
  readonly expression: string;
  /** What the refused person reads: a sentence that begins with the rule's word. */
  readonly message: string;
  /** The same, computed from the request; `message` is told where it fails. */
  readonly messageExpression?: string;
}

/** One ValidatingAdmissionPolicy of ours with what binds it. */
export interface Guardrail {
  /** Of both objects, after `platform-`. */
  readonly name: string;
  /** Why it is there, for whoever describes the object. */
  readonly reason: string;
  /** Object that the rules read as `params`; refused where it is missing. */
  readonly params?: "guardrails" | "standards";
  /**
   * `changes pass`: where that object is missing only creations are refused. A namespace that is being deleted may lose it
   * first; controllers still have to take their finalizers off what is left, and nothing new is made there.
   */
  readonly withoutParams?: "changes pass";
  readonly requests: readonly Requests[];
  readonly exclude?: readonly Requests[];
  /** `managed`: only what is in a namespace that the platform manages. */
  readonly where: "managed" | "everywhere";
  /** Only objects with this label, before or after the change. */
  readonly labelled?: string;
  /** … with these labels. Where it is about those who would lie in them, another guardrail holds them to the truth. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The rules are asked only where all of these hold. */
  readonly when?: readonly Expression[];
  readonly variables?: readonly Expression[];
  readonly rules: readonly Rule[];
  /** Written to the API server's audit log where they are not empty. */
  readonly audit?: readonly { readonly key: string; readonly valueExpression: string }[];
}

const paramKinds = {
  guardrails: { kind: resources.guardrails, name: guardrailsName },
  standards: { kind: resources.standards, name: standardsName },
};

function ruleOf({ groups, resources: names, operations }: Requests) {
  return { apiGroups: groups, apiVersions: ["*"], resources: names, operations, scope: "*" };
}

/** Who is refused is told whom to ask, where the standards say. */
function refusal({ expression, message, messageExpression }: Rule, contact: string | undefined) {
  const ask = contact === undefined ? "" : `; ask ${contact}`;
  return {
    expression,
    message: `${message}${ask}`,
    ...(messageExpression === undefined
      ? {}
      : {
          messageExpression: ask === "" ? messageExpression : `${messageExpression} + ${JSON.stringify(ask)}`,
        }),
    reason: "Forbidden",
  };
}

/**
 * The policy, and one or two bindings that put it in force: everywhere, refusing, and refusing too where a rule cannot be
 * computed. Pure.
 */
export function guardrailObjectsOf(guardrail: Guardrail, contact: string | undefined): readonly KubeObject[] {
  const name = `platform-${guardrail.name}`;
  const params = guardrail.params === undefined ? undefined : paramKinds[guardrail.params];
  const metadata = {
    name,
    labels: partLabels,
    annotations: { "platform.company.com/reason": guardrail.reason },
  };
  const binding = (
    suffix: string,
    parameterNotFoundAction: "Allow" | "Deny",
    requests?: readonly Requests[],
  ): KubeObject => ({
    apiVersion: apiVersionOf(resources.validatingAdmissionPolicyBindings),
    kind: resources.validatingAdmissionPolicyBindings.kind,
    metadata: { ...metadata, name: `${name}${suffix}` },
    spec: {
      policyName: name,
      validationActions: ["Deny"],
      ...(params === undefined ? {} : { paramRef: { name: params.name, parameterNotFoundAction } }),
      ...(requests === undefined
        ? {}
        : {
            // One field to the API server, which fills in what is left out: said whole, it reads back the same.
            matchResources: {
              matchPolicy: "Equivalent",
              namespaceSelector: {},
              objectSelector: {},
              resourceRules: requests.map(ruleOf),
            },
          }),
    },
  });
  const only = (operation: Operation) =>
    guardrail.requests.map((requests) => ({ ...requests, operations: [operation] }));
  return [
    {
      apiVersion: apiVersionOf(resources.validatingAdmissionPolicies),
      kind: resources.validatingAdmissionPolicies.kind,
      metadata,
      spec: {
        failurePolicy: "Fail",
        ...(params === undefined
          ? {}
          : { paramKind: { apiVersion: apiVersionOf(params.kind), kind: params.kind.kind } }),
        matchConstraints: {
          matchPolicy: "Equivalent",
          namespaceSelector:
            guardrail.where === "managed" ? { matchLabels: { [labels.managed]: "true" } } : {},
          objectSelector: {
            ...(guardrail.labelled === undefined
              ? {}
              : { matchExpressions: [{ key: guardrail.labelled, operator: "Exists" }] }),
            ...(guardrail.labels === undefined ? {} : { matchLabels: guardrail.labels }),
          },
          resourceRules: guardrail.requests.map(ruleOf),
          ...(guardrail.exclude === undefined ? {} : { excludeResourceRules: guardrail.exclude.map(ruleOf) }),
        },
        ...(guardrail.when === undefined ? {} : { matchConditions: guardrail.when }),
        ...(guardrail.variables === undefined ? {} : { variables: guardrail.variables }),
        validations: guardrail.rules.map((rule) => refusal(rule, contact)),
        ...(guardrail.audit === undefined ? {} : { auditAnnotations: guardrail.audit }),
      },
    },
    ...(guardrail.withoutParams === "changes pass"
      ? [binding("", "Deny", only("CREATE")), binding("-changes", "Allow", only("UPDATE"))]
      : [binding("", "Deny")]),
  ];
}
