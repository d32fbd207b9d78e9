import { hasOwnNamespace, refText, type ServiceRef } from "../../application/service-ref.ts";

/** What a Run, or its state, says of whose it is: a namespace only where the service shares it. */
export interface AboutService {
  readonly service: string;
  readonly sharedNamespace?: string | undefined;
}

/** The service that a run is about, with its namespace. Pure. */
export function serviceOfRun({ service, sharedNamespace = `app-${service}` }: AboutService): ServiceRef {
  return { name: service, namespace: sharedNamespace };
}

/** What a Run about a service says of it. Pure. */
export function aboutService(service: ServiceRef): AboutService {
  return hasOwnNamespace(service)
    ? { service: service.name }
    : { service: service.name, sharedNamespace: service.namespace };
}

/** … as a person types it: its name, or `NAMESPACE/NAME` where it shares its namespace. Pure. */
export function serviceText(run: AboutService): string {
  return refText(serviceOfRun(run));
}

/** Whether two runs are about the same service. Pure. */
export function isSameService(one: AboutService, other: AboutService): boolean {
  return one.service === other.service && one.sharedNamespace === other.sharedNamespace;
}
