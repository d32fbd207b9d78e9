import type { RunEvent } from "../../provisioning/runs/event.ts";
import type { RunState } from "../../provisioning/runs/run.ts";

/** How a run is shown while it happens. Three implementations: the app's screen, linear text and JSON lines. */
export interface RunView {
  /** The state now; `event` is what led to it, where this process executes the run. */
  update(state: RunState, event?: RunEvent): void;
  /** The run came to rest. */
  finished(state: RunState, exitCode: number): void;
}
