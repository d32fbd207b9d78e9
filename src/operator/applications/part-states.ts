import { pathProblem } from "../../application/external-store.ts";
import { externalOf } from "../../application/store-provider.ts";
import type { PodProblem } from "../../cluster/pod-problem.ts";
import type { Resource } from "../../cluster/resource.ts";
import type { HeldApplication } from "./held-application.ts";
import { type PartName, type PartState, partOf, partState } from "./part-state.ts";
import type { PodLooks } from "./pod-looks.ts";
import type { Brought } from "./reconciler.ts";
import { conditionIn, conditionOfPart } from "./status.ts";

type Made = Extract<Brought, { readonly kind: "made" }>;

/** Parts that run pods. */
const withPods: readonly PartName[] = ["workload", "database", "cache"];
/** Reasons of a part that only takes its time. */
const passing = ["RollingOut", "Waiting", "Migrating", "Provisioning", "WaitingForDataStores"];

/** How far each part of an Application is, its pods looked into where they do not get ready. */
export class PartStates {
  readonly #looks: PodLooks;

  constructor(looks: PodLooks) {
    this.#looks = looks;
  }

  /** Resolves to when to look again too, where that is worth it. @throws ClusterError */
  async of(
    key: string,
    held: HeldApplication,
    made: Made,
    signal: AbortSignal,
  ): Promise<{
    readonly parts: Readonly<Record<PartName, PartState>>;
    readonly againMs: number | undefined;
  }> {
    const { network, monitoring } = made.standards;
    const again: number[] = [];
    const problems = new Map<PartName, PodProblem>();
    await Promise.all(
      withPods.map(async (name) => {
        const { problem, againMs } = await this.#look(key, held, made, name, signal);
        if (problem !== undefined) problems.set(name, problem);
        if (againMs !== undefined) again.push(againMs);
      }),
    );
    const state = (name: PartName): PartState =>
      partState({
        name,
        requested: isRequested(made, name),
        outcomes: made.outcomes.filter(({ wanted }) => partOf(wanted) === name),
        held: name === "workload" ? made.held?.state : (closedPath(made, name) ?? unmade(made, name)),
        pods: problems.get(name),
        missing: missingOf(made, name),
        mayMiss: (name === "network" ? network : monitoring).whenMissing === "warn",
      });
    return {
      parts: {
        workload: state("workload"),
        database: state("database"),
        cache: state("cache"),
        monitoring: state("monitoring"),
        network: state("network"),
      },
      againMs: again.length === 0 ? undefined : Math.min(...again),
    };
  }

  forget(key: string): void {
    for (const name of withPods) this.#looks.forget(`${key} ${name}`);
  }

  async #look(key: string, held: HeldApplication, { outcomes }: Made, name: PartName, signal: AbortSignal) {
    const found = outcomes.find(
      ({ wanted, result }) =>
        wanted.part === name && result.kind === "there" && result.child.workload !== undefined,
    );
    const child = found?.result.kind === "there" ? found.result.child : undefined;
    const before = conditionIn(held.status, conditionOfPart[name]);
    const wasBroken = before?.status === "False" && !passing.includes(before.reason);
    return this.#looks.at(`${key} ${name}`, found?.wanted.key ?? key, child, { atOnce: wasBroken, signal });
  }
}

function isRequested({ application: { spec } }: Made, name: PartName): boolean {
  switch (name) {
    case "workload":
    case "network":
      return true;
    case "database":
      return spec.database !== undefined;
    case "cache":
      return spec.cache !== undefined;
    case "monitoring":
      return spec.monitoring.enabled;
  }
}

/** A data store that only a run makes, until one has. */
function unmade({ unmade }: Made, name: PartName): PartState | undefined {
  return unmade?.stores.some((store) => store === name) ? unmade.state : undefined;
}

/** A data store that is not the platform's, where the standards let no path be opened to it. */
function closedPath({ application: { spec }, standards }: Made, name: PartName): PartState | undefined {
  if (name !== "database" && name !== "cache") return undefined;
  const external = externalOf(spec, name);
  const problem = external && pathProblem(external, standards);
  return problem === undefined ? undefined : { state: "broken", reason: "NotAllowed", message: problem };
}

function missingOf({ missing }: Made, name: PartName): readonly string[] {
  const kinds = missing.filter((wanted) => partOf(wanted) === name).map(({ resource }) => resource.kind);
  return [...new Set<Resource["kind"]>(kinds)].map((kind) => `the cluster has no ${kind}`);
}
