import { verbsOf } from "../../provisioning/verbs/verbs.ts";
import type { Output } from "../terminal.ts";
import { writeLine } from "./format.ts";
import type { RunView } from "./run-view.ts";

/**
 * A run as JSON lines: `event` for each journaled event where this process executes the run, otherwise `run` for
 * each state seen; then one `result`.
 */
export function jsonRunView(out: Output): RunView {
  return {
    update(state, event) {
      if (event === undefined) writeLine(out, "run", { run: state });
      else writeLine(out, "event", { run: state.name, phase: state.phase, event });
    },
    finished(state, exitCode) {
      writeLine(out, "result", { exitCode, run: state, verbs: verbsOf(state) });
    },
  };
}
