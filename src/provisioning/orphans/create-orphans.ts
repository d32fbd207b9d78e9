import {
  adoptedAnnotation,
  labels,
  namespaceOf,
  type ServiceName,
  serviceNameSchema,
} from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
import { resourceOf, resources } from "../../cluster/resource.ts";
import type { Clock } from "../clock.ts";
import { ProvisioningError } from "../errors.ts";
import { type ObjectEffect, objectEffect } from "../objects/objects.ts";
import { protectedAtStake } from "../objects/protection.ts";
import { canSnapshot } from "../objects/snapshot.ts";
import { effectKey, effectLabel } from "../runs/effect.ts";
import type { Execution } from "../runs/run.ts";
import type { RunSpec } from "../runs/run-record.ts";
import type { PlanContext } from "../step.ts";
import { doomedBy } from "../steps/delete_orphans.ts";
import { findOrphans, type SweepSurroundings } from "./find.ts";
import { folded, isShared } from "./judge.ts";
import type { CleanupPlan, Orphan, Orphans } from "./orphan.ts";

/** What the use cases of orphans take from outside. */
export interface OrphansOptions extends SweepSurroundings {
  readonly clock: Clock;
  mustBeInstalled(): Promise<void>;
  /** The context of a cleanup. */
  contextOf(spec: Pick<RunSpec, "service" | "team" | "parameters">): PlanContext;
  /** Checks, requests the run and executes it. */
  execute(spec: Pick<RunSpec, "service" | "team" | "parameters">): Promise<Execution>;
}

/** The use cases of orphans on one cluster. */
export function createOrphans(options: OrphansOptions): Orphans {
  const { cluster, standards, clock } = options;

  /** @throws ProvisioningError `usage` where one is no orphan, or is one no more */
  async function named(names: readonly string[]): Promise<readonly Orphan[]> {
    await options.mustBeInstalled();
    const { found } = await findOrphans(options);
    return [...new Set(names)].map((name) => {
      const orphan = found.find((candidate) => candidate.name === name);
      if (orphan?.effect.kind === "object" && isShared(orphan.effect)) throw sharedStore(orphan);
      if (orphan !== undefined) return orphan;
      throw new ProvisioningError(
        "usage",
        `${name} is no orphan: it is not there, or a run or service accounts for it`,
        "see them with: platform orphans list",
      );
    });
  }

  /** Whether it was still there. */
  async function adopt({ effect, uid }: Adoptable, service: ServiceName, by: string): Promise<boolean> {
    const { namespace, name, apiVersion, type } = effect;
    try {
      await cluster.patch(
        resourceOf({ apiVersion, kind: type }),
        { name, ...(namespace === undefined ? {} : { namespace }) },
        {
          type: "merge",
          body: {
            metadata: {
              ...(uid === undefined ? {} : { uid }),
              labels: { [labels.managed]: "true", [labels.service]: service },
              annotations: { [adoptedAnnotation]: `for ${service} by ${by} at ${clock.now().toISOString()}` },
            },
          },
        },
      );
      return true;
    } catch (error) {
      if (isClusterError(error, "not-found", "conflict")) return false;
      // So a server tells that an object of that name has another UID.
      if (isClusterError(error, "invalid") && error.message.includes("metadata.uid")) return false;
      throw error;
    }
  }

  async function planOf(service: ServiceName, orphans: readonly Orphan[]): Promise<CleanupPlan> {
    const context = options.contextOf(await specOf(cluster, service, orphans));
    const named = new Set(orphans.map(({ effect }) => effectKey(effect)));
    const inside = (await doomedBy(context))
      .map(objectEffect)
      .filter((effect) => !named.has(effectKey(effect)));
    const stores = await protectedAtStake(context);
    const claims = stores.flatMap((store) => store.claims);
    const ability =
      claims.length === 0 || standards.dataStores.snapshot === "never"
        ? undefined
        : await canSnapshot(cluster, claims);
    return {
      service,
      orphans,
      takesAlong: inside.map(effectLabel).sort(),
      data: [...new Set(orphans.flatMap(({ data }) => data))],
      protectedStores: stores.map(({ name }) => name),
      notes:
        ability === undefined
          ? []
          : [
              ability.possible
                ? "a last snapshot is taken of what is protected, and kept"
                : `no last snapshot can be taken: ${ability.reason}`,
            ],
    };
  }

  return {
    async find(asked = {}) {
      await options.mustBeInstalled();
      const { found, unseen } = await findOrphans(options, asked);
      return { found: folded(found), unseen };
    },
    async adopt(names) {
      const [orphans, { username }] = await Promise.all([named(names), cluster.whoAmI()]);
      // Nothing is written before all of them can be.
      const adoptable = orphans.map((orphan) => ({
        orphan: adoptableBy(orphan),
        service: serviceOf(orphan),
      }));
      for (const service of new Set(adoptable.map((one) => one.service))) await mustExist(cluster, service);
      const adopted: Orphan[] = [];
      for (const { orphan, service } of adoptable) {
        if (await adopt(orphan, service, username)) adopted.push(orphan);
      }
      return adopted;
    },
    async planDelete(names) {
      const groups = Map.groupBy(await named(names), serviceOf);
      return Promise.all([...groups].map(([service, orphans]) => planOf(service, orphans)));
    },
    async delete(plan, { confirmed } = {}) {
      // What was an orphan when it was shown may have been adopted since.
      const orphans = await named(plan.orphans.map(({ name }) => name));
      const changed = orphans.find(
        (orphan) => !plan.orphans.some(({ uid, name }) => name === orphan.name && uid === orphan.uid),
      );
      if (changed !== undefined) {
        throw new ProvisioningError(
          "usage",
          `${changed.name} was replaced meanwhile; nothing was deleted`,
          "see what is there with: platform orphans list",
        );
      }
      const spec = await specOf(cluster, serviceNameSchema.parse(plan.service), orphans);
      return options.execute({
        ...spec,
        parameters: { ...spec.parameters, ...(confirmed === undefined ? {} : { confirmed }) },
      });
    },
  };
}

/** What was kept of a service that shares its namespace goes with all that belongs to it, by a deletion of that service. */
function sharedStore({ name, reason }: Orphan): ProvisioningError {
  return new ProvisioningError("usage", `${name} is a data store, ${reason}`);
}

type Adoptable = Orphan & { readonly effect: ObjectEffect };

/** @throws ProvisioningError `usage` for a repository, and for what is in no service's namespace */
function adoptableBy(orphan: Orphan): Adoptable {
  const { effect, name } = orphan;
  const service = serviceOf(orphan);
  if (effect.kind !== "object") {
    throw new ProvisioningError(
      "usage",
      `${name} is a repository: it belongs to its service as soon as there is one of its name`,
      `platform service create ${service} uses it again, platform orphans delete ${name} deletes it`,
    );
  }
  if ((effect.type === "Namespace" ? effect.name : effect.namespace) !== namespaceOf(service)) {
    throw new ProvisioningError(
      "usage",
      `${name} is not in ${namespaceOf(service)}: no service can account for it`,
      `platform orphans delete ${name} deletes it`,
    );
  }
  return { ...orphan, effect };
}

/** @throws ProvisioningError `usage` where nothing says which service an orphan was made for */
function serviceOf({ name, service }: Orphan): ServiceName {
  const parsed = serviceNameSchema.safeParse(service);
  if (parsed.success) return parsed.data;
  throw new ProvisioningError(
    "usage",
    `nothing says which service ${name} was made for: no run can be made for it`,
    "look at it and delete it with kubectl",
  );
}

/** Only what is alive can account for something. */
async function mustExist(cluster: Cluster, service: ServiceName): Promise<void> {
  const application = await find(cluster, resources.applications, {
    name: service,
    namespace: namespaceOf(service),
  });
  if (application !== undefined) return;
  throw new ProvisioningError(
    "usage",
    `there is no service ${service} that could account for it`,
    `platform service create ${service} uses its namespace and data stores again; platform orphans delete deletes them`,
  );
}

/** What a run that deletes these orphans is asked to do. */
async function specOf(
  cluster: Cluster,
  service: ServiceName,
  orphans: readonly Orphan[],
): Promise<Pick<RunSpec, "service" | "team" | "parameters">> {
  const namespace = await find(cluster, resources.namespaces, { name: namespaceOf(service) });
  return {
    service,
    team: namespace?.metadata.labels?.[labels.team] ?? "platform",
    parameters: {
      orphans: orphans.flatMap(({ effect, uid }) => {
        if (effect.kind !== "object" || uid === undefined) return [];
        const { kind: _, ...target } = effect;
        return [{ ...target, uid }];
      }),
      repositories: orphans.flatMap(({ effect, run }) =>
        effect.kind === "repository" ? [{ url: effect.url, run }] : [],
      ),
    },
  };
}
