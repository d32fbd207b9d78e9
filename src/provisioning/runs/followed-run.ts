import { isDeepStrictEqual } from "node:util";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Clock } from "../clock.ts";
import { atRest } from "../engine/decide.ts";
import { JournalError, ProvisioningError } from "../errors.ts";
import type { RunEvent } from "./event.ts";
import type { Execution, RunName, RunState } from "./run.ts";
import type { RunRecord } from "./run-record.ts";
import { reduce } from "./run-reducer.ts";
import { watchRecord } from "./watch-run.ts";

/** How long the operator may take to begin with what it is asked for, in milliseconds. */
export const takenWithinMs = 20_000;

/** How a run was when something was asked of it. */
export interface Asked {
  readonly run: RunName;
  readonly epoch: number;
  /** When something was last refused of it. */
  readonly refusedAt: string | undefined;
}

/** What following takes from outside. */
export interface FollowedOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** Asks the operator to bring the run to rest. */
  readonly cancel: (run: RunName) => Promise<unknown>;
  /** Asks it not to wait for the next try. */
  readonly retryNow: (run: RunName) => Promise<unknown>;
}

/**
 * An execution by the operator, once it has begun, followed by what the cluster records of it. Where nobody takes a new
 * run in time, it is that of a run that is still `Pending`.
 * @throws ProvisioningError: the operator's refusal, as it would have been met in this process, or `busy` where nobody
 *   does in time what was asked of a run at rest; ClusterError; JournalError where the run was deleted
 */
export async function followedExecution(options: FollowedOptions, asked: Asked): Promise<Execution> {
  const { cluster, clock, cancel, retryNow } = options;
  const { run } = asked;
  const life = new AbortController();
  const records = watchRecord(cluster, clock, run, life.signal);
  const begun = new AbortController();
  const late = clock.sleep(takenWithinMs, begun.signal).then(() => undefined);
  late.catch(() => {});
  let next = records.next();
  let record: RunRecord | undefined;
  try {
    for (;;) {
      const first = await Promise.race([next, late]);
      if (first === undefined) break;
      if (first.done === true) throw gone(run);
      record = first.value;
      next = records.next();
      next.catch(() => {});
      const { refusal, epoch } = record.state;
      if (refusal !== undefined && refusal.at !== asked.refusedAt) {
        throw new ProvisioningError(refusal.kind, refusal.message, refusal.mend);
      }
      if (epoch > asked.epoch) break;
    }
    if (record === undefined) throw new ProvisioningError("unreachable", `run ${run} cannot be read`);
    if (record.state.epoch === asked.epoch && atRest(record.state)) throw notBegun(run);
  } catch (error) {
    life.abort();
    throw error;
  } finally {
    begun.abort();
  }
  return following({ records, next, record, end: () => life.abort(), cancel, retryNow });
}

function notBegun(run: RunName): ProvisioningError {
  return new ProvisioningError(
    "busy",
    `the operator was asked, and has not begun within ${takenWithinMs / 1_000} s; it does so as soon as it can`,
    `watch it: platform run watch ${run}; see what is wrong with: platform doctor`,
  );
}

function gone(run: RunName): JournalError {
  return new JournalError("gone", run, `run ${run} was deleted meanwhile`);
}

function following({
  records,
  next: pending,
  record: first,
  end,
  cancel,
  retryNow,
}: Pick<FollowedOptions, "cancel" | "retryNow"> & {
  readonly records: AsyncGenerator<RunRecord, void>;
  readonly next: Promise<IteratorResult<RunRecord, void>>;
  readonly record: RunRecord;
  readonly end: () => void;
}): Execution {
  const { name } = first;
  const listeners = new Set<(event: RunEvent, state: RunState) => void>();
  let { state } = first;
  let before = first;
  const take = (record: RunRecord) => {
    for (const event of newEvents(before.events, record.events)) {
      state = reduce(state, event);
      for (const listener of listeners) listener(event, state);
    }
    before = record;
    state = record.state;
  };
  const rest = async (): Promise<RunState> => {
    let next = pending;
    while (!atRest(state)) {
      const { done, value } = await next;
      if (done === true) throw gone(name);
      next = records.next();
      next.catch(() => {});
      take(value);
    }
    // It had not been taken in time, and was refused then.
    const { refusal } = state;
    if (state.phase === "Refused" && refusal !== undefined) {
      throw new ProvisioningError(refusal.kind, refusal.message, refusal.mend);
    }
    return state;
  };
  const finished = rest().finally(end);
  finished.catch(() => {});
  return {
    name,
    by: "operator",
    get state() {
      return state;
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    finished,
    async interrupt() {
      await cancel(name);
      await finished;
    },
    retryNow: () => void retryNow(name).catch(() => {}),
  };
}

/** What a journal holds that it did not hold before: old log lines may have left it meanwhile. Pure. */
export function newEvents(before: readonly RunEvent[], after: readonly RunEvent[]): readonly RunEvent[] {
  const last = before.at(-1);
  if (last === undefined) return after;
  const index = after.findLastIndex((event) => isDeepStrictEqual(event, last));
  if (index !== -1) return after.slice(index + 1);
  const told = before.filter(({ type }) => type !== "StepLogged").length;
  return after.filter(({ type }) => type !== "StepLogged").slice(told);
}
