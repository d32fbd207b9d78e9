import { importedAnnotation } from "../../application/names.ts";
import { objectEffect } from "../objects/objects.ts";
import type { StepId } from "../plan.ts";
import { secretOfStore } from "../steps/credentials.ts";
import { type ImportContext, reopenSource, undoImport } from "../steps/database-import.ts";
import type { CompensationContext } from "./compensate.ts";

/** What taking an import back works with. */
export type ImportCompensation = CompensationContext & ImportContext;

const steps: ReadonlySet<StepId> = new Set(["prove_source", "close_source", "roll_pods"]);

/** Whether a step of an import has more to be undone than objects. */
export function isImportStep(id: StepId): boolean {
  return steps.has(id);
}

/**
 * Takes back what of an import's step is no object: both databases are as they were, and the Secret has the mark that it had.
 * What is objects is undone after it, like any other step's.
 * @throws ClusterError, StepError
 */
export async function compensateImport(context: ImportCompensation, step: StepId): Promise<void> {
  if (step === "prove_source") return undoImport(context);
  if (step === "close_source") return reopenSource(context);
  const secret = await secretOfStore(context, "database");
  const { journal, clock, run, write } = context;
  // With the mark of another run the pods are not ours to roll.
  if (secret.metadata.annotations?.[importedAnnotation] === run) {
    await write.patchObjects([secret], { metadata: { annotations: { [importedAnnotation]: null } } });
  }
  await journal.append({
    type: "EffectsReleased",
    at: clock.now().toISOString(),
    step,
    results: [
      {
        effect: objectEffect(secret),
        outcome: "restored",
        reason: "it has the mark that it had before this run",
      },
    ],
  });
}
