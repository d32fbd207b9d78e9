import { hasOwnNamespace, type ServiceRef } from "../application/service-ref.ts";
import type { Service } from "./service.ts";

/**
 * What changes or deletes a service that no run is about. With the beginning of its group, which kubectl completes:
 * other products have a kind Application too.
 */
export function kubectlFor(verb: "edit" | "delete", { name, namespace }: ServiceRef): string {
  return `kubectl ${verb} -n ${namespace} applications.platform/${name}`;
}

/** Why no run can be asked of a row, and what to type instead; undefined where one can. */
export function notByRun(
  service: Pick<Service, "kind" | "name" | "namespace">,
  verb: "edit" | "delete",
): string | undefined {
  if (service.kind === "namespace") {
    return verb === "edit"
      ? `no service is in it yet: kubectl apply -n ${service.namespace} -f FILE`
      : `it is no service: platform namespace unmanage ${service.namespace}`;
  }
  return hasOwnNamespace(service) ? undefined : `no run made it: ${kubectlFor(verb, service)}`;
}
