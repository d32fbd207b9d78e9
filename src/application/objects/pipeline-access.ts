import type { KubeObject } from "../../cluster/object.ts";
import { metadataIn, type Place } from "./subject.ts";

/** ServiceAccount of a service's pipeline, in the service's own namespace, and the RoleBinding beside it. */
export const pipelineName = "pipeline";

/** What a pipeline may see of its service; that it may ask for runs, and for which, is not decided in its namespace. */
const pipelineClusterRole = "platform-pipeline";

/**
 * As whom a service's pipeline deploys it, where the namespace belongs to one service. It has no Secret: whoever acts as
 * it asks for a token that soon runs out. A service called `pipeline` is its own, which no pod of it has a token of.
 */
export function pipelineAccess(place: Place): readonly KubeObject[] {
  const { service, namespace } = place;
  if (service === undefined) return [];
  const account: KubeObject = {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: metadataIn(place, pipelineName),
    automountServiceAccountToken: false,
  };
  const binding: KubeObject = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: metadataIn(place, pipelineName),
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: pipelineClusterRole },
    subjects: [{ kind: "ServiceAccount", name: pipelineName, namespace }],
  };
  return service === pipelineName ? [binding] : [account, binding];
}
