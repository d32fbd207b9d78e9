import { isClusterError } from "../../cluster/errors.ts";
import { ProvisioningError } from "../errors.ts";
import type { RunName } from "../runs/run.ts";
import type { PlanContext } from "../step.ts";

/** What one check found: nothing, something a person should know, or why it cannot be done. */
export type Outcome = undefined | { readonly warning: string } | ProvisioningError;

/** What checks look at; `run` is the run they are part of, where it exists already. */
export type CheckContext = PlanContext & { readonly run?: RunName };

/** One question asked before anything is written. */
export type Check = (context: CheckContext) => Promise<Outcome>;

/** A refusal counts in this order: who cannot reach or may not ask has nothing from the rest. */
const order: readonly ProvisioningError["kind"][] = ["unreachable", "rights", "usage", "busy", "refused"];

/** A check that may not even look is answered by the rights that are missing. */
function asRefusal(error: unknown, contact: string | undefined): ProvisioningError {
  if (!isClusterError(error, "forbidden")) throw error;
  return new ProvisioningError(
    "rights",
    error.message,
    `ask ${contact ?? "a platform engineer"} for the right the message names`,
    error,
  );
}

/**
 * Asks everything at once; writes nothing.
 * @throws ProvisioningError with every refusal of the weightiest kind
 */
export async function runChecks(
  checks: readonly Check[],
  context: CheckContext,
): Promise<{ readonly count: number; readonly warnings: readonly string[] }> {
  const outcomes = await Promise.all(
    checks.map((check) =>
      check(context).catch((error: unknown) => asRefusal(error, context.standards.contact)),
    ),
  );
  const refusals = outcomes.filter((outcome) => outcome instanceof ProvisioningError);
  for (const kind of order) {
    const [first, ...more] = refusals.filter((refusal) => refusal.kind === kind);
    if (first === undefined) continue;
    // The check of rights asks for all of them at once; what others ran into is part of it.
    if (more.length === 0 || kind === "rights") throw first;
    throw new ProvisioningError(
      kind,
      [first, ...more].map(({ message }) => message).join("; "),
      [...new Set([first, ...more].map(({ mend }) => mend))].filter((mend) => mend !== "").join("; "),
    );
  }
  return {
    count: checks.length,
    warnings: outcomes.flatMap((outcome) =>
      outcome === undefined || outcome instanceof ProvisioningError ? [] : [outcome.warning],
    ),
  };
}
