import { namespaceOf, type ServiceName } from "../application/names.ts";
import { usageFailure } from "./failure.ts";
import { placedServiceFrom, serviceNameFrom } from "./names.ts";
import type { Session } from "./session.ts";

/** A service as typed. */
export interface TypedService {
  readonly name: ServiceName;
  /** Left out where only a name was typed. */
  readonly namespace?: string;
}

/** What help says of an argument that {@link typedService} reads. */
export const serviceArgument = "the service's name, or NAMESPACE/NAME where it shares its namespace";

/** A service from argv: `NAME` or `NAMESPACE/NAME`. @throws CommandFailure (2) */
export function typedService(text: string | undefined): TypedService {
  return placedServiceFrom(text ?? "") ?? { name: serviceNameFrom(text) };
}

/**
 * The namespace of a service. A name alone means the one that has its own namespace; else the only one of that name.
 * @param kept - whether a namespace of its own that was kept counts as the service
 * @throws CommandFailure (2) where several share namespaces and none is alone
 */
export async function namespaceFor(
  session: Session,
  service: TypedService,
  { kept = false }: { readonly kept?: boolean } = {},
): Promise<string> {
  const { name, namespace } = service;
  if (namespace !== undefined) return namespace;
  const [{ cluster }, { find }, { resources }, { sharingServices }] = await Promise.all([
    session.platform(),
    import("../cluster/find.ts"),
    import("../cluster/resource.ts"),
    import("../services/locate.ts"),
  ]);
  const own = namespaceOf(name);
  const itself = kept
    ? await find(cluster, resources.namespaces, { name: own })
    : await find(cluster, resources.applications, { namespace: own, name });
  if (itself !== undefined) return own;
  const [first, ...others] = await sharingServices(cluster, name);
  if (first === undefined) return own;
  if (others.length === 0) return first.namespace;
  const all = [first, ...others].map((each) => `${each.namespace}/${name}`);
  throw usageFailure(`${all.length} services are named ${name}: ${all.join(", ")}`, {
    next: [session.command("service", "get", name)],
  });
}
