import { ZodError, z } from "zod";
import { type Application, wholeSpec } from "../../application/application.ts";
import type { ClusterFacts } from "../../application/cluster-facts.ts";
import { applicationObjects } from "../../application/desired-objects.ts";
import { sharedNameProblem } from "../../application/names.ts";
import { RefusedInput } from "../../application/refusal.ts";
import { isInCloud, type StoreKind, storeKinds } from "../../application/store-provider.ts";
import { storeConditionIn } from "../../application/store-rules.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { keyOf } from "../../cluster/reflector.ts";
import { resourceOf, resources } from "../../cluster/resource.ts";
import type { Standards } from "../../standards/standards.ts";
import type { ChildStore } from "./child-store.ts";
import type { CredentialsKeeper } from "./credentials.ts";
import type { HeldApplication } from "./held-application.ts";
import { kindOf } from "./kinds.ts";
import type { Held, Migrations } from "./migrations.ts";
import { type ObjectWriter, type Result, refOf } from "./object-writer.ts";
import type { Outcome, PartState } from "./part-state.ts";
import type { Provisioning } from "./provisioning.ts";
import type { HeldNamespace, HeldStandards } from "./surroundings.ts";
import { isAsWanted } from "./verdict.ts";
import { inOrder, ownerOf, type Wanted, wantedOf } from "./wanted.ts";

/** What an Application should consist of, as it was worked out last; the objects themselves are not kept. */
interface Plan {
  /** Everything it was worked out from, but for the credentials. */
  readonly from: string;
  /** Mark of the credentials. */
  readonly mark: string | undefined;
  readonly application: Application;
  readonly wanted: readonly Wanted[];
  /** Kinds of it that the cluster does not serve, by part. */
  readonly missing: readonly Pick<Wanted, "part" | "resource">[];
}

interface Obstacle {
  readonly result: Result;
  /** UID of the object that was there, as far as it was known. */
  readonly of: string | undefined;
  readonly until: number;
}

/** What is remembered of an Application between two looks. */
interface Memory {
  readonly plan: Plan;
  /** Everything was as planned when it was looked at last. */
  settled: boolean;
  /** What stood in the way of single objects, and until when they are not tried again unless what is there changes. */
  readonly obstacles: Map<string, Obstacle>;
}

interface Planned {
  /** When credentials are to be read again, in milliseconds. */
  readonly credentials: number | undefined;
  /** Data stores that only a run makes, and none has. */
  readonly unmade: readonly StoreKind[];
  readonly memory: Memory;
}

/** What was found and done. */
export type Brought =
  | {
      readonly kind: "unmade";
      readonly reason: string;
      readonly message: string;
      readonly againMs?: number | undefined;
    }
  | {
      readonly kind: "made";
      readonly application: Application;
      readonly standards: Standards;
      readonly outcomes: readonly Outcome[];
      readonly missing: readonly Pick<Wanted, "part" | "resource">[];
      /** Objects that somebody had changed or removed, and that are as they were again: `Service ledger`. */
      readonly repaired: readonly string[];
      /** Data stores that only a run makes, and none has, and how far that is. */
      readonly unmade: { readonly stores: readonly StoreKind[]; readonly state: PartState } | undefined;
      /** Why its rollout is held back; undefined where it is not. */
      readonly held: Held | undefined;
      readonly againMs: number | undefined;
    };

export interface ReconcilerOptions {
  readonly store: ChildStore;
  readonly writer: ObjectWriter;
  readonly credentials: CredentialsKeeper;
  readonly migrations: Migrations;
  readonly provisioning: Provisioning;
  readonly now: () => Date;
}

/** What was refused is tried again after so long, in milliseconds: a quota may have been raised since. */
const refusedAgainMs = 60_000;
/** … and where the object itself is wrong. */
const invalidAgainMs = 10 * 60_000;
/** What is in the way may be gone after so long, in milliseconds. */
const conflictAgainMs = 30_000;
/** Secrets are not watched: one that another operator is making is looked for after so long, in milliseconds. */
const comingAgainMs = 5_000;
/** What is being deleted tells when it is gone; if that was missed, in milliseconds. */
const waitingAgainMs = 10_000;

/** Brings the objects of one Application to what they should be. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #memories = new Map<string, Memory>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  forget(key: string): void {
    this.#memories.delete(key);
    this.#options.credentials.forget(key);
  }

  /** @throws ClusterError where trying again may help */
  async bring(
    key: string,
    held: HeldApplication,
    namespace: HeldNamespace | undefined,
    inForce: HeldStandards | undefined,
    signal: AbortSignal,
  ): Promise<Brought> {
    if (namespace === undefined) return notManaged(held);
    if (inForce === undefined) return standardsMissing;
    try {
      const planned = await this.#planned(key, held, namespace, inForce, signal);
      const again = this.#mayHaveOldCredentials(planned);
      if (again) this.#options.credentials.forget(key);
      const { credentials, memory, ...made } = again
        ? await this.#planned(key, held, namespace, inForce, signal)
        : planned;
      const unmade = this.#unproven(held, memory.plan.application, made.unmade);
      const provisioning =
        unmade.length === 0
          ? undefined
          : await this.#options.provisioning.of(held, namespace.team, inForce.hash, signal);
      const rollout =
        provisioning === undefined
          ? await this.#held(held, memory.plan, inForce.standards, signal)
          : untilMade(provisioning);
      const outcomes = await this.#bringAll(memory, inForce.standards, rollout, signal);
      await this.#prune(key, held, memory.plan, signal);
      const brought = this.#brought(memory, inForce.standards, outcomes, credentials, rollout);
      return provisioning === undefined
        ? brought
        : { ...brought, unmade: { stores: unmade, state: provisioning.state } };
    } catch (error) {
      if (error instanceof Unmade) {
        const { reason, message, againMs } = error;
        return { kind: "unmade", reason, message, againMs };
      }
      throw error;
    }
  }

  /** Data stores that only a run makes, and that none has, or not to its end. */
  #unproven(
    held: HeldApplication,
    { spec }: Application,
    unmade: readonly StoreKind[],
  ): readonly StoreKind[] {
    if (!this.#options.provisioning.isUnfinished(held)) return unmade;
    const isReady = (store: StoreKind) => storeConditionIn(held.status, store)?.status === "True";
    return storeKinds.filter(
      (store) => unmade.includes(store) || (isInCloud(spec, store) && !isReady(store)),
    );
  }

  /**
   * Whether its pods run with a mark that is not the one of the credentials as they were read some time ago: a run that
   * changes them writes it. They are read anew then, lest the pods roll back and forth.
   */
  #mayHaveOldCredentials({ memory: { plan }, unmade }: Planned): boolean {
    if (plan.mark === undefined || unmade.length > 0) return false;
    const deployments = plan.wanted.filter(({ resource }) => resource.kind === resources.deployments.kind);
    return deployments.some((wanted) => {
      const live = this.#options.store.get(wanted.resource, wanted.key);
      return live !== undefined && !isAsWanted(wanted, live);
    });
  }

  async #planned(
    key: string,
    held: HeldApplication,
    namespace: HeldNamespace,
    { standards, hash }: HeldStandards,
    signal: AbortSignal,
  ): Promise<Planned> {
    const { store, credentials } = this.#options;
    const known = this.#memories.get(key);
    const { uid, generation } = held;
    const from = `${uid} ${generation} ${hash} ${namespace.team} ${namespace.tier ?? ""} ${store.revision}`;
    const application =
      known?.plan.from === from ? known.plan.application : applicationOf(held, namespace.team);
    const found = await credentials.ensure(key, application, standards, signal);
    if (found.kind === "coming") {
      throw new Unmade(
        "SecretNotReady",
        `Secret ${found.name} is not there yet: ${found.why}`,
        comingAgainMs,
      );
    }
    if (found.kind === "unfit") throw new Unmade("SecretNotReady", found.message, comingAgainMs);
    if (found.kind === "conflict") {
      throw new Unmade(
        "Conflict",
        `Secret ${found.name} was not made for this service; it was left as it is`,
      );
    }
    const { unmade } = found;
    if (known?.plan.from === from && known.plan.mark === found.mark) {
      return { credentials: found.againMs, unmade, memory: known };
    }
    const plan = this.#plan(application, { from, mark: found.mark }, standards);
    const memory: Memory = { plan, settled: false, obstacles: new Map() };
    this.#memories.set(key, memory);
    return { credentials: found.againMs, unmade, memory };
  }

  #plan(application: Application, basis: Pick<Plan, "from" | "mark">, standards: Standards): Plan {
    const all = this.#objects(application, basis.mark, standards).map(({ part, object }) =>
      wantedOf(object, part, ownerOf(application, part)),
    );
    const isServed = ({ resource }: Wanted) => this.#options.store.serves(resource);
    return {
      ...basis,
      application,
      wanted: all.filter(isServed),
      missing: all.filter((wanted) => !isServed(wanted)),
    };
  }

  #objects(application: Application, mark: string | undefined, standards: Standards) {
    const facts: ClusterFacts = {
      credentials: mark,
      serviceMonitors: this.#options.store.serves(resources.serviceMonitors),
    };
    try {
      return inOrder(applicationObjects(application, standards, facts));
    } catch (error) {
      if (error instanceof RefusedInput) throw new Unmade("Invalid", error.message);
      throw error;
    }
  }

  /** What a migration that is not done holds back: the Deployment, which stays as it is. */
  #held(
    held: HeldApplication,
    { application, wanted }: Plan,
    standards: Standards,
    signal: AbortSignal,
  ): Promise<Held | undefined> {
    const { store, migrations } = this.#options;
    const live = (each: Wanted) => store.get(each.resource, each.key);
    const deployment = wanted.find(({ resource }) => resource.kind === resources.deployments.kind);
    const before = wanted.filter(({ part }) => ["namespace", "database", "cache"].includes(part));
    return migrations.hold(
      {
        application,
        standards,
        generation: held.generation,
        done: [held.migration, deployment && live(deployment)?.migration],
        grounded: before.every((each) => {
          const child = live(each);
          return isAsWanted(each, child) && child?.workload?.complete !== false;
        }),
      },
      signal,
    );
  }

  async #bringAll(
    memory: Memory,
    standards: Standards,
    rollout: Held | undefined,
    signal: AbortSignal,
  ): Promise<readonly Outcome[]> {
    const { plan } = memory;
    const isHeld = ({ resource }: Wanted) =>
      rollout !== undefined && resource.kind === resources.deployments.kind;
    let objects: ReadonlyMap<string, KubeObject> | undefined;
    const objectOf = (wanted: Wanted): KubeObject => {
      objects ??= new Map(
        this.#objects(plan.application, plan.mark, standards).map(({ object }) => [
          idOf({ resource: resourceOf(object), key: keyOf(object) }),
          object,
        ]),
      );
      const object = objects.get(idOf(wanted));
      if (object === undefined)
        throw new Error(`${idOf(wanted)} is not among the objects it was planned with`);
      return object;
    };
    const open = plan.wanted.filter((wanted) => !isHeld(wanted));
    const left = plan.wanted.filter(isHeld).flatMap((wanted): Outcome[] => {
      const child = this.#options.store.get(wanted.resource, wanted.key);
      return child === undefined ? [] : [{ wanted, result: { kind: "there", child, wrote: undefined } }];
    });
    const results = await Promise.allSettled(
      open.map((wanted) => this.#bringOne(memory, wanted, () => objectOf(wanted), signal)),
    );
    const brought = results.map((result, index): Outcome => {
      const wanted = open[index];
      if (result.status === "rejected") throw result.reason;
      if (wanted === undefined) throw new Error("a result without an object");
      return { wanted, result: result.value };
    });
    return [...brought, ...left];
  }

  async #bringOne(
    { obstacles }: Memory,
    wanted: Wanted,
    object: () => KubeObject,
    signal: AbortSignal,
  ): Promise<Result> {
    const { writer, store, now } = this.#options;
    const id = idOf(wanted);
    const before = obstacles.get(id);
    const live = store.get(wanted.resource, wanted.key);
    const isOld = before === undefined || before.until <= now().getTime() || before.of !== live?.uid;
    if (!isOld && !isAsWanted(wanted, live)) return before.result;
    const look = before?.result.kind === "conflict";
    const result = await writer.bring(wanted, object, { look, signal });
    const forMs = holdsFor(result);
    if (forMs === undefined) obstacles.delete(id);
    else obstacles.set(id, { result, of: live?.uid, until: now().getTime() + forMs });
    return result;
  }

  /** Removes what this Application controls and should not have any more: never data stores, which it does not control. */
  async #prune(key: string, { uid }: HeldApplication, plan: Plan, signal: AbortSignal): Promise<void> {
    const { writer, store } = this.#options;
    const wanted = new Set(plan.wanted.map(idOf));
    const surplus = store
      .of(key)
      .filter(({ child }) => child.controller === uid && !child.leaving)
      .filter((stored) => !wanted.has(idOf(stored)));
    await Promise.all(surplus.map((stored) => writer.remove(stored, signal)));
  }

  #brought(
    memory: Memory,
    standards: Standards,
    outcomes: readonly Outcome[],
    credentialsAgainMs: number | undefined,
    rollout: Held | undefined,
  ): Extract<Brought, { readonly kind: "made" }> {
    const now = this.#options.now().getTime();
    const written = outcomes.filter(({ result }) => result.kind === "there" && result.wrote !== undefined);
    const repaired = memory.settled
      ? written.map(({ wanted }) => `${wanted.resource.kind} ${refOf(wanted.key).name}`)
      : [];
    memory.settled = rollout === undefined && outcomes.every(({ result }) => result.kind === "there");
    const again = [
      ...[...memory.obstacles.values()].map(({ until }) => Math.max(0, until - now)),
      ...(credentialsAgainMs === undefined ? [] : [credentialsAgainMs]),
      ...(rollout === undefined ? [] : [rollout.againMs]),
      ...(outcomes.some(({ result }) => result.kind === "waiting") ? [waitingAgainMs] : []),
    ];
    return {
      kind: "made",
      application: memory.plan.application,
      standards,
      outcomes,
      missing: memory.plan.missing,
      repaired,
      unmade: undefined,
      held: rollout,
      againMs: again.length === 0 ? undefined : Math.min(...again),
    };
  }
}

/** What is rolled out needs its data stores: it waits for them, and what is there already stays as it is. */
function untilMade({ state, againMs }: Held): Held {
  const message = "message" in state ? state.message : "";
  return { state: { state: "progressing", reason: "WaitingForDataStores", message }, againMs };
}

/** Nothing can be made of an Application as it is. */
class Unmade extends Error {
  readonly reason: string;
  /** In milliseconds, where nothing tells when that has changed. */
  readonly againMs: number | undefined;

  constructor(reason: string, message: string, againMs?: number) {
    super(message);
    this.reason = reason;
    this.againMs = againMs;
  }
}

function notManaged({ namespace }: HeldApplication): Brought {
  return {
    kind: "unmade",
    reason: "NamespaceNotManaged",
    message: `namespace ${namespace} is not managed by the platform: an admin can run platform namespace manage ${namespace}`,
  };
}

const standardsMissing: Brought = {
  kind: "unmade",
  reason: "StandardsMissing",
  message: "the cluster has no valid standards: an admin can run platform install",
};

/** @throws Unmade */
function applicationOf(held: HeldApplication, team: string): Application {
  const { name, namespace, uid } = held;
  const problem = sharedNameProblem(name, namespace);
  if (problem !== undefined) throw new Unmade("NameNotAllowed", problem);
  const spec = specOf(held.spec, team);
  if (spec.team !== team) {
    throw new Unmade("TeamMismatch", `namespace ${namespace} is that of team ${team}, not of ${spec.team}`);
  }
  return {
    apiVersion: "platform.company.com/v1",
    kind: "Application",
    metadata: { name, namespace, uid },
    spec,
  };
}

function specOf(spec: unknown, team: string): Application["spec"] {
  try {
    return wholeSpec(spec, team);
  } catch (error) {
    if (error instanceof ZodError) throw new Unmade("Invalid", z.prettifyError(error));
    throw error;
  }
}

/** Identifies a planned or stored object. */
function idOf({ resource, key }: Pick<Wanted, "resource" | "key">): string {
  return `${kindOf(resource)} ${key}`;
}

/** How long a result stands in the way of trying again, in milliseconds; undefined where it does not. */
function holdsFor(result: Result): number | undefined {
  switch (result.kind) {
    case "there":
    case "waiting":
      return undefined;
    case "conflict":
      return conflictAgainMs;
    case "refused":
      return result.lasting ? invalidAgainMs : refusedAgainMs;
  }
}
