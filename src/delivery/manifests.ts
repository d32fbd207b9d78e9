import { stringify } from "yaml";
import type { Application } from "../application/application.ts";
import { desiredObjects, parts } from "../application/desired-objects.ts";
import type { KubeObject } from "../cluster/object.ts";
import type { Standards } from "../standards/standards.ts";
import type { RepositoryFile } from "./code-host.ts";

/** Where the Application of a repository lives. */
export const applicationPath = "application.yaml";

/**
 * The Application, and everything derived from it, a file a part: to read and to compare. The same Application and
 * standards give the same bytes; what only a cluster knows (UIDs, owners) and Secrets are never among them.
 */
export function manifestFiles(application: Application, standards: Standards): readonly RepositoryFile[] {
  const { name, namespace, labels } = application.metadata;
  const desired: Application = {
    apiVersion: application.apiVersion,
    kind: application.kind,
    metadata: {
      name,
      namespace,
      ...(labels === undefined ? {} : { labels }),
    },
    spec: application.spec,
  };
  const objects = desiredObjects(desired, standards);
  const files = parts
    .filter((part) => objects[part].length > 0)
    .map((part) => ({ path: `deploy/manifests/${part}.yaml`, content: yamlOf(objects[part]) }));
  return [{ path: applicationPath, content: yamlOf([desired]) }, ...files];
}

/** Objects as one YAML stream. */
export function yamlOf(objects: readonly KubeObject[]): string {
  return objects
    .map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }))
    .join("---\n");
}
