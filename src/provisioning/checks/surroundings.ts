import { desiredObjects } from "../../application/desired-objects.ts";
import { labels } from "../../application/names.ts";
import { isInCluster, providerOf } from "../../application/store-provider.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { tierOf } from "../../standards/tier.ts";
import { ProvisioningError } from "../errors.ts";
import { parseQuantity } from "../quantity.ts";
import { served } from "../steps/served.ts";
import type { Check, CheckContext } from "./check.ts";

/** Whether it has volumes of the cluster's default StorageClass. */
function hasDataStore({ application: { spec }, standards }: CheckContext): boolean {
  const byDefault =
    providerOf(spec, "database") === "cloudnative-pg" &&
    standards.database.cloudnativepg?.storageClass === undefined;
  return byDefault || isInCluster(spec, "database") || isInCluster(spec, "cache");
}

/** Data stores need volumes, and volumes need a default StorageClass: never an emptyDir instead. */
export const storageClassExists: Check = async (context) => {
  if (!hasDataStore(context)) return undefined;
  try {
    const { items } = await context.cluster.list(resources.storageClasses);
    const isDefault = items.some(
      ({ metadata }) => metadata.annotations?.["storageclass.kubernetes.io/is-default-class"] === "true",
    );
    if (isDefault) return undefined;
  } catch (error) {
    if (isClusterError(error, "forbidden")) {
      return { warning: "you may not list StorageClasses: whether there is a default one is unknown" };
    }
    throw error;
  }
  return new ProvisioningError(
    "refused",
    "the cluster has no default StorageClass, so data stores would have no volumes",
    "have a platform engineer mark one as default, or create the service without data stores",
  );
};

/** Images come only from where the standards allow. */
export const imageIsAllowed: Check = async ({ application, previous, standards }) => {
  const { registries } = standards.images;
  const imagesOf = (spec: typeof application.spec | undefined) => [spec?.image, spec?.migrations?.image];
  // What runs already may be scaled, whatever the standards have come to say of it.
  const known = new Set(imagesOf(previous?.spec));
  const image = imagesOf(application.spec).find(
    (each) => each !== undefined && !known.has(each) && !registries.some((prefix) => each.startsWith(prefix)),
  );
  if (registries.length === 0 || image === undefined) return undefined;
  return new ProvisioningError(
    "usage",
    `image ${image} is from a registry that the standards do not allow`,
    `use one of: ${registries.join(", ")}`,
  );
};

/** The namespace's quota must hold what is asked for, one more replica during a rollout included. */
export const quotaSuffices: Check = async ({ cluster, request, application, standards }) => {
  const stores = [
    ...(isInCluster(application.spec, "database") ? [standards.database] : []),
    ...(isInCluster(application.spec, "cache") ? [standards.cache] : []),
  ];
  const replicas = request.replicas + 1;
  const workload = application.spec.resources ?? standards.workload.resources;
  const total = (of: (resources: typeof workload) => string) =>
    replicas * parseQuantity(of(workload)) +
    stores.reduce((sum, { resources: r }) => sum + parseQuantity(of(r)), 0);
  const live = await find(cluster, resources.namespaces, { name: application.metadata.namespace });
  const { quota } = tierOf(standards, live?.metadata.labels?.[labels.tier]);
  const wants: readonly (readonly [string, number, string])[] = [
    ["pods", replicas + stores.length, String(quota.pods)],
    ["CPU", total(({ requests }) => requests.cpu), quota.cpu],
    ["memory", total(({ limits }) => limits.memory), quota.memory],
    ["storage", stores.reduce((sum, { storage }) => sum + parseQuantity(storage), 0), quota.storage],
  ];
  const over = wants.filter(([, wanted, allowed]) => wanted > parseQuantity(allowed));
  if (over.length === 0) return undefined;
  return new ProvisioningError(
    "usage",
    `${request.replicas} replicas need more ${over.map(([what, , allowed]) => `${what} than the quota of ${allowed}`).join(" and ")}`,
    "ask for fewer replicas, or a platform engineer for a larger quota in the standards",
  );
};

/** Kinds of other projects, as the standards' `whenMissing` wants it. */
function kindsAreServed(part: "monitoring" | "network"): Check {
  return async ({ cluster, application, standards }) => {
    const { missing } = await served(cluster, desiredObjects(application, standards)[part]);
    if (missing.length === 0) return undefined;
    const text = missing.join("; ");
    if (standards[part].whenMissing === "warn") return { warning: text };
    return new ProvisioningError("refused", text, `have a platform engineer install what ${part} needs`);
  };
}
export const monitoringIsServed: Check = kindsAreServed("monitoring");
export const networkIsServed: Check = kindsAreServed("network");

/** Repositories must be writable from where the run is executed. */
export const codeHostAnswers: Check = async ({ codeHost }) => {
  const answer = await codeHost.check();
  return answer.ok ? undefined : new ProvisioningError("refused", answer.problem, answer.mend);
};
