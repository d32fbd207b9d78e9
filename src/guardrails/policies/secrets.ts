import { labels } from "../../application/names.ts";
import type { Guardrail } from "../policy.ts";
import { literal, notThePlatformOrCluster } from "../principals.ts";

/**
 * Teams may make Secrets and read none. A Secret is more than a value: Kubernetes fills one of another type with a
 * service account's token, and data stores and rotations read those of certain names.
 */
export const ownSecrets: Guardrail = {
  name: "own-secrets",
  reason:
    "Who may make Secrets but not read them makes values of the namespace's own service, which nothing else reads or fills.",
  where: "managed",
  requests: [{ groups: [""], resources: ["secrets"], operations: ["CREATE"] }],
  when: [
    ...notThePlatformOrCluster,
    {
      name: "may-not-read-them",
      expression:
        "!authorizer.group('').resource('secrets').namespace(request.namespace).check('get').allowed()",
    },
  ],
  rules: [
    {
      expression: `object.metadata.name.startsWith(namespaceObject.metadata.labels[?${literal(labels.service)}].orValue('') + '.') && object.metadata.name.matches('^[a-z][-a-z0-9]*[.][a-z][-a-z0-9]*[.][a-z][-a-z0-9]*[.][1-9][0-9]*$')`,
      message:
        "own-secrets: a secret of a service's own is named SERVICE.NAME.KEY.VERSION, as platform secret set does it",
    },
    {
      expression: "object.?type.orValue('Opaque') == 'Opaque' && object.?immutable.orValue(false)",
      message: "own-secrets: a secret of a service's own is of type Opaque and immutable",
    },
  ],
};
