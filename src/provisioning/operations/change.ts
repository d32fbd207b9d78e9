import type { ApplicationSpec } from "../../application/application.ts";
import { changedSpec, type ServiceChange } from "../../application/change.ts";
import { applicationOf, inNamespace } from "../../application/from-request.ts";
import { namespaceOf, releaseAnnotation, type ServiceName } from "../../application/names.ts";
import { type Problem, RefusedInput } from "../../application/refusal.ts";
import { type ServiceRequest, serviceRequestSchema } from "../../application/request.ts";
import { applicationSpecSchema } from "../../application/schema.ts";
import { specDiff } from "../../application/spec-diff.ts";
import { providerOf, storeKinds, withProviders } from "../../application/store-provider.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { runsOf } from "../checks/existence.ts";
import { noSuchService, ProvisioningError } from "../errors.ts";
import { parseQuantity } from "../objects/quantity.ts";
import type { PlannedChange } from "../plan.ts";
import type { DataStoreChoice } from "../provisioner.ts";
import type { PlanContext } from "../step.ts";
import { firstRelease } from "./create.ts";
import { releasesOf } from "./releases.ts";
import type { Surroundings } from "./surroundings.ts";

/**
 * What a change works on: the Application as it is, and as the change makes it.
 * @throws ProvisioningError `usage` where there is no such service or release, `unchanged` where the change changes
 *   nothing; RefusedInput where a limit is below its request
 */
export async function changeContext(
  service: ServiceName,
  change: ServiceChange,
  choice: DataStoreChoice,
  surroundings: Surroundings,
): Promise<PlanContext> {
  const { cluster, standards } = surroundings;
  const [object, runs] = await Promise.all([
    find(cluster, resources.applications, { name: service, namespace: namespaceOf(service) }),
    runsOf(cluster, { service }).catch((error: unknown) => {
      // A pipeline sees no run but its own; the operator works the release's number out anew.
      if (change.operation === "deploy" && isClusterError(error, "forbidden")) return [];
      throw error;
    }),
  ]);
  if (object === undefined) {
    throw noSuchService(service);
  }
  const states = runs.map(({ state }) => state);
  const releases = releasesOf(states);
  const earlier = releases.find(({ number }) => change.operation === "rollback" && number === change.release);
  if (change.operation === "rollback" && earlier === undefined) {
    throw new ProvisioningError(
      "usage",
      `${service} has no release ${change.release}${releases.length === 0 ? "" : `; it has ${releases.map(({ number }) => number).join(", ")}`}`,
      `see them with: platform service releases ${service}`,
    );
  }
  const before = applicationSpecSchema.parse(object.spec);
  const changed = changedSpec(before, change, {
    defaults: standards.workload.resources,
    ...(earlier === undefined ? {} : { earlier: earlier.spec }),
  });
  const after = withProviders(changed, before, standards);
  if (specDiff(before, after).length === 0) {
    throw new ProvisioningError("unchanged", `nothing to change: ${service} is so already`);
  }
  storesStay(service, before, after);
  const problems = limitsBelowRequests(after.resources);
  if (problems.length > 0) throw new RefusedInput(problems);
  const releaseBefore = Number(object.metadata.annotations?.[releaseAnnotation] ?? firstRelease);
  const numbers = states.flatMap((state) => state.change?.release ?? []);
  const release =
    change.operation === "scale" ? releaseBefore : Math.max(releaseBefore, firstRelease, ...numbers) + 1;
  const commit =
    change.operation === "deploy"
      ? change.commit
      : (earlier ?? releases.find(({ current }) => current))?.commit;
  const planned = { before, after, releaseBefore, release, ...(commit === undefined ? {} : { commit }) };
  const { uid } = object.metadata;
  return contextOfChange(service, planned, { dataStores: choice, uid }, surroundings);
}

/** @throws ProvisioningError `usage` where a data store that a service has would become another one */
function storesStay(service: ServiceName, before: ApplicationSpec, after: ApplicationSpec): void {
  for (const store of storeKinds) {
    const [was, is] = [providerOf(before, store), providerOf(after, store)];
    if (was === undefined || is === undefined || was === is) continue;
    throw new ProvisioningError(
      "usage",
      `the ${store} of ${service} is ${was}, and does not become ${is} by a change: its data would stay behind`,
      is === "external" && was !== "external"
        ? `move the data yourself, then take it out: platform service set ${service} --${store} none --data-stores delete --confirm ${service}`
        : `take it out of the service first: platform service set ${service} --${store} none`,
    );
  }
}

/** A pod may not be promised more than it may use: the API server would refuse it, after the run has begun. */
function limitsBelowRequests(resources: ApplicationSpec["resources"]): readonly Problem[] {
  if (resources === undefined) return [];
  const { requests, limits } = resources;
  return (["cpu", "memory"] as const)
    .filter((amount) => parseQuantity(limits[amount]) < parseQuantity(requests[amount]))
    .map((amount) => ({
      field: `resources.limits.${amount}`,
      message: `${limits[amount]} is below what is requested, ${requests[amount]}`,
      suggestion: requests[amount],
    }));
}

export function contextOfChange(
  service: ServiceName,
  change: PlannedChange & { readonly after: ApplicationSpec },
  existing: {
    readonly dataStores: DataStoreChoice | undefined;
    readonly uid: string | undefined;
    /** Left out: the service's own. */
    readonly namespace?: string | undefined;
  },
  surroundings: Surroundings,
): PlanContext {
  const { before, after } = change;
  const { dataStores, uid, namespace = namespaceOf(service) } = existing;
  const applicationWith = (spec: ApplicationSpec) =>
    inNamespace(applicationOf(service, spec, uid), namespace);
  return {
    ...surroundings,
    request: requestOf(service, after),
    application: applicationWith(after),
    ...(before === undefined ? {} : { previous: applicationWith(before) }),
    change,
    dataStores: dataStores === "delete" ? "delete" : "keep",
  };
}

/** A spec as its request would have been. */
function requestOf(service: ServiceName, spec: ApplicationSpec): ServiceRequest {
  return serviceRequestSchema.parse({
    name: service,
    team: spec.team,
    language: spec.language,
    replicas: spec.replicas,
    exposure: spec.exposure,
    database: spec.database?.type ?? "none",
    cache: spec.cache?.type ?? "none",
    alerts: spec.monitoring.alerts,
    image: spec.image,
  });
}
