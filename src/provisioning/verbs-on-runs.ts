import { systemNamespace } from "../application/names.ts";
import { resources } from "../cluster/resource.ts";
import { runsOf } from "./checks/existence.ts";
import { rollbackMayDestroy } from "./checks/protection.ts";
import { observeRun } from "./compensate.ts";
import { atRest, isOver } from "./decide.ts";
import { ProvisioningError } from "./errors.ts";
import type { RunEvent } from "./event.ts";
import type { Executor } from "./executor.ts";
import { observeHolder } from "./heartbeat.ts";
import { lostSteps } from "./lost-steps.ts";
import { contextOf, planFor } from "./operation.ts";
import type { StepId } from "./plan.ts";
import type { Provisioner } from "./provisioner.ts";
import { runStarted } from "./request-run.ts";
import { isReversible, previewRollback } from "./rollback.ts";
import type { Execution, RunName, RunState } from "./run.ts";
import type { RunRecord } from "./run-record.ts";
import type { Step } from "./step.ts";
import { stepsOf } from "./steps/index.ts";
import { watchRun } from "./watch-run.ts";

/** How long a living engine may take to come to rest once it is asked to, in milliseconds. */
const cancelPatience = 30_000;

/** @throws ProvisioningError `usage` where the step is not the one that failed, or the service needs what it makes */
function mayBeSkipped(run: RunName, state: RunState, steps: readonly Step[], id: StepId): void {
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

/** What a person does with a run that exists: see `verbs.ts`. */
export function verbsOn(
  executor: Executor,
): Pick<Provisioner, "resume" | "retry" | "previewRollback" | "rollback" | "cancel" | "retryNow"> {
  const { options, read, takeable, execute } = executor;
  const { cluster, codeHost, standards, clock, holder } = options;

  async function mayRollBack(record: RunRecord): Promise<void> {
    const { name, state, spec } = record;
    if (!isReversible(state)) {
      throw new ProvisioningError(
        "usage",
        `run ${name} has deleted data: what it deleted cannot be brought back`,
        isOver(state) ? "" : `finish it: platform run retry ${name}`,
      );
    }
    if (state.phase === "RolledBack") {
      throw new ProvisioningError("usage", `run ${name} is rolled back already`);
    }
    // What a run found or made may have been changed again since.
    const runs = await runsOf(cluster, spec.service);
    const started = Date.parse(state.startedAt ?? state.requestedAt);
    const later = runs.find(
      ({ state: other }) =>
        other.phase !== "RolledBack" &&
        other.startedAt !== undefined &&
        Date.parse(other.startedAt) > started,
    );
    if (later === undefined) return;
    // What is left of a creation goes even after a deletion.
    if (
      spec.operation === "create" &&
      (later.spec.operation === "create" || later.spec.operation === "delete")
    )
      return;
    throw new ProvisioningError(
      "usage",
      `run ${later.name} (${later.spec.operation}) came after run ${name}: what was before is not what would come back`,
      isOver(later.state)
        ? `see the releases: platform service releases ${spec.service}`
        : `roll that back first: platform run rollback ${later.name}`,
    );
  }

  /** Goes on with a run as it was going: forwards, or back where it is being undone. */
  async function goOn(
    run: RunName,
    verb: "resume" | "retry",
    { onFailure, skip = [] }: Parameters<Provisioner["retry"]>[1],
  ) {
    const record = await takeable(run);
    const { state, spec } = record;
    if (isOver(state)) {
      throw new ProvisioningError(
        "usage",
        `run ${run} is over (${state.phase}): there is nothing to ${verb}`,
      );
    }
    const context = await contextOf(spec, state.change, options);
    const steps = stepsOf[spec.operation];
    for (const id of skip) mayBeSkipped(run, state, steps, id);
    const [{ username }, fresh, lost] = await Promise.all([
      cluster.whoAmI(),
      // Not by its phase: one that was cancelled before anybody took it has no plan either.
      state.steps.length === 0 ? planFor(spec.operation, context) : undefined,
      lostSteps(cluster, state),
    ]);
    return execute({
      record,
      context,
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
  ): Promise<Execution> {
    const [context, { username }] = await Promise.all([
      contextOf(record.spec, record.state.change, options),
      cluster.whoAmI(),
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

  /** What a living engine is asked to do: it watches its Run. */
  async function ask(run: RunName, action: "cancel" | "retry"): Promise<void> {
    await cluster.patch(
      resources.runs,
      { namespace: systemNamespace, name: run },
      { type: "merge", body: { spec: { action } } },
    );
  }

  return {
    resume: (run, asked) => goOn(run, "resume", asked),
    retry: (run, asked) => goOn(run, "retry", asked),
    async previewRollback(run, dataStores) {
      const record = await read(run);
      await mayRollBack(record);
      return previewRollback(record.state, await observeRun({ cluster, codeHost }, record.state), dataStores);
    },
    async rollback(run, { dataStores, confirmed }) {
      const record = await takeable(run);
      await mayRollBack(record);
      const { service } = record.spec;
      if (dataStores === "delete") {
        const { protectedStores = [] } = previewRollback(
          record.state,
          await observeRun({ cluster, codeHost }, record.state),
          dataStores,
        );
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
      const { state } = await read(run);
      if (atRest(state) && state.phase !== "Pending") {
        throw new ProvisioningError(
          "usage",
          `run ${run} is at rest (${state.phase}): there is nothing to cancel`,
        );
      }
      const holding = await observeHolder(cluster, clock, run);
      if (holding.alive) {
        await ask(run, "cancel");
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
      if (own === undefined) await ask(run, "retry");
      else own.retryNow();
    },
  };
}
