import type { RunPhase } from "../provisioning/runs/run.ts";

/** Every exit code of the program; documented in `platform --help` and the README. */
export const exitCodes = {
  done: 0,
  /** Failed and rolled back: nothing remains but what the preview called kept. */
  failed: 1,
  /** Wrong input; nothing was written. */
  usage: 2,
  /** Held, roll back failed or timed out: effects remain. */
  held: 3,
  /** Refused by rights, credentials or a guardrail; nothing was written. */
  refused: 4,
  /** The cluster does not answer; nothing was written. */
  unreachable: 5,
  /** A defect of this program (`EX_SOFTWARE` of sysexits). */
  defect: 70,
  /** The work is done, and what it printed could not be written, such as to a full disk (`EX_IOERR` of sysexits). */
  output: 74,
  /** Interrupted; a run stays resumable. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What a run that came to rest means for the command that started it; `asked` is what the person wanted of it. */
export function exitCodeOf(phase: RunPhase, asked: "completion" | "rollback"): ExitCode {
  switch (phase) {
    case "Succeeded":
      return exitCodes.done;
    case "RolledBack":
      return asked === "rollback" ? exitCodes.done : exitCodes.failed;
    case "Held":
    case "RollbackFailed":
      return exitCodes.held;
    case "Interrupted":
      return exitCodes.interrupted;
    case "Refused":
      return exitCodes.refused;
    case "Pending":
    case "Running":
    case "RollingBack":
      return exitCodes.held;
  }
}
