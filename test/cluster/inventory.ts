import pLimit from "p-limit";
import { resourceName } from "../../src/cluster/address.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { isClusterError } from "../../src/cluster/errors.ts";
import type { KubeObject } from "../../src/cluster/object.ts";
import type { Resource } from "../../src/cluster/resource.ts";

/** Everything a cluster holds: `deployments.apps app-demo/demo` to the object's UID. */
export type Inventory = ReadonlyMap<string, string>;

/** Written by the cluster about itself, at any time, and removed by it: no work of ours. */
function isNoise(resource: Resource, object: KubeObject): boolean {
  const { name, namespace = "" } = object.metadata;
  switch (resource.plural) {
    case "events":
    case "componentstatuses":
    case "endpointslices":
    case "endpoints":
    case "ipaddresses":
    case "podmetrics":
    case "nodemetrics":
      return true;
    case "leases":
      return namespace.startsWith("kube-");
    case "controllerrevisions":
      return false;
    case "apiservices":
      return name.startsWith("v");
    default:
      return false;
  }
}

function isAbout(object: KubeObject, text: string): boolean {
  const { name, namespace = "", labels = {} } = object.metadata;
  return (
    name.includes(text) || namespace.includes(text) || Object.values(labels).some((v) => v.includes(text))
  );
}

/**
 * Lists every type the server serves, found by discovery, so that a type nobody thought of is counted too.
 * @param about - only objects that carry this text in name, namespace or a label's value: for a cluster that
 * others use at the same time. Choose a service name that no other test uses.
 */
export async function inventory(
  cluster: Cluster,
  options: { readonly about?: string } = {},
): Promise<Inventory> {
  const limit = pLimit(8);
  const found = new Map<string, string>();
  const each = async (resource: Resource) => {
    let token: string | undefined;
    do {
      const page = await cluster.listMetadata(resource, {
        limit: 500,
        ...(token === undefined ? {} : { continue: token }),
      });
      token = page.continue;
      for (const item of page.items) {
        if (isNoise(resource, item)) continue;
        if (options.about !== undefined && !isAbout(item, options.about)) continue;
        const { namespace, name, uid = "" } = item.metadata;
        const place = namespace === undefined ? name : `${namespace}/${name}`;
        found.set(`${resourceName(resource)} ${place}`, uid);
      }
    } while (token !== undefined);
  };
  await Promise.all(
    (await cluster.discover()).map((resource) =>
      limit(async () => {
        try {
          await each(resource);
        } catch (error) {
          // A definition removed since discovery, or a type that is listed by name only.
          if (!isClusterError(error, "not-found", "invalid")) throw error;
        }
      }),
    ),
  );
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What came, what went, and what was made anew under its old name; `added: []` says that nothing was left behind. */
export function difference(
  before: Inventory,
  after: Inventory,
): { readonly added: string[]; readonly removed: string[]; readonly replaced: string[] } {
  return {
    added: [...after.keys()].filter((key) => !before.has(key)),
    removed: [...before.keys()].filter((key) => !after.has(key)),
    replaced: [...after]
      .filter(([key, uid]) => before.has(key) && before.get(key) !== uid)
      .map(([key]) => key),
  };
}
