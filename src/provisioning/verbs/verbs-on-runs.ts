import { backupNameOf } from "../../backups/backup.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { runsOf } from "../checks/existence.ts";
import { rollbackMayDestroy } from "../checks/protection.ts";
import { atRest, isOver } from "../engine/decide.ts";
import type { OwnExecution } from "../engine/execution.ts";
import type { Executor } from "../engine/executor.ts";
import { observeHolder } from "../engine/heartbeat.ts";
import { ProvisioningError } from "../errors.ts";
import { contextOf, requestedContext } from "../operations/of-run.ts";
import { planFor } from "../operations/plan-for.ts";
import { runStarted } from "../operations/request-run.ts";
import type { StepId } from "../plan.ts";
import type { DataStoreChoice, Provisioner } from "../provisioner.ts";
import { observeRun } from "../rollback/compensate.ts";
import { lostSteps } from "../rollback/lost-steps.ts";
import { isReversible, previewRollback } from "../rollback/rollback.ts";
import { type Effect, effectLabel } from "../runs/effect.ts";
import type { RunEvent } from "../runs/event.ts";
import type { Execution, RollbackPreview, RunName, RunState } from "../runs/run.ts";
import type { RunRecord } from "../runs/run-record.ts";
import { serviceOfRun } from "../runs/service-of-run.ts";
import { watchRun } from "../runs/watch-run.ts";
import type { Step } from "../step.ts";
import { stepsOf } from "../steps/index.ts";
import { askAction } from "./ask-action.ts";

/** How long a living engine may take to come to rest once it is asked to, in milliseconds. */
const cancelPatience = 30_000;

/** What can be done with a run; `verbs.ts` has the words. What each does is said of {@link Provisioner}. */
export interface VerbsOnRuns<E extends Execution = Execution> {
  resume(...how: Parameters<Provisioner["resume"]>): Promise<E>;
  retry(...how: Parameters<Provisioner["retry"]>): Promise<E>;
  rollback(...how: Parameters<Provisioner["rollback"]>): Promise<E>;
  cancel(run: RunName): Promise<RunState>;
  retryNow(run: RunName): Promise<void>;
}

/** @throws ProvisioningError `usage` where the step is not the one that failed, or the service needs what it makes */
export function mayBeSkipped(run: RunName, state: RunState, steps: readonly Step[], id: StepId): void {
  const step = state.steps.find((candidate) => candidate.id === id);
  const skippable = steps.find((candidate) => candidate.id === id)?.skippable === true;
  if (step === undefined || step.phase !== "Failed" || state.rollback !== undefined) {
    throw new ProvisioningError(
      "usage",
      `step ${id} of run ${run} has not failed: there is nothing to leave out`,
    );
  }
  if (!skippable) {
    throw new ProvisioningError(
      "usage",
      `step ${id} cannot be left out: the service needs what it makes`,
      `try it again: platform run retry ${run}, or undo the run: platform run rollback ${run}`,
    );
  }
}

function hasDeletedData({ name, state, spec }: RunRecord): ProvisioningError {
  if (spec.operation === "rotate") {
    return new ProvisioningError(
      "usage",
      `run ${name} has taken the old password away: it cannot be brought back`,
      isOver(state)
        ? `give it another one: platform secret rotate ${spec.service} ${spec.parameters.credential ?? ""}`
        : `finish it: platform run retry ${name}`,
    );
  }
  if (spec.operation === "restore") {
    const made = backupNameOf(name, spec.service, "restore");
    return new ProvisioningError(
      "usage",
      `run ${name} has dropped the database that was before: it cannot take its place again`,
      isOver(state)
        ? `restore what was before: platform database restore ${spec.service} ${made}`
        : `finish it: platform run retry ${name}`,
    );
  }
  if (spec.operation === "import") {
    return new ProvisioningError(
      "usage",
      `run ${name} has dropped the empty database that was before: what was imported stays`,
      isOver(state)
        ? "the source has what it had, and is read-only: see the runbook on imports for how to open it"
        : `finish it: platform run retry ${name}`,
    );
  }
  return new ProvisioningError(
    "usage",
    `run ${name} has deleted data: what it deleted cannot be brought back`,
    isOver(state) ? "" : `finish it: platform run retry ${name}`,
  );
}

/**
 * @throws ProvisioningError `usage` where what the run did cannot be taken back, or not any more
 */
export async function mayRollBack(cluster: Cluster, record: RunRecord): Promise<void> {
  const { name, state, spec } = record;
  if (!isReversible(state)) throw hasDeletedData(record);
  if (state.phase === "Refused") {
    throw new ProvisioningError("usage", `run ${name} was refused: it has written nothing`);
  }
  if (state.phase === "RolledBack") {
    throw new ProvisioningError("usage", `run ${name} is rolled back already`);
  }
  // What a run found or made may have been changed again since.
  const runs = await runsOf(cluster, spec);
  const started = Date.parse(state.startedAt ?? state.requestedAt);
  const later = runs.find(
    ({ state: other }) =>
      other.phase !== "RolledBack" && other.startedAt !== undefined && Date.parse(other.startedAt) > started,
  );
  if (later === undefined) return;
  // What is left of a creation goes even after a deletion.
  if (spec.operation === "create" && (later.spec.operation === "create" || later.spec.operation === "delete"))
    return;
  throw new ProvisioningError(
    "usage",
    `run ${later.name} (${later.spec.operation}) came after run ${name}: what was before is not what would come back`,
    isOver(later.state)
      ? `see the releases: platform service releases ${spec.service}`
      : `roll that back first: platform run rollback ${later.name}`,
  );
}

/**
 * What a rollback would do now. What whoever asks may not read is taken to be as the journal has it.
 * @throws ProvisioningError `usage` where what the run did cannot be taken back, or not any more
 */
export async function previewRun(
  { options: { cluster, codeHost }, read }: Executor,
  run: RunName,
  dataStores: DataStoreChoice,
): Promise<RollbackPreview> {
  const record = await read(run);
  await mayRollBack(cluster, record);
  const unread: Effect[] = [];
  const unlisted: string[] = [];
  const facts = await observeRun({ cluster, codeHost }, record.state, undefined, {
    onUnreadable: (effect) => unread.push(effect),
    onUnlisted: (plural) => unlisted.push(plural),
  });
  const preview = previewRollback(record.state, facts, dataStores);
  const lines = [
    {
      effects: unread,
      text: some(unread.map((effect) => effectLabel(effect))),
      reason: "you may not read it: judged by what the run recorded",
    },
    {
      effects: [],
      text: some([...new Set(unlisted)].sort()),
      reason: "you may not list them: if the namespace holds some, it stays",
    },
  ].filter(({ text }) => text !== "");
  return lines.length === 0 ? preview : { ...preview, unread: lines };
}

/** The first of many. */
function some(names: readonly string[]): string {
  return names.length <= 4
    ? names.join(", ")
    : `${names.slice(0, 4).join(", ")} and ${names.length - 4} more`;
}

/** @throws ProvisioningError `usage` where the run is over */
export function mayGoOn({ name, state }: RunRecord, verb: "resume" | "retry"): void {
  if (!isOver(state)) return;
  throw new ProvisioningError("usage", `run ${name} is over (${state.phase}): there is nothing to ${verb}`);
}

/** @throws ProvisioningError `usage` where nobody can be working on the run */
export function mayCancel({ name, state }: RunRecord): void {
  if (!atRest(state)) return;
  throw new ProvisioningError("usage", `run ${name} is at rest (${state.phase}): there is nothing to cancel`);
}

/**
 * What a person does with a run that exists, done in this process: see `verbs.ts`.
 * @param actor - whoever wants it; default: as whom this process is known to the cluster
 */
export function verbsOn(
  executor: Executor,
  actor: () => Promise<string> = async () => (await executor.options.cluster.whoAmI()).username,
): VerbsOnRuns<OwnExecution> {
  const { options, read, takeable, execute } = executor;
  const { cluster, codeHost, standards, clock, holder } = options;

  /** Goes on with a run as it was going: forwards, or back where it is being undone. */
  async function goOn(
    run: RunName,
    verb: "resume" | "retry",
    { onFailure, skip = [], lockHolder }: Parameters<Provisioner["retry"]>[1],
  ) {
    const record = await takeable(run);
    const { state, spec } = record;
    mayGoOn(record, verb);
    // Not by its phase: one that was cancelled before anybody took it has no plan either.
    const begun = state.steps.length > 0;
    const context = await (begun ? contextOf(spec, state.change, options) : requestedContext(spec, options));
    const steps = stepsOf[spec.operation];
    for (const id of skip) mayBeSkipped(run, state, steps, id);
    const [username, fresh, lost] = await Promise.all([
      actor(),
      begun ? undefined : planFor(spec.operation, context),
      lostSteps(cluster, state),
    ]);
    return execute({
      record,
      context: lockHolder === undefined ? context : { ...context, lockHolder },
      steps,
      onFailure: spec.operation === "delete" || spec.operation === "cleanup" ? "hold" : onFailure,
      actor: username,
      first: (epoch, at) =>
        fresh !== undefined
          ? [runStarted(options, fresh.plan, epoch, at)]
          : [
              { type: "RunTaken", at, epoch, holder, by: username, verb },
              ...lost.map(({ step, reason }) => ({ type: "StepReopened" as const, at, step, reason })),
              ...skip.map((step) => ({ type: "StepSkipped" as const, at, step, by: username })),
            ],
    });
  }

  /** Takes a run that takes no further step, and says what becomes of it. */
  async function taken(
    record: RunRecord,
    verb: "rollback" | "cancel",
    then: (at: string, by: string) => RunEvent,
  ): Promise<OwnExecution> {
    const [context, username] = await Promise.all([
      contextOf(record.spec, record.state.change, options),
      actor(),
    ]);
    return execute({
      record,
      context,
      steps: [],
      onFailure: "hold",
      actor: username,
      first: (epoch, at) => [{ type: "RunTaken", at, epoch, holder, by: username, verb }, then(at, username)],
    });
  }

  return {
    resume: (run, asked) => goOn(run, "resume", asked),
    retry: (run, asked) => goOn(run, "retry", asked),
    async rollback(run, { dataStores, confirmed }) {
      const record = await takeable(run);
      await mayRollBack(cluster, record);
      const service = serviceOfRun(record.spec);
      const { irreversible, protectedStores = [] } = previewRollback(
        record.state,
        await observeRun({ cluster, codeHost }, record.state),
        dataStores,
      );
      // Its engine died before it could record what it had deleted.
      if (irreversible.length > 0) throw hasDeletedData(record);
      if (dataStores === "delete") {
        await rollbackMayDestroy(protectedStores, { cluster, standards, service, confirmed });
      }
      return taken(record, "rollback", (at, by) => ({
        type: "RollbackStarted",
        at,
        by,
        dataStores,
        ...(confirmed === undefined ? {} : { confirmed }),
      }));
    },
    async cancel(run) {
      const own = executor.own(run);
      if (own !== undefined) {
        await own.interrupt("cancelled");
        return own.state;
      }
      mayCancel(await read(run));
      const holding = await observeHolder(cluster, clock, run);
      if (holding.alive) {
        await askAction(cluster, run, "cancel");
        for await (const next of watchRun(cluster, clock, run, AbortSignal.timeout(cancelPatience))) {
          if (atRest(next)) return next;
        }
        throw new ProvisioningError(
          "busy",
          `run ${run} has been asked to stop, and has not done so yet`,
          `watch it: platform run watch ${run}`,
        );
      }
      const execution = await taken(holding.record, "cancel", (at, by) => ({
        type: "RunInterrupted",
        at,
        reason: `cancelled by ${by}`,
      }));
      return execution.finished;
    },
    async retryNow(run) {
      const own = executor.own(run);
      if (own === undefined) await askAction(cluster, run, "retry");
      else own.retryNow();
    },
  };
}
