import { runsOf } from "../checks/existence.ts";
import { rollbackMayDestroy } from "../checks/protection.ts";
import { atRest } from "../engine/decide.ts";
import type { Executor } from "../engine/executor.ts";
import { livingHolder } from "../engine/heartbeat.ts";
import type { Action } from "../engine/obey-actions.ts";
import { ProvisioningError } from "../errors.ts";
import { followedExecution } from "../runs/followed-run.ts";
import type { Execution, RunName, RunState } from "../runs/run.ts";
import type { RunRecord, RunSpec } from "../runs/run-record.ts";
import { serviceOfRun } from "../runs/service-of-run.ts";
import { watchRun } from "../runs/watch-run.ts";
import { stepsOf } from "../steps/index.ts";
import { askAction } from "./ask-action.ts";
import {
  mayBeSkipped,
  mayCancel,
  mayGoOn,
  mayRollBack,
  previewRun,
  type VerbsOnRuns,
} from "./verbs-on-runs.ts";

/** How long the operator may take to bring a run to rest, in milliseconds. */
const cancelPatience = 30_000;

/**
 * What a person does with a run that exists, where the operator does it: what is wrong is told at once, and the rest
 * is asked of the operator through `spec.action`, which asks everything again.
 */
export function askVerbs(executor: Executor): VerbsOnRuns {
  const { options, read } = executor;
  const { cluster, standards, clock } = options;

  const verbs: VerbsOnRuns = {
    async resume(run, { onFailure }) {
      const record = await restingOrHeld(run);
      mayGoOn(record, "resume");
      return begun(record, "resume", { onFailure });
    },
    async retry(run, { onFailure, skip = [], lockHolder }) {
      const record = await restingOrHeld(run);
      mayGoOn(record, "retry");
      for (const id of skip) mayBeSkipped(run, record.state, stepsOf[record.spec.operation], id);
      return begun(record, "retry", {
        onFailure,
        ...(skip.length === 0 ? {} : { skip: [...skip] }),
        ...(lockHolder === undefined ? {} : { lockHolder }),
      });
    },
    async rollback(run, { dataStores, confirmed }) {
      const record = await restingOrHeld(run);
      await mayRollBack(cluster, record);
      if (dataStores === "delete") {
        const { protectedStores = [] } = await previewRun(executor, run, dataStores);
        const service = serviceOfRun(record.spec);
        await rollbackMayDestroy(protectedStores, { cluster, standards, service, confirmed });
      }
      return begun(record, "rollback", { dataStores, ...(confirmed === undefined ? {} : { confirmed }) });
    },
    async cancel(run) {
      mayCancel(await read(run));
      await askAction(cluster, run, "cancel");
      return atRestSoon(run);
    },
    retryNow: (run) => askAction(cluster, run, "retry"),
  };

  /** @throws ProvisioningError `busy` where somebody is at work on it, or on another run of its service */
  async function restingOrHeld(run: RunName): Promise<RunRecord> {
    const record = await read(run);
    const runs = await runsOf(cluster, record.spec);
    for (const { name, state } of runs) {
      if (atRest(state) || (name !== run && state.phase === "Pending")) continue;
      const holder = state.holder || "the operator";
      const living = state.holder === "" ? holder : await livingHolder(cluster, clock, name);
      throw new ProvisioningError(
        "busy",
        living === undefined
          ? `run ${name} was being executed by ${holder}, which is dead: the operator takes it over`
          : `run ${name} is being executed by ${living}`,
        `watch it: platform run watch ${name}`,
      );
    }
    return record;
  }

  async function begun(
    { name, state }: RunRecord,
    action: Action,
    how: RunSpec["actionOptions"],
  ): Promise<Execution> {
    await askAction(cluster, name, action, how);
    return followedExecution(
      { cluster, clock, cancel: verbs.cancel, retryNow: verbs.retryNow },
      { run: name, epoch: state.epoch, refusedAt: state.refusal?.at },
    );
  }

  async function atRestSoon(run: RunName): Promise<RunState> {
    for await (const next of watchRun(cluster, clock, run, AbortSignal.timeout(cancelPatience))) {
      if (atRest(next)) return next;
    }
    throw new ProvisioningError(
      "busy",
      `run ${run} has been asked to stop, and has not done so yet`,
      `watch it: platform run watch ${run}`,
    );
  }

  return verbs;
}
