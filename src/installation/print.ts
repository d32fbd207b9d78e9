import { stringify } from "yaml";
import type { KubeObject } from "../cluster/object.ts";
import type { Installation } from "../provisioning/installation.ts";
import { standardsSchema } from "../standards/standards.ts";
import { installationObjects, installationParts } from "./objects.ts";

/**
 * The part's place in the order for Argo CD, which begins with one once all before it are healthy
 * (https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/). Flux writes types and namespaces first by itself.
 */
function inWave(object: KubeObject, wave: number): KubeObject {
  const { annotations } = object.metadata;
  return {
    ...object,
    metadata: {
      ...object.metadata,
      annotations: { ...annotations, "argocd.argoproj.io/sync-wave": String(wave) },
    },
  };
}

/**
 * The manifests of an installation as YAML documents, always the same for the same input; asks no cluster. kubectl looks
 * up all kinds before it writes the first object, so the resource types can be had by themselves.
 */
export async function printedInstallation(
  { standards, image, version }: Partial<Installation>,
  what: "all" | "types",
): Promise<string> {
  const decided = standards ?? standardsSchema.parse({});
  const operator = image ?? decided.operator.image;
  const objects = installationObjects({
    standards: decided,
    ...(operator === undefined ? {} : { image: operator }),
    ...(version === undefined ? {} : { version }),
  });
  const parts = what === "types" ? (["types"] as const) : installationParts;
  const documents = parts
    .flatMap((part, wave) => objects[part].map((object) => inWave(object, wave)))
    // Which clusters have the kind cannot be known here; Prometheus finds the operator by its Service as well.
    .filter(({ kind }) => kind !== "ServiceMonitor")
    .map((object) => `---\n${stringify(object, { aliasDuplicateObjects: false })}`);
  return `# The platform${version === undefined ? "" : ` ${version}`}, as \`platform install --print\` wrote it.\n${documents.join("")}`;
}
