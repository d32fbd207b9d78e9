import type { ProvisioningError } from "./errors.ts";
import type { Refusal } from "./event.ts";
import type { Executor } from "./executor.ts";
import { Journal } from "./journal.ts";
import type { Action } from "./obey-actions.ts";
import type { RunRecord } from "./run-record.ts";

function journalOf(
  { options: { cluster, clock, holder, randomBytes } }: Executor,
  record: RunRecord,
): Journal {
  return new Journal({ cluster, clock, record, holder, token: Buffer.from(randomBytes(8)).toString("hex") });
}

function asRecorded({ kind, message, mend }: ProvisioningError): Refusal {
  return { kind, message, mend };
}

/**
 * Records why a request is not executed: whoever asked is told so in these words.
 * @throws JournalError where somebody else has taken the run
 */
export async function refuseRun(
  executor: Executor,
  record: RunRecord,
  refusal: ProvisioningError,
): Promise<void> {
  const at = executor.options.clock.now().toISOString();
  await journalOf(executor, record).append({ type: "RunRefused", at, refusal: asRecorded(refusal) });
}

/**
 * Records why what was asked of a run at rest is not done; the run stays as it is.
 * @throws JournalError where somebody else has taken the run
 */
export async function refuseAction(
  executor: Executor,
  record: RunRecord,
  action: Action,
  refusal: ProvisioningError,
): Promise<void> {
  const at = executor.options.clock.now().toISOString();
  await journalOf(executor, record).append({
    type: "ActionRefused",
    at,
    action,
    refusal: asRecorded(refusal),
  });
}
