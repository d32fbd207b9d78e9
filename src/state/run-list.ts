import { isOver } from "../provisioning/engine/decide.ts";
import { operationWords } from "../provisioning/plan.ts";
import type { RunState } from "../provisioning/runs/run.ts";
import { serviceText } from "../provisioning/runs/service-of-run.ts";
import { filterOf, type Ui } from "./ui.ts";

/** Whether a run answers to a filter: each word is in its name, that of its service, what it does or did, its phase, or who asked for it. */
export function runMatches(run: RunState, filter: string): boolean {
  const { name, operation, phase, team, requestedBy } = run;
  const { done, doing } = operationWords[operation];
  const text =
    `${name} ${serviceText(run)} ${operation} ${done} ${doing} ${phase} ${team} ${requestedBy} ${isOver(run) ? "" : "unfinished"}`.toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** The runs that the list shows now. */
export function visibleRuns(runs: readonly RunState[], ui: Pick<Ui, "filters">): readonly RunState[] {
  const text = filterOf(ui, "runs").entry.text.trim();
  return text === "" ? runs : runs.filter((run) => runMatches(run, text));
}
