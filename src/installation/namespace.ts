import { systemNamespace } from "../application/names.ts";
import type { KubeObject } from "../cluster/object.ts";
import { installationLabels } from "../provisioning/installation.ts";

/** Where Runs and the operator live. It carries no label of a managed namespace: those are the services'. */
export function systemNamespaceObject(version: string | undefined): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: systemNamespace,
      labels: {
        "app.kubernetes.io/name": "platform",
        ...installationLabels,
        ...(version === undefined ? {} : { [versionLabel]: version }),
        ...Object.fromEntries(
          ["enforce", "audit", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]),
        ),
      },
    },
  };
}

/** Which version of the program installed what is there. */
export const versionLabel = "app.kubernetes.io/version";
