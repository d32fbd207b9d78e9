import type { Faults } from "./faults.ts";
import { isObject, type JsonObject, objectAt, textAt } from "./json.ts";

/** Whoever holds the token may do everything, unless a fault forbids it. */
const user = { username: "sandbox", groups: ["system:masters", "system:authenticated"] } as const;

/** Who a request says it comes from: as an API server has it of somebody who may impersonate anybody. */
function userInfo(impersonated: string | undefined): JsonObject {
  if (impersonated === undefined) return user;
  const [, namespace] = /^system:serviceaccount:([^:]+):[^:]+$/.exec(impersonated) ?? [];
  const accounts =
    namespace === undefined ? [] : ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
  return { username: impersonated, groups: [...accounts, "system:authenticated"] };
}

/**
 * Answers a review posted to `authorization.k8s.io` or `authentication.k8s.io`; undefined for anything else.
 * @param impersonated - the header `Impersonate-User`
 */
export function review(
  faults: Faults,
  resource: string,
  body: unknown,
  impersonated?: string,
): JsonObject | undefined {
  const given = isObject(body) ? body : {};
  const answer = (kind: string, group: string, rest: JsonObject): JsonObject => ({
    kind,
    apiVersion: `${group}/v1`,
    metadata: { creationTimestamp: null },
    ...rest,
  });
  switch (resource) {
    case "selfsubjectaccessreviews": {
      const asked = objectAt(given, "spec", "resourceAttributes");
      const allowed =
        asked === undefined ||
        faults.allows({
          verb: textAt(asked, "verb") ?? "",
          group: textAt(asked, "group") ?? "",
          resource: textAt(asked, "resource") ?? "",
          subresource: textAt(asked, "subresource"),
          namespace: textAt(asked, "namespace"),
          name: textAt(asked, "name"),
        });
      const status = allowed
        ? { allowed: true, reason: "the sandbox's user may do everything" }
        : { allowed: false, reason: "forbidden by an injected fault" };
      return answer("SelfSubjectAccessReview", "authorization.k8s.io", { spec: given.spec ?? {}, status });
    }
    case "selfsubjectrulesreviews":
      return answer("SelfSubjectRulesReview", "authorization.k8s.io", {
        spec: given.spec ?? {},
        status: {
          resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
          nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
          incomplete: false,
        },
      });
    case "selfsubjectreviews":
      return answer("SelfSubjectReview", "authentication.k8s.io", {
        status: { userInfo: userInfo(impersonated) },
      });
    default:
      return undefined;
  }
}
