import type { Cluster } from "../../cluster/cluster.ts";
import { ClusterError, isClusterError } from "../../cluster/errors.ts";
import { resourceOf } from "../../cluster/resource.ts";
import type { PlanWithManifests } from "../provisioner.ts";

/** A cluster as somebody sees it who may not read all of it. */
export interface AsSeen {
  /** What may not be read is not there. */
  readonly cluster: Cluster;
  /** A plan that was worked out from it, without what only seems to be missing; what was not seen is said. */
  told(planned: PlanWithManifests): PlanWithManifests;
}

/** For plans that are only shown: who executes one sees everything it touches. */
export function asSeen(cluster: Cluster): AsSeen {
  const unread = new Set<string>();
  const kinds = new Set<string>();
  const unlessForbidden = async <T>(kind: string, read: () => Promise<T>, instead: () => T): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      if (!isClusterError(error, "forbidden")) throw error;
      kinds.add(kind);
      return instead();
    }
  };
  const nothing = () => ({ items: [], resourceVersion: "" });
  return {
    cluster: {
      context: cluster.context,
      simulated: cluster.simulated,
      get: (resource, ref, options) =>
        unlessForbidden(
          resource.plural,
          () => cluster.get(resource, ref, options),
          () => {
            unread.add(`${resource.plural}.${resource.group} ${ref.namespace ?? ""}/${ref.name}`);
            throw new ClusterError("not-found", `${resource.plural} ${ref.name} may not be read`);
          },
        ),
      list: (resource, options) =>
        unlessForbidden(resource.plural, () => cluster.list(resource, options), nothing),
      listMetadata: (resource, options) =>
        unlessForbidden(resource.plural, () => cluster.listMetadata(resource, options), nothing),
      listTable: (...args) => cluster.listTable(...args),
      create: (...args) => cluster.create(...args),
      replace: (...args) => cluster.replace(...args),
      patch: (...args) => cluster.patch(...args),
      delete: (...args) => cluster.delete(...args),
      watch: (...args) => cluster.watch(...args),
      logs: (...args) => cluster.logs(...args),
      can: (...args) => cluster.can(...args),
      whoAmI: (...args) => cluster.whoAmI(...args),
      serves: (...args) => cluster.serves(...args),
      serviceProxy: (...args) => cluster.serviceProxy(...args),
      discover: (...args) => cluster.discover(...args),
      version: (...args) => cluster.version(...args),
      close: () => cluster.close(),
    },
    told(planned) {
      if (kinds.size === 0) return planned;
      const isUnread = (object: { readonly apiVersion: string; readonly kind: string }, at: string) => {
        const { plural, group } = resourceOf(object);
        return unread.has(`${plural}.${group} ${at}`);
      };
      const note = `not shown, since you may not read it: ${[...kinds].sort().join(", ")}`;
      // Of a service that is new, everything is made.
      const isNew = planned.plan.operation === "create";
      const steps = planned.plan.steps.map((step) => ({
        ...step,
        notes: step.id === "preflight" && !isNew ? [...step.notes, note] : step.notes,
        effects: step.effects.filter(
          ({ effect }) =>
            isNew ||
            effect.kind !== "object" ||
            !isUnread(
              { apiVersion: effect.apiVersion, kind: effect.type },
              `${effect.namespace ?? ""}/${effect.name}`,
            ),
        ),
      }));
      const manifests = planned.manifests.filter(
        (object) => isNew || !isUnread(object, `${object.metadata.namespace ?? ""}/${object.metadata.name}`),
      );
      return { ...planned, plan: { ...planned.plan, steps }, manifests };
    },
  };
}
