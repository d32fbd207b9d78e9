import { labels, systemNamespace } from "../../application/names.ts";
import type { KubeObject } from "../../cluster/object.ts";
import type { Standards } from "../../standards/standards.ts";
import { ProvisioningError } from "../errors.ts";

/** Namespaces of the cluster itself and of what services rely on, by the standards. */
function isOfTheSystem(name: string, { monitoring, network }: Standards): boolean {
  const others = [monitoring.namespace, monitoring.telemetry.namespace, network.gateway.namespace];
  return (
    name === "default" ||
    name.startsWith("kube-") ||
    name.startsWith("platform-") ||
    name.startsWith("istio-") ||
    name === systemNamespace ||
    others.includes(name)
  );
}

/**
 * Refuses namespaces that cannot be managed.
 * @throws ProvisioningError `usage`, or `refused` for one that is being deleted
 */
export function mayBeManaged(name: string, live: KubeObject | undefined, standards: Standards): void {
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) || name.length > 63) {
    throw new ProvisioningError(
      "usage",
      `${JSON.stringify(name)} cannot be a namespace's name`,
      "use at most 63 lower-case letters, digits and hyphens",
    );
  }
  if (isOfTheSystem(name, standards)) {
    throw new ProvisioningError(
      "usage",
      `${name} is a namespace of the system: services have no place in it`,
      "choose another, or a new name: it is made",
    );
  }
  const service = live?.metadata.labels?.[labels.service];
  if (name.startsWith("app-") && service === undefined) {
    throw new ProvisioningError(
      "usage",
      `${name} is a name of a service's own namespace, which is made with the service`,
      `choose another name, or make the service: platform service create ${name.slice("app-".length)}`,
    );
  }
  if (live?.metadata.deletionTimestamp !== undefined) {
    throw new ProvisioningError(
      "refused",
      `${name} is being deleted`,
      "wait until it is gone, then try again",
    );
  }
}
