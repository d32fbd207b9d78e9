import { labels } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resourceOf, resources } from "../../cluster/resource.ts";
import type { CodeHost } from "../../delivery/code-host.ts";
import type { WorkspaceEffect } from "../data-stores/cloud-store.ts";
import type { CloudStores } from "../data-stores/cloud-stores.ts";
import { knownStore } from "../data-stores/known-store.ts";
import { dataStoreNames, deleteClaims, foreignObjects } from "../objects/namespace-contents.ts";
import {
  belongsTo,
  type ObjectEffect,
  observeEffect,
  propagationOf,
  waitUntilGone,
} from "../objects/objects.ts";
import { isProtected } from "../objects/protection.ts";
import type { StepId } from "../plan.ts";
import { type Effect, effectKey } from "../runs/effect.ts";
import type { RunEvent } from "../runs/event.ts";
import type { Journal } from "../runs/journal.ts";
import type { RunState } from "../runs/run.ts";
import { readRuns } from "../runs/run-record.ts";
import { inPlay } from "../runs/run-reducer.ts";
import { isSameService, serviceOfRun } from "../runs/service-of-run.ts";
import { type RestoreContext, restoreAll } from "./restore.ts";
import { type Disposal, planRollback, type RollbackFacts } from "./rollback.ts";
import { isUntaken, withUntakenSecret } from "./untaken-secret.ts";

type Released = Extract<RunEvent, { readonly type: "EffectsReleased" }>["results"];

export interface CompensationContext extends RestoreContext {
  readonly codeHost: CodeHost;
  readonly cloud: CloudStores;
  readonly journal: Pick<Journal, "append" | "state">;
}

/**
 * Looks at what a run's effects are now. `only` limits the look to what one step's compensation has to know. An object
 * that whoever looks may not read fails the look: nobody deletes what they have not seen. With `onUnreadable`, for a
 * preview, it is told instead, and taken to be as it was recorded; likewise, with `onUnlisted`, kinds that may not be listed.
 */
export async function observeRun(
  { cluster, codeHost }: Pick<CompensationContext, "cluster" | "codeHost">,
  state: RunState,
  only?: StepId,
  {
    onUnreadable,
    onUnlisted,
  }: {
    readonly onUnreadable?: (effect: ObjectEffect) => void;
    readonly onUnlisted?: (plural: string) => void;
  } = {},
): Promise<RollbackFacts> {
  const steps = state.steps.filter(
    ({ id }) =>
      only === undefined ||
      id === only ||
      id === "provision_database" ||
      id === "provision_cache" ||
      id === "clone_database" ||
      id === "create_namespace",
  );
  const effects = steps.flatMap((step) => step.effects.filter(inPlay).map(({ effect }) => effect));
  // Only who has something in a repository looks at it: another step may be removing it just now.
  const touched = only === undefined ? state.steps : state.steps.filter(({ id }) => id === only);
  const urls = new Set(
    touched.flatMap((step) =>
      step.effects
        .filter(inPlay)
        .flatMap(({ effect }) =>
          effect.kind === "repository" || effect.kind === "commit" ? [effect.url] : [],
        ),
    ),
  );
  const makesNamespace = effects.some((effect) => effect.kind === "object" && effect.type === "Namespace");
  const [objects, repositories, foreign, usedByOthers] = await Promise.all([
    observeObjects(
      cluster,
      state,
      effects.filter((effect) => effect.kind === "object"),
      onUnreadable,
    ),
    observeRepositories(codeHost, [...urls]),
    makesNamespace && (only === undefined || only === "create_namespace")
      ? foreignTo(cluster, state, onUnlisted)
      : Promise.resolve([]),
    usedByLaterRuns(cluster, state),
  ]);
  return { objects, repositories, foreign, usedByOthers };
}

async function observeObjects(
  cluster: Cluster,
  state: RunState,
  effects: readonly ObjectEffect[],
  onUnreadable: ((effect: ObjectEffect) => void) | undefined,
): Promise<RollbackFacts["objects"]> {
  const found = await Promise.all(
    effects.map(async (effect) => ({
      effect,
      object: await observeEffect(cluster, effect).catch((error: unknown) => {
        if (onUnreadable === undefined || !isClusterError(error, "forbidden")) throw error;
        onUnreadable(effect);
        return asRecorded(effect, state);
      }),
    })),
  );
  return new Map(
    found.flatMap(({ effect, object }) =>
      object === undefined
        ? []
        : [
            [
              effectKey(effect),
              {
                uid: object.metadata.uid ?? "",
                ...ownershipOf(object, state),
                protected: isProtected(object.metadata),
              },
            ] as const,
          ],
    ),
  );
}

function ownershipOf(object: KubeObject, state: RunState) {
  // Made for this run, which was stopped before it took it over.
  if (isUntaken(object, state)) return { madeBy: state.name, foreign: false };
  return { madeBy: object.metadata.labels?.[labels.run], foreign: !belongsTo(object, state.service) };
}

/** An object as the journal has it. */
function asRecorded(effect: ObjectEffect, state: RunState): KubeObject {
  const { apiVersion, type: kind, name, namespace } = effect;
  const recorded = state.steps
    .flatMap((step) => step.effects)
    .find((each) => effectKey(each.effect) === effectKey(effect));
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(recorded?.uid === undefined ? {} : { uid: recorded.uid }),
      labels: {
        [labels.managed]: "true",
        [labels.service]: state.service,
        ...(recorded?.before === undefined ? { [labels.run]: state.name } : {}),
      },
    },
  };
}

async function observeRepositories(
  codeHost: CodeHost,
  urls: readonly string[],
): Promise<RollbackFacts["repositories"]> {
  const found = await Promise.all(
    urls.map(async (url) =>
      (await codeHost.exists(url))
        ? [[url, { foreignCommits: await codeHost.foreignCommits(url) }] as const]
        : [],
    ),
  );
  return new Map(found.flat());
}

function foreignTo(
  cluster: Cluster,
  state: RunState,
  onUnlisted: ((plural: string) => void) | undefined,
): Promise<readonly string[]> {
  const effects = new Set(
    state.steps.flatMap((step) =>
      step.effects
        .filter(
          ({ state: recorded, effect }) =>
            recorded === "created" ||
            recorded === "unknown" ||
            // What another operator has made for one goes by its name, also once that is deleted.
            (effect.kind === "object" && effect.type === resources.externalSecrets.kind),
        )
        .map(({ effect }) => effectKey(effect)),
    ),
  );
  const statefulSets = dataStoreNames(state.service);
  return foreignObjects(
    cluster,
    serviceOfRun(state).namespace,
    { effects, run: state.name, service: state.service, statefulSets },
    onUnlisted,
  );
}

async function usedByLaterRuns(cluster: Cluster, state: RunState): Promise<boolean> {
  const { items } = await cluster.list(resources.runs, {
    namespace: "platform-system",
    labelSelector: `${labels.service}=${state.service}`,
  });
  return readRuns(items)
    .map((record) => record.state)
    .filter((other) => other.name !== state.name && isSameService(other, state))
    .some((other) => other.reachedReady && (other.startedAt ?? "") > (state.startedAt ?? ""));
}

/**
 * Undoes what one step made, in this process or another: all it needs is the journal. Deletes carry the UID, so
 * that another object of the same name is never hit. Each effect's release is journaled.
 * @throws ClusterError, StepError, DeliveryError: what was released until then is journaled all the same
 */
export async function compensateStep(context: CompensationContext, step: StepId): Promise<void> {
  const { journal, clock } = context;
  const state = journal.state;
  const choice = state.rollback?.dataStores ?? "keep-used";
  const facts = await observeRun(context, state, step);
  const plan = planRollback(state, facts, choice);
  const mine = plan.filter((disposal) => disposal.step === step);
  const released: Released[number][] = [];
  let failure: { readonly error: unknown } | undefined;
  const attempt = async (work: () => Promise<Released>) => {
    try {
      released.push(...(await work()));
    } catch (error) {
      failure ??= { error };
    }
  };

  const restored = await restoreAll(
    context,
    mine.flatMap(({ action, effect, before }) =>
      action === "restore" && before !== undefined ? [{ effect, before }] : [],
    ),
  );
  released.push(...restored.released);
  failure ??= restored.failure;

  // What says where a data store is, and its password, stay until it is gone.
  const doomed = mine.filter(({ action }) => action === "delete");
  for (const { effect, reason } of doomed) {
    if (effect.kind !== "workspace") continue;
    await attempt(() => removeWorkspace(context, effect, facts, reason));
  }
  // The namespace last, unless it takes the rest of its step with it.
  const deletions =
    failure === undefined || !doomed.some(({ effect }) => effect.kind === "workspace")
      ? doomed.filter(({ effect }) => effect.kind !== "workspace")
      : [];
  const isNamespace = ({ effect }: Disposal) => effect.kind === "object" && effect.type === "Namespace";
  await Promise.all(
    deletions
      .filter((disposal) => !isNamespace(disposal))
      .map((disposal) =>
        attempt(() =>
          disposal.effect.kind === "object"
            ? withUntakenSecret(context, disposal.effect, state.service, () =>
                dispose(context, disposal, plan),
              )
            : dispose(context, disposal, plan),
        ),
      ),
  );
  if (failure === undefined) {
    for (const disposal of deletions.filter(isNamespace))
      await attempt(() => dispose(context, disposal, plan));
  }
  for (const { effect, action, reason } of mine) {
    if (action === "gone" && effect.kind === "repository") {
      await attempt(() => finishRemoval(context, effect, reason, commitsIn(plan, effect.url)));
      continue;
    }
    if (action === "keep") released.push({ effect, outcome: "kept", reason });
    if (action === "gone" || action === "lost") released.push({ effect, outcome: "gone", reason });
    // A commit goes with its repository, and is reported when that is gone.
    if (action === "with" && effect.kind === "object" && failure === undefined) {
      released.push({ effect, outcome: "deleted", reason });
    }
  }
  released.push(...gone(state, released, step));
  if (released.length > 0) {
    await journal.append({ type: "EffectsReleased", at: clock.now().toISOString(), step, results: released });
  }
  if (failure !== undefined) throw failure.error;
}

/** Commits in a repository, whichever step made them: they go when it goes, also where nobody recorded that it went. */
function commitsIn(plan: readonly Disposal[], url: string): readonly Effect[] {
  return plan.flatMap(({ effect }) => (effect.kind === "commit" && effect.url === url ? [effect] : []));
}

/** A process that was killed at making or removing a repository may have left it aside, where nobody sees it. */
async function finishRemoval(
  { codeHost, journal, signal }: CompensationContext,
  effect: Extract<Effect, { readonly kind: "repository" }>,
  reason: string,
  commits: readonly Effect[],
): Promise<Released> {
  await codeHost.remove(effect.url, journal.state.name, signal);
  return (await codeHost.exists(effect.url, signal))
    ? [{ effect, outcome: "kept", reason: "holds commits that are not ours" }]
    : [effect, ...commits].map((part) => ({ effect: part, outcome: "gone", reason }));
}

/** What other steps could not undo has gone with the namespace all the same. */
function gone(state: RunState, released: Released, step: StepId): Released {
  const namespace = released.find(
    ({ effect, outcome }) => effect.kind === "object" && effect.type === "Namespace" && outcome === "deleted",
  );
  if (namespace?.effect.kind !== "object") return [];
  const { name } = namespace.effect;
  return state.steps
    .filter(({ id }) => id !== step)
    .flatMap(({ effects }) => effects.filter((effect) => inPlay(effect) || effect.state === "kept"))
    .filter(({ effect }) => effect.kind === "object" && effect.namespace === name)
    .map(({ effect }) => ({ effect, outcome: "deleted", reason: "went with its namespace" }));
}

/** Removes a data store outside of the cluster, and all that is in it. */
async function removeWorkspace(
  { cluster, cloud, signal, log, journal }: CompensationContext,
  effect: WorkspaceEffect,
  { usedByOthers }: RollbackFacts,
  reason: string,
): Promise<Released> {
  const { name: run, reachedReady } = journal.state;
  const why = reachedReady || usedByOthers ? "confirmed-by-person" : "unused";
  await cloud.remove(await knownStore(cluster, effect), why, { run, signal, log });
  return [{ effect, outcome: "deleted", reason }];
}

async function dispose(
  { cluster, codeHost, clock, signal, log, journal }: CompensationContext,
  { effect, uid, reason }: Disposal,
  plan: readonly Disposal[],
): Promise<Released> {
  if (effect.kind === "commit" || effect.kind === "workspace") return [];
  if (effect.kind === "repository") {
    const removed = await codeHost.remove(effect.url, journal.state.name, signal);
    const outcome = removed ? "deleted" : "kept";
    const why = removed ? reason : "it was not made by this run, or holds commits that are not ours";
    return [effect, ...commitsIn(plan, effect.url)].map((part) => ({
      effect: part,
      outcome,
      reason: why,
    }));
  }
  const ref = {
    name: effect.name,
    ...(effect.namespace === undefined ? {} : { namespace: effect.namespace }),
  };
  try {
    await cluster.delete(resourceOf({ apiVersion: effect.apiVersion, kind: effect.type }), ref, {
      propagation: propagationOf(effect.type),
      ...(uid === undefined ? {} : { uid }),
    });
  } catch (error) {
    if (isClusterError(error, "not-found")) return [{ effect, outcome: "gone", reason: "" }];
    if (isClusterError(error, "conflict")) {
      return [{ effect, outcome: "kept", reason: "replaced by another object meanwhile" }];
    }
    throw error;
  }
  await waitUntilGone(cluster, clock, effect, uid, { signal, onProgress: log });
  log(`${effect.type} ${effect.name} deleted`);
  if (effect.type !== "StatefulSet" || effect.namespace === undefined) {
    return [{ effect, outcome: "deleted", reason }];
  }
  const claims = await deleteClaims(cluster, clock, effect.namespace, effect.name, signal);
  return [effect, ...claims].map((gone) => ({ effect: gone, outcome: "deleted", reason }));
}
