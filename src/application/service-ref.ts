/** A service and the namespace it is in: names of services are unique in a namespace only. */
export interface ServiceRef {
  readonly name: string;
  readonly namespace: string;
}

/**
 * Whether a service has its namespace to itself, `app-NAME`, as every service has that a run created. Those that share
 * one are applied with kubectl. Pure.
 */
export function hasOwnNamespace({ name, namespace }: ServiceRef): boolean {
  return (
    namespace.length === name.length + ownPrefix.length &&
    namespace.startsWith(ownPrefix) &&
    namespace.endsWith(name)
  );
}

const ownPrefix = "app-";

/** What tells a service from all others, and to commands: its name, or `NAMESPACE/NAME` where it shares its namespace. Pure. */
export function refText(service: ServiceRef): string {
  return hasOwnNamespace(service) ? service.name : `${service.namespace}/${service.name}`;
}
