import { bounded } from "../errors.ts";
import { eventVersion, type RunEvent } from "./event.ts";
import type { RunState } from "./run.ts";
import { type LogChunks, runMessage } from "./run-record.ts";

/** Who writes a Run's status, and when. */
export interface Writing {
  readonly epoch: number;
  readonly holder: string;
  readonly token: string;
  /** RFC 3339. */
  readonly writtenAt: string;
  readonly logChunks: LogChunks;
}

/** `status` of a Run: its events, and what a list of runs shows of them. Pure. */
export function runStatus(
  state: RunState,
  events: readonly RunEvent[],
  { epoch, holder, token, writtenAt, logChunks }: Writing,
): Readonly<Record<string, unknown>> {
  const started = events.find((event) => event.type === "RunStarted");
  const nextTry = state.steps.flatMap(({ retryAt }) => retryAt ?? []).sort()[0];
  return {
    phase: state.phase,
    message: bounded(runMessage(state), 500),
    epoch,
    holder,
    token,
    writtenAt,
    attempts: Math.max(0, ...state.steps.map(({ attempt }) => attempt)),
    ...(nextTry === undefined ? {} : { nextTry }),
    ...(state.startedAt === undefined ? {} : { startedAt: state.startedAt }),
    ...(state.finishedAt === undefined ? {} : { finishedAt: state.finishedAt }),
    ...(started?.type === "RunStarted" ? { standardsHash: started.standardsHash } : {}),
    eventVersion,
    ...(logChunks.next > 1 ? { logChunks } : {}),
    events,
  };
}
