import { resourceOf, resources } from "../../cluster/resource.ts";
import type { Standards } from "../../standards/standards.ts";
import { StepError } from "../errors.ts";
import { observeEffect, refOf, waitUntilGone } from "../objects/objects.ts";
import {
  guardsAgainst,
  isProtected,
  lifting,
  protectedObjects,
  protecting,
  readDataStores,
} from "../objects/protection.ts";
import { canSnapshot, dropSnapshots, takeSnapshots } from "../objects/snapshot.ts";
import type { StepId } from "../plan.ts";
import { type Effect, effectKey } from "../runs/effect.ts";
import type { RunEvent } from "../runs/event.ts";
import { inPlay } from "../runs/run-reducer.ts";
import { serviceOfRun } from "../runs/service-of-run.ts";
import type { EffectWriter } from "../step.ts";
import { snapshotNeeded } from "../steps/snapshot_data_stores.ts";
import { type CompensationContext, observeRun } from "./compensate.ts";
import { dataStoresThatGo } from "./rollback.ts";

type Released = Extract<RunEvent, { readonly type: "EffectsReleased" }>["results"][number];

export interface ProtectionCompensation extends CompensationContext {
  readonly standards: Standards;
  readonly write: EffectWriter;
}

/**
 * Undoes what a step did to the protection of data stores. A lifted protection is put back while the data is there;
 * one that this run gave is lifted, after a last snapshot, only where the data goes with the run, which whoever
 * asked for the rollback has confirmed.
 * @throws ClusterError, StepError
 */
export async function compensateProtection(context: ProtectionCompensation, step: StepId): Promise<void> {
  const { journal, clock } = context;
  const results =
    step === "protect_data_stores"
      ? await takeBack(context)
      : step === "lift_protection"
        ? await putBack(context)
        : await dropped(context);
  const known = new Set(results.map(({ effect }) => effectKey(effect)));
  // What is not there any more has nothing to be undone.
  const rest = effectsOf(context, step)
    .filter((effect) => !known.has(effectKey(effect)))
    .map((effect): Released => ({ effect, outcome: "gone", reason: "" }));
  await journal.append({
    type: "EffectsReleased",
    at: clock.now().toISOString(),
    step,
    results: [...results, ...rest],
  });
}

function effectsOf({ journal }: ProtectionCompensation, id: StepId): readonly Effect[] {
  const step = journal.state.steps.find((candidate) => candidate.id === id);
  return (step?.effects ?? []).filter(inPlay).map(({ effect }) => effect);
}

async function putBack(context: ProtectionCompensation): Promise<readonly Released[]> {
  // What was kept is no effect to be undone by itself.
  const snapshots = await dropped(context);
  const { cluster, write } = context;
  const effects = effectsOf(context, "lift_protection").filter((effect) => effect.kind === "object");
  const found = await Promise.all(
    effects.map(async (effect) => ({ effect, object: await observeEffect(cluster, effect) })),
  );
  const there = found.flatMap(({ effect, object }) => (object === undefined ? [] : [{ effect, object }]));
  await write.patchObjects(
    there.map(({ object }) => object),
    protecting,
  );
  const restored = there.map(
    ({ effect }): Released => ({ effect, outcome: "restored", reason: "protected against deletion again" }),
  );
  return [...snapshots, ...restored];
}

/** Nothing is destroyed after all: what was asked for of snapshots, and what was kept of them, goes. */
async function dropped(context: ProtectionCompensation): Promise<readonly Released[]> {
  const { cluster, clock, journal, signal } = context;
  const asked = effectsOf(context, "snapshot_data_stores").filter((effect) => effect.kind === "object");
  const deleted = await Promise.all(
    asked.map(async (effect) => {
      const object = await observeEffect(cluster, effect);
      const { uid } = object?.metadata ?? {};
      if (object === undefined || uid === undefined) return [];
      await cluster.delete(resourceOf(object), refOf(object), { uid });
      await waitUntilGone(cluster, clock, effect, uid, { signal });
      return [effect];
    }),
  );
  const contents = await dropSnapshots(cluster, journal.state.name);
  const known = new Set(contents.map(effectKey));
  const recorded = journal.state.steps
    .flatMap(({ effects }) => effects)
    .filter(({ state, effect }) => state === "kept" && isContent(effect) && !known.has(effectKey(effect)));
  // An earlier try dropped them, and did not record that.
  const gone = await Promise.all(
    recorded.map(async ({ effect }) =>
      effect.kind === "object" && (await observeEffect(cluster, effect)) === undefined ? [effect] : [],
    ),
  );
  return [...deleted.flat(), ...contents, ...gone.flat()].map((effect) => ({
    effect,
    outcome: "deleted",
    reason: "nothing is destroyed, so no last snapshot is kept",
  }));
}

function isContent(effect: Effect): boolean {
  return effect.kind === "object" && effect.type === resources.volumeSnapshotContents.kind;
}

async function takeBack(context: ProtectionCompensation): Promise<readonly Released[]> {
  const { cluster, journal, write, standards, log } = context;
  const { state } = journal;
  const choice = state.rollback?.dataStores ?? "keep-used";
  const going = dataStoresThatGo(state, await observeRun(context, state, "protect_data_stores"), choice);
  const doomed = (await readDataStores(cluster, serviceOfRun(state), going)).filter((store) =>
    protectedObjects(store).some(({ metadata }) => isProtected(metadata)),
  );
  if (doomed.length > 0) {
    if (state.rollback?.confirmed !== state.service) {
      throw new StepError(
        "refused",
        `${doomed.map(({ name }) => name).join(" and ")} of ${state.service} is protected against deletion, and nobody has named the service for it`,
        `platform run rollback ${state.name} --data-stores delete --confirm ${state.service}`,
      );
    }
    const claims = doomed.flatMap((store) => store.claims);
    const ability = await canSnapshot(cluster, claims);
    const wanted = standards.dataStores.snapshot;
    if (wanted === "required" && !ability.possible) throw snapshotNeeded(ability.reason);
    const guards = doomed
      .flatMap(protectedObjects)
      .filter(({ metadata }) => guardsAgainst(state.name, metadata));
    await write.patchObjects(guards, lifting(state.name));
    const used = claims.filter(({ metadata }) => isProtected(metadata));
    if (wanted !== "never" && ability.possible) {
      await takeSnapshots({ ...context, run: state.name }, used, ability.classOf);
    } else if (wanted !== "never" && !ability.possible) {
      log(`no last snapshot is taken: ${ability.reason}`);
    }
  }
  const goes = new Set(doomed.flatMap(protectedObjects).map(({ metadata }) => metadata.name));
  return effectsOf(context, "protect_data_stores").flatMap((effect): readonly Released[] => {
    if (effect.kind !== "object") return [];
    return goes.has(effect.name)
      ? [{ effect, outcome: "restored", reason: "its protection is lifted" }]
      : [{ effect, outcome: "kept", reason: "protected against deletion" }];
  });
}
