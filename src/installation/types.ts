import { applicationCrd } from "../application/crd.ts";
import type { KubeObject } from "../cluster/object.ts";
import { guardrailsCrd } from "../guardrails/crd.ts";
import { installationLabels } from "../provisioning/installation.ts";
import { runCrd } from "../provisioning/runs/run-crd.ts";
import { standardsCrd } from "../standards/crd.ts";

function installed(crd: KubeObject): KubeObject {
  return { ...crd, metadata: { ...crd.metadata, labels: { ...crd.metadata.labels, ...installationLabels } } };
}

/** The resource type of Run: the record of an installation is a Run, so it is written before one can begin. */
export const runType: KubeObject = installed(runCrd);

/** Every resource type of the platform. */
export const resourceTypes: readonly KubeObject[] = [
  runType,
  ...[applicationCrd, standardsCrd, guardrailsCrd].map(installed),
];
