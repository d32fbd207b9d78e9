import { hasOwnNamespace, type ServiceRef } from "../application/service-ref.ts";
import type { Service } from "./service.ts";

/**
 * What changes a service that shares its namespace: no run does. With the beginning of its group, which kubectl
 * completes: other products have a kind Application too.
 */
export function kubectlEdit({ name, namespace }: ServiceRef): string {
  return `kubectl edit -n ${namespace} applications.platform/${name}`;
}

/** Why no run changes or deletes a row, and what to type instead; undefined where one does. */
export function notByRun(
  service: Pick<Service, "kind" | "name" | "namespace">,
  verb: "edit" | "delete",
): string | undefined {
  if (service.kind === "namespace") {
    return verb === "edit"
      ? `no service is in it yet: kubectl apply -n ${service.namespace} -f FILE`
      : `it is no service: platform namespace unmanage ${service.namespace}`;
  }
  if (verb === "delete" || hasOwnNamespace(service)) return undefined;
  return `no run changes it: ${kubectlEdit(service)}`;
}
