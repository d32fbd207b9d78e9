import type { KubeObject } from "../cluster/object.ts";
import { accessObjects, guardrailObjects } from "../guardrails/index.ts";
import { type Installation, installationLabels } from "../provisioning/installation.ts";
import { type Standards, standardsName } from "../standards/standards.ts";
import { systemNamespaceObject } from "./namespace.ts";
import { operatorAccount, operatorObjects, systemPolicies } from "./operator.ts";
import { resourceTypes } from "./types.ts";

/** Parts of an installation, in the order in which they are written: rights and operator before what only they may pass. */
export const installationParts = [
  "types",
  "namespace",
  "standards",
  "rights",
  "operator",
  "guardrails",
] as const;
export type InstallationPart = (typeof installationParts)[number];

/**
 * Label of the objects that an upgrade prunes and that an uninstallation removes: the part they belong to. Resource
 * types, `platform-system` and the standards do not carry it: they stay.
 */
export const partLabel = "platform.company.com/part";

/** The organisation's decisions, as the cluster keeps them. */
export function standardsObject(standards: Standards): KubeObject {
  return {
    apiVersion: "platform.company.com/v1",
    kind: "Standards",
    metadata: { name: standardsName, labels: installationLabels },
    spec: standards,
  };
}

function partOf(part: InstallationPart, objects: readonly KubeObject[]): readonly KubeObject[] {
  return objects.map((object) => ({
    ...object,
    metadata: {
      ...object.metadata,
      labels: { ...object.metadata.labels, ...installationLabels, [partLabel]: part },
    },
  }));
}

/** Every object of an installation, by part. One source for what is written, printed, checked and removed. Pure. */
export function installationObjects({
  standards,
  image,
  version,
}: Installation): Readonly<Record<InstallationPart, readonly KubeObject[]>> {
  return {
    types: resourceTypes,
    namespace: [systemNamespaceObject(version)],
    standards: [standardsObject(standards)],
    rights: partOf("rights", accessObjects(standards)),
    operator: partOf("operator", [
      operatorAccount(),
      ...systemPolicies(standards),
      ...(image === undefined
        ? []
        : operatorObjects({ standards, image, ...(version === undefined ? {} : { version }) })),
    ]),
    guardrails: partOf("guardrails", guardrailObjects(standards)),
  };
}
