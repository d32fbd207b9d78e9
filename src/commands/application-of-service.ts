import type { Application } from "../application/application.ts";
import { applicationOf } from "../application/from-request.ts";
import { namespaceOf, type ServiceName } from "../application/names.ts";
import { applicationSpecSchema } from "../application/schema.ts";
import type { Session } from "./session.ts";

/** A service's Application as the cluster has it. @throws ProvisioningError `usage` where there is no such service */
export async function applicationOfService(session: Session, service: ServiceName): Promise<Application> {
  const { cluster } = await session.platform();
  const [{ resources }, { find }, { noSuchService }] = await Promise.all([
    import("../cluster/resource.ts"),
    import("../cluster/find.ts"),
    import("../provisioning/errors.ts"),
  ]);
  const ref = { name: service, namespace: namespaceOf(service) };
  const found = await find(cluster, resources.applications, ref);
  if (found === undefined) throw noSuchService(service);
  return applicationOf(service, applicationSpecSchema.parse(found.spec), found.metadata.uid);
}
