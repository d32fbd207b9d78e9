import type { ProvisioningError } from "../errors.ts";
import type { Refusal } from "../runs/event.ts";
import { Journal } from "../runs/journal.ts";
import type { RunRecord } from "../runs/run-record.ts";
import type { Executor } from "./executor.ts";
import type { Action } from "./obey-actions.ts";

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
