import { applicationFor, inNamespace } from "../../application/from-request.ts";
import { labels, providerAnnotation, releaseAnnotation, type ServiceName } from "../../application/names.ts";
import {
  cacheTypes,
  databaseTypes,
  type ServiceRequest,
  serviceRequestSchema,
} from "../../application/request.ts";
import { applicationSpecSchema } from "../../application/schema.ts";
import { hasOwnNamespace, refText, type ServiceRef } from "../../application/service-ref.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { runsOf } from "../checks/existence.ts";
import { noSuchService } from "../errors.ts";
import { claimsOf, dataStoreNames } from "../objects/namespace-contents.ts";
import type { PlannedChange } from "../plan.ts";
import type { DataStoreChoice } from "../provisioner.ts";
import { aboutService } from "../runs/service-of-run.ts";
import type { PlanContext } from "../step.ts";
import { firstRelease } from "./create.ts";
import { withTeam } from "./nominal.ts";
import type { Surroundings } from "./surroundings.ts";

/** A service whose name has been checked. */
export interface PlacedService extends ServiceRef {
  readonly name: ServiceName;
}

/**
 * What a deletion works on: the service as its Application says, or what is left of one in a namespace that was
 * kept.
 * @throws ProvisioningError `usage` where there is no such service
 */
export async function deleteContext(
  service: PlacedService,
  choice: DataStoreChoice,
  surroundings: Surroundings,
): Promise<PlanContext> {
  const { cluster, standards } = surroundings;
  const { name, namespace } = service;
  const [application, owner, stores] = await Promise.all([
    find(cluster, resources.applications, { name, namespace }),
    find(cluster, resources.namespaces, { name: namespace }),
    storesLeft(cluster, service),
  ]);
  // A namespace of its own is what is left of a service; one that others share tells nothing of it.
  const left = hasOwnNamespace(service) || application !== undefined || stores.database || stores.cache;
  if (owner === undefined || !left) throw noSuchService(refText(service));
  const request = requestFrom(name, application, owner, stores);
  const dataStores = await resolved(cluster, service, choice, stores);
  return {
    ...surroundings,
    request,
    // Only its name and team matter to a deletion; an image satisfies standards without a starter.
    application: inNamespace(
      applicationFor({ ...request, image: request.image ?? "none" }, withTeam(standards, request.team)),
      namespace,
    ),
    change: application === undefined ? {} : deletionOf(application),
    dataStores,
  };
}

/** What a deletion makes of an Application; one that is damaged is deleted all the same. */
function deletionOf({ spec, metadata }: KubeObject): PlannedChange {
  const before = applicationSpecSchema.safeParse(spec);
  if (!before.success) return {};
  return {
    before: before.data,
    releaseBefore: Number(metadata.annotations?.[releaseAnnotation] ?? firstRelease),
  };
}

interface Stores {
  readonly database: boolean;
  readonly cache: boolean;
}

async function storesLeft(cluster: Cluster, { name: service, namespace }: ServiceRef): Promise<Stores> {
  const [database, cache] = await Promise.all(
    dataStoreNames(service).map(async (name) => {
      const [set, claims, record] = await Promise.all([
        find(cluster, resources.statefulSets, { namespace, name }),
        claimsOf(cluster, namespace, name),
        find(cluster, resources.configMaps, { namespace, name }),
      ]);
      const outside = record?.metadata.annotations?.[providerAnnotation] !== undefined;
      return set !== undefined || claims.length > 0 || outside;
    }),
  );
  return { database: database === true, cache: cache === true };
}

function requestFrom(
  service: ServiceName,
  application: KubeObject | undefined,
  namespace: KubeObject,
  stores: Stores,
): ServiceRequest {
  const spec = applicationSpecSchema.safeParse(application?.spec);
  return serviceRequestSchema.parse({
    name: service,
    team: namespace.metadata.labels?.[labels.team] ?? spec.data?.team ?? "platform",
    language: spec.data?.language ?? "go",
    replicas: spec.data?.replicas ?? 1,
    exposure: spec.data?.exposure ?? "none",
    database: stores.database ? databaseTypes[0] : "none",
    cache: stores.cache ? cacheTypes[0] : "none",
    ...(spec.data === undefined || spec.data.starter ? {} : { image: spec.data.image }),
  });
}

/** `keep-used` decided: data stores on which no run ever brought the service to ready are unused. */
async function resolved(
  cluster: Cluster,
  service: ServiceRef,
  choice: DataStoreChoice,
  stores: Stores,
): Promise<"keep" | "delete"> {
  if (!stores.database && !stores.cache) return "delete";
  if (choice !== "keep-used") return choice;
  // Of what was applied no run tells whether it was ever ready.
  if (!hasOwnNamespace(service)) return "keep";
  const runs = await runsOf(cluster, aboutService(service));
  return runs.length > 0 && runs.every(({ state }) => !state.reachedReady) ? "delete" : "keep";
}
