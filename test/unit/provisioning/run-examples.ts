import type { KubeObject } from "../../../src/cluster/object.ts";
import type { RunEvent } from "../../../src/provisioning/runs/event.ts";
import { type RunSpec, runName, runObject } from "../../../src/provisioning/runs/run-record.ts";

const at = "2026-01-01T00:00:00.000Z";

/** A Run that was asked for and that nobody has taken. */
export function requestedRun(spec: Partial<RunSpec> = {}): KubeObject {
  return runObject(runName("ledger-create-7f3k2"), {
    operation: "create",
    service: "ledger",
    team: "platform",
    parameters: {},
    requestedBy: "ann",
    ...spec,
  });
}

/** The first event of a run of one step. */
export function started(epoch: number, holder = "ann@here:1"): RunEvent {
  return {
    type: "RunStarted",
    at,
    epoch,
    holder,
    standardsHash: "x",
    plan: {
      operation: "create",
      service: "ledger",
      steps: [{ id: "create_namespace", title: "Namespace", needs: [], effects: [], notes: [] }],
    },
  };
}

/** Another engine takes the run. */
export function taken(epoch: number): RunEvent {
  return { type: "RunTaken", at, epoch, holder: "ben@there:2", by: "ben", verb: "resume" };
}
