import { systemNamespace } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { resources } from "../../cluster/resource.ts";
import { runsOf } from "../checks/existence.ts";
import { JournalError, ProvisioningError } from "../errors.ts";
import type { Execution, RunName } from "../runs/run.ts";
import { type RunRecord, readRun } from "../runs/run-record.ts";
import { atRest } from "./decide.ts";
import { type ExecutorOptions, type OwnExecution, type Start, startExecution } from "./execution.ts";
import { livingHolder, observeHolder } from "./heartbeat.ts";

/** The runs that this process executes, and how it takes others. */
export interface Executor {
  readonly options: ExecutorOptions;
  /** The execution of a run in this process, while it lasts. */
  own(run: RunName): Execution | undefined;
  /** @throws ProvisioningError `usage` where there is no such run */
  read(run: RunName): Promise<RunRecord>;
  /** @throws ProvisioningError `refused` where the platform on the cluster is older than this program; JournalError */
  execute(start: Start): Promise<OwnExecution>;
  /** A run that nobody works on: read, and refused (`busy`) while its holder lives. */
  takeable(run: RunName): Promise<RunRecord>;
}

/** Executes runs on one cluster. */
export function createExecutor(options: ExecutorOptions): Executor {
  const { cluster, clock } = options;
  const executing = new Map<RunName, Execution>();

  async function read(run: RunName): Promise<RunRecord> {
    try {
      return readRun(await cluster.get(resources.runs, { namespace: systemNamespace, name: run }));
    } catch (error) {
      if (!isClusterError(error, "not-found")) throw error;
      throw new ProvisioningError("usage", `there is no run ${run}`, "see them with: platform run list");
    }
  }

  async function execute(start: Start): Promise<OwnExecution> {
    const execution = await startExecution(options, start).catch((error: unknown) => {
      throw tooOld(cluster, error) ?? error;
    });
    executing.set(execution.name, execution);
    const forget = () => executing.delete(execution.name);
    execution.finished.then(forget, forget);
    return execution;
  }

  async function takeable(run: RunName): Promise<RunRecord> {
    const own = executing.get(run);
    let record = await read(run);
    if (own !== undefined && !atRest(own.state)) throw busy(run, "this process");
    if (!atRest(record.state)) {
      const holding = await observeHolder(cluster, clock, run);
      if (holding.alive) throw busy(run, holding.holder);
      // As it was when its holder was found dead: should that write once more, the run is not taken.
      record = holding.record;
    }
    const others = (await runsOf(cluster, record.spec)).filter(
      ({ name, state }) => name !== run && (state.phase === "Running" || state.phase === "RollingBack"),
    );
    for (const other of others) {
      if ((await livingHolder(cluster, clock, other.name)) !== undefined) {
        throw busy(other.name, other.state.holder);
      }
    }
    return record;
  }

  return { options, own: (run) => executing.get(run), read, execute, takeable };
}

function busy(run: RunName, holder: string): ProvisioningError {
  return new ProvisioningError(
    "busy",
    `run ${run} is being executed by ${holder}`,
    `watch it: platform run watch ${run}`,
  );
}

/** Why a Run cannot be written, where the cluster's definition of it is older than this program. */
export function tooOld(cluster: Cluster, error: unknown): ProvisioningError | undefined {
  const cause = error instanceof JournalError ? error.cause : error;
  if (
    !isClusterError(cause, "invalid", "server") ||
    !/unknown field|spec\.operation: Unsupported value/.test(cause.message)
  )
    return undefined;
  return new ProvisioningError(
    "refused",
    `the platform on ${cluster.context} is older than this program, and does not know what is asked for`,
    "have a platform engineer run: platform install",
    error,
  );
}
