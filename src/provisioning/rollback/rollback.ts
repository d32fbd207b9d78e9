import type { KubeObject } from "../../cluster/object.ts";
import { isWorkspace, type WorkspaceEffect } from "../data-stores/cloud-store.ts";
import { isInstallation, type StepId } from "../plan.ts";
import type { DataStoreChoice } from "../provisioner.ts";
import { type Effect, effectKey, effectLabel } from "../runs/effect.ts";
import type { EffectState, PreviewLine, RollbackPreview, RunState, StepState } from "../runs/run.ts";
import { inPlay } from "../runs/run-reducer.ts";
import { serviceOfRun } from "../runs/service-of-run.ts";

/** What is outside now, as far as a rollback has to know it. */
export interface RollbackFacts {
  /** By effect key; an object that is not in the map is not there. */
  readonly objects: ReadonlyMap<
    string,
    {
      readonly uid: string;
      readonly madeBy: string | undefined;
      /** Whether it is not this service's at all. */
      readonly foreign: boolean;
      /** Whether it is protected against deletion. */
      readonly protected?: boolean;
    }
  >;
  /** By URL; a repository that is not in the map is not there. */
  readonly repositories: ReadonlyMap<string, { readonly foreignCommits: number }>;
  /** What the service's namespace holds beyond this run's effects, their dependents and Kubernetes' own. */
  readonly foreign: readonly string[];
  /** Whether another run brought the service to ready on the data stores this run made. */
  readonly usedByOthers: boolean;
}

/** What a rollback does with one effect. */
export interface Disposal {
  readonly step: StepId;
  readonly effect: Effect;
  /** `with`: goes when the namespace or repository it is in goes; `restore`: is written back as it was. */
  readonly action: "delete" | "with" | "restore" | "keep" | "gone" | "lost";
  readonly uid?: string;
  /** What to write back. */
  readonly before?: KubeObject;
  /** Why. */
  readonly reason: string;
}

/** Steps that make data stores, and what each makes, for a person. */
const dataStoreSteps: ReadonlyMap<StepId, string> = new Map([
  ["provision_database", "database"],
  ["provision_cache", "cache"],
  ["clone_database", "new instance of"],
]);

/** Steps that write backups: no rollback takes those away. */
const backupSteps: ReadonlySet<StepId> = new Set(["backup_database", "delete_old_database"]);

/** Steps that change only the protection of data stores; they have a compensation of their own (`compensate-protection.ts`). */
const protectionSteps: ReadonlySet<StepId> = new Set([
  "protect_data_stores",
  "lift_protection",
  "snapshot_data_stores",
]);

/** Whether a step changes nothing but the protection of data stores. */
export function isProtectionStep(id: StepId): boolean {
  return protectionSteps.has(id);
}

/** Names of the data stores that go with a rollback. Pure. */
export function dataStoresThatGo(
  state: RunState,
  facts: RollbackFacts,
  choice: DataStoreChoice,
): readonly string[] {
  return planRollback(state, facts, choice).flatMap(({ step, effect, action }) =>
    dataStoreSteps.has(step) && (action === "delete" || action === "with")
      ? isWorkspace(effect)
        ? [effect.store]
        : effect.kind === "object" && effect.type === "StatefulSet"
          ? [effect.name]
          : []
      : [],
  );
}

/** Kinds that guard a namespace, whatever is in it. */
export const guardrailKinds: ReadonlySet<string> = new Set([
  "NetworkPolicy",
  "LimitRange",
  "ResourceQuota",
  "Guardrails",
]);

function isNamespace(effect: Effect): effect is Extract<Effect, { readonly kind: "object" }> {
  return effect.kind === "object" && effect.type === "Namespace";
}

/** Whether an object guards whatever is in the namespace: it stays as long as that does. */
function isGuardrail(effect: Effect): boolean {
  return effect.kind === "object" && guardrailKinds.has(effect.type);
}

/** Whether an effect exists and was made by this run; what else a rollback could delete is nothing. */
function madeHere(
  state: RunState,
  { effect, state: recorded, uid }: EffectState,
  facts: RollbackFacts,
): boolean {
  if (effect.kind === "workspace") return isOfThisRun(state, effect);
  if (effect.kind !== "object") return recorded === "created" || recorded === "unknown";
  const found = facts.objects.get(effectKey(effect));
  if (found === undefined) return false;
  if (recorded === "created") return uid === undefined || found.uid === uid || found.madeBy === state.name;
  return recorded === "unknown" && found.madeBy === state.name;
}

/** Whether this run made what says where the data store is: then it made the data store, or began to. */
function isOfThisRun({ steps }: RunState, { store }: WorkspaceEffect): boolean {
  return steps
    .filter(({ id }) => dataStoreSteps.has(id))
    .flatMap(({ effects }) => effects)
    .some(
      ({ effect, state: recorded }) =>
        effect.kind === "object" &&
        effect.type === "ConfigMap" &&
        effect.name === store &&
        (recorded === "created" || recorded === "rolled-back" || recorded === "gone"),
    );
}

/** Why the data stores this run made are kept, or undefined where they go with it. */
function whyDataStoresStay(
  state: RunState,
  facts: RollbackFacts,
  choice: DataStoreChoice,
): string | undefined {
  const kept = state.steps
    .filter((step) => dataStoreSteps.has(step.id))
    .flatMap((step) => step.effects)
    .find((effect) => effect.state === "kept" && effect.effect.kind === "object");
  if (kept !== undefined) return kept.reason ?? "kept";
  if (choice === "delete") return undefined;
  const made = state.steps
    .filter((step) => dataStoreSteps.has(step.id))
    .flatMap((step) => step.effects)
    .some((effect) => inPlay(effect) && madeHere(state, effect, facts));
  if (!made) return undefined;
  if (choice === "keep") return "you chose to keep data stores";
  if (state.reachedReady) return "made by this run, and the service has run on it";
  return facts.usedByOthers ? "made by this run, and a later run has used it" : undefined;
}

/**
 * What becomes of each effect of a run, by what the journal says and what is there now. Pure. Only what this run
 * made is deleted (its UID, or its run label where no result was recorded).
 */
export function planRollback(
  whole: RunState,
  facts: RollbackFacts,
  choice: DataStoreChoice,
): readonly Disposal[] {
  const state = { ...whole, steps: whole.steps.filter(({ id }) => !isProtectionStep(id)) };
  const keepData = whyDataStoresStay(state, facts, choice);
  const namespace = state.steps
    .flatMap((step) => step.effects)
    .find((effect) => isNamespace(effect.effect) && inPlay(effect) && madeHere(state, effect, facts));
  // What an earlier compensation kept lives on in the namespace.
  const inTheWay = [
    ...new Set([
      ...facts.foreign,
      ...keptObjects(state),
      ...strangers(state, facts),
      ...workspacesThatStay(state),
    ]),
  ];
  const wholeNamespace = namespace !== undefined && keepData === undefined && inTheWay.length === 0;

  function disposal(step: StepState, recorded: EffectState): Omit<Disposal, "step"> {
    const { effect, before } = recorded;
    if (before !== undefined) {
      const taken = effect.kind === "object" && facts.objects.get(effectKey(effect))?.foreign === true;
      return taken
        ? { effect, action: "keep", reason: "another object has taken its name" }
        : { effect, action: "restore", before, reason: "as it was before this run" };
    }
    if (step.id === "switch_credentials" && effect.kind === "object" && effect.type === "Secret") {
      return { effect, action: "restore", reason: "it gets the login back that it had before this run" };
    }
    if (step.id === "roll_pods" && effect.kind === "object" && effect.type === "Secret") {
      return { effect, action: "restore", reason: "it gets the mark back that it had before this run" };
    }
    if (step.id === "switch_instance" && effect.kind === "object") {
      return { effect, action: "restore", reason: "it says again what it said before this run" };
    }
    if (backupSteps.has(step.id) && effect.kind === "object" && effect.type === "PersistentVolumeClaim") {
      return { effect, action: "keep", reason: "holds backups" };
    }
    if (isLost(step, recorded, facts)) {
      return { effect, action: "lost", reason: "deleted by this run: it cannot be brought back" };
    }
    if (effect.kind === "object") {
      const found = facts.objects.get(effectKey(effect));
      if (found === undefined) return { effect, action: "gone", reason: "" };
      const { uid } = found;
      if (recorded.state === "changed" || recorded.state === "unchanged") {
        return { effect, action: "keep", reason: "existed before this run" };
      }
      if (!madeHere(state, recorded, facts)) {
        return { effect, action: "keep", reason: "not made by this run" };
      }
      // What this step was about to forget, the steps before it need to go back.
      if (step.id === "revoke_credentials" && effect.type === "Secret") {
        return { effect, action: "keep", reason: "until the login that was before is back" };
      }
      if (keepData !== undefined && dataStoreSteps.has(step.id)) {
        return { effect, action: "keep", reason: keepData };
      }
      if (keepData !== undefined && step.id === "create_namespace") {
        return { effect, action: "keep", reason: "holds data stores that are kept" };
      }
      if (isNamespace(effect) && inTheWay.length > 0) {
        return { effect, action: "keep", reason: `holds what this run does not delete: ${some(inTheWay)}` };
      }
      if (namespace !== undefined && inTheWay.length > 0 && isGuardrail(effect)) {
        return { effect, action: "keep", reason: "guards the namespace, which stays" };
      }
      const inside = wholeNamespace && step.id === "create_namespace" && !isNamespace(effect);
      return { effect, action: inside ? "with" : "delete", uid, reason: "made by this run" };
    }
    if (effect.kind === "workspace") {
      if (!madeHere(state, recorded, facts)) {
        return { effect, action: "keep", reason: "existed before this run" };
      }
      return keepData === undefined
        ? { effect, action: "delete", reason: "made by this run" }
        : { effect, action: "keep", reason: keepData };
    }
    const repository = facts.repositories.get(effect.url);
    if (repository === undefined) return { effect, action: "gone", reason: "" };
    const maker = state.steps
      .flatMap((other) => other.effects)
      .find((other) => other.effect.kind === "repository" && other.effect.url === effect.url);
    const ours = maker?.state === "created" || maker?.state === "unknown";
    const removed = ours && repository.foreignCommits === 0;
    if (effect.kind === "commit") {
      return removed
        ? { effect, action: "with", reason: "goes with its repository" }
        : { effect, action: "keep", reason: "history is never rewritten" };
    }
    if (removed) return { effect, action: "delete", reason: "made by this run, never used" };
    return {
      effect,
      action: "keep",
      reason: ours
        ? `holds ${repository.foreignCommits} commit${repository.foreignCommits === 1 ? "" : "s"} that are not ours`
        : "existed before this run",
    };
  }

  return state.steps.flatMap((step) =>
    step.effects.filter(inPlay).map((effect) => ({ step: step.id, ...disposal(step, effect) })),
  );
}

/** Whether this run has deleted something of which nothing was recorded: a Secret, a volume. */
function isLost(step: StepState, { effect, state: recorded }: EffectState, facts: RollbackFacts): boolean {
  if (recorded === "deleted") return true;
  // Its removal was begun: how far it came, nobody can tell.
  if (effect.kind === "workspace") return step.id.startsWith("delete_") && recorded === "unknown";
  const deletes =
    step.id === "remove_unused" || step.id === "revoke_credentials" || step.id.startsWith("delete_");
  return recorded === "unknown" && deletes && !facts.objects.has(effectKey(effect));
}

/**
 * Whether all that a run has done can be taken back: not where it has deleted what nothing was recorded of. Pure.
 */
export function isReversible(state: Pick<RunState, "steps">): boolean {
  return state.steps.every((step) =>
    step.effects.every(({ state: recorded, before }) => recorded !== "deleted" || before !== undefined),
  );
}

/** Objects in the namespace that stand in the place of this run's, made by somebody else. */
function strangers(state: RunState, facts: RollbackFacts): readonly string[] {
  return state.steps
    .flatMap((step) => step.effects)
    .filter(
      (recorded) =>
        inPlay(recorded) &&
        recorded.state !== "deleted" &&
        recorded.before === undefined &&
        recorded.effect.kind === "object" &&
        recorded.effect.namespace !== undefined &&
        facts.objects.has(effectKey(recorded.effect)) &&
        !madeHere(state, recorded, facts),
    )
    .map(({ effect }) => effectLabel(effect));
}

/** Data stores outside of the cluster that could not be removed: what says where they are is in the namespace. */
function workspacesThatStay({ steps }: RunState): readonly string[] {
  return steps
    .filter(({ phase }) => phase === "CompensationFailed")
    .flatMap(({ effects }) => effects.filter(inPlay))
    .flatMap(({ effect }) => (effect.kind === "workspace" ? [effectLabel(effect)] : []));
}

function keptObjects(state: RunState): readonly string[] {
  return state.steps
    .flatMap((step) => step.effects.filter(({ effect }) => !isGuardrail(effect)))
    .filter(
      ({ state: recorded, effect }) =>
        recorded === "kept" && effect.kind === "object" && !isNamespace(effect),
    )
    .map(({ effect }) => effectLabel(effect));
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length <= 3 ? shown : `${shown} and ${names.length - 3} more`;
}

function counted(count: number): string {
  return count === 1 ? "1 object" : `${count} objects`;
}

/** What a person is shown before a rollback: {@link planRollback}, grouped. Pure. */
export function previewRollback(
  state: RunState,
  facts: RollbackFacts,
  choice: DataStoreChoice,
): RollbackPreview {
  const disposals = planRollback(state, facts, choice);
  const goes = disposals.filter(({ action }) => action === "delete" || action === "with");
  const namespace = goes.find(({ effect }) => isNamespace(effect));
  const line = (lines: readonly Disposal[], text: string, reason: string): PreviewLine => ({
    effects: lines.map(({ effect }) => effect),
    text,
    reason,
  });

  const dataLines = state.steps
    .filter((step) => dataStoreSteps.has(step.id))
    .flatMap((step) => {
      const ofStep = goes.filter((disposal) => disposal.step === step.id);
      if (ofStep.length === 0) return [];
      const what = dataStoreSteps.get(step.id) ?? "data store";
      const name = `${state.service}-${step.id === "provision_cache" ? "cache" : "db"}`;
      const why = state.reachedReady ? "made by this run; its data is lost" : "made by this run, never used";
      return [line(ofStep, `${what} ${name}`, why)];
    });
  const objects = goes.filter(({ step, effect }) => effect.kind === "object" && !dataStoreSteps.has(step));
  const objectLines =
    objects.length === 0
      ? []
      : namespace === undefined
        ? [line(objects, madeBy(state), counted(objects.length))]
        : [
            line(
              objects,
              `namespace ${serviceOfRun(state).namespace} and what is in it`,
              counted(objects.length),
            ),
          ];
  const outside = goes
    .filter(({ effect }) => effect.kind === "repository")
    .map((disposal) => {
      const commits = goes.filter(({ effect }) => effect.kind === "commit");
      return line([disposal, ...commits], effectLabel(disposal.effect), disposal.reason);
    });

  const keeps = grouped(disposals.filter(({ action }) => action === "keep"));
  const irreversible = grouped(disposals.filter(({ action }) => action === "lost"));
  const restored = disposals.filter(({ action }) => action === "restore");
  return {
    run: state.name,
    restores: restored.length === 0 ? [] : [line(restored, keptText(restored), "as before this run")],
    deletes: [...objectLines, ...dataLines, ...outside],
    keeps: [
      ...keeps.map(({ reason, disposals: kept }) => line(kept, keptText(kept), reason)),
      ...(hasMigrated(state)
        ? [line([], "what its migration changed in the database", "no rollback takes a migration back")]
        : []),
    ],
    irreversible: irreversible.map(({ reason, disposals: lost }) => line(lost, keptText(lost), reason)),
    destroysData: goes.some(({ step }) => dataStoreSteps.has(step)) && state.reachedReady,
    protectedStores: goes.flatMap(({ effect }) =>
      effect.kind === "object" &&
      (effect.type === "StatefulSet" || effect.type === "ConfigMap") &&
      facts.objects.get(effectKey(effect))?.protected === true
        ? [effect.name]
        : [],
    ),
  };
}

/** Whether a migration of this run has begun, so far as the journal tells: what it did nobody here knows. */
function hasMigrated({ steps }: Pick<RunState, "steps">): boolean {
  // What was migrated is an instance of the run's own.
  if (steps.some(({ id }) => id === "clone_database")) return false;
  return steps.some(({ id, effects }) => id === "migrate" && effects.length > 0);
}

function madeBy({ operation, service }: Pick<RunState, "operation" | "service">): string {
  return isInstallation(operation) ? "what this run installed" : `what this run made in app-${service}`;
}

function grouped(
  disposals: readonly Disposal[],
): readonly { readonly reason: string; readonly disposals: readonly Disposal[] }[] {
  const groups = Map.groupBy(disposals, ({ reason }) => reason);
  return [...groups].map(([reason, members]) => ({ reason, disposals: members }));
}

function keptText(disposals: readonly Disposal[]): string {
  return some(disposals.map(({ effect }) => effectLabel(effect)));
}
