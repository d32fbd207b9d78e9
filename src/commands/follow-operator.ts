import type { Execution, RunName, RunState } from "../provisioning/runs/run.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "./exit-code.ts";
import type { FollowOptions } from "./follow.ts";
import type { RunView } from "./output/run-view.ts";
import type { Session } from "./session.ts";
import { ask, type StopSignal } from "./terminal.ts";

/** Why one no longer follows a run that goes on. */
type Leaving = "detached" | "time" | "signal" | "not begun";

/**
 * Shows a run that the operator executes until it comes to rest. Whoever stops following is told how to go on
 * following; the run goes on. Where the operator does not begin, a person chooses what becomes of the request.
 */
export async function followOperator(
  session: Session,
  execution: Execution,
  view: RunView,
  { asked, timeoutMs, detached = false, early }: FollowOptions & { readonly early: StopSignal | undefined },
): Promise<ExitCode> {
  const { terminal } = session;
  const left = Promise.withResolvers<Leaving>();
  const unlisten = terminal.onStop(() => left.resolve("signal"));
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => left.resolve("time"), timeoutMs);
  if (early !== undefined) left.resolve("signal");
  view.update(execution.state);
  const unsubscribe = execution.subscribe((event, state) => view.update(state, event));
  try {
    if (detached) return leave(session, execution.name, "detached");
    if (execution.state.phase === "Pending") {
      const choice = await whenNotBegun(session, execution, left.promise);
      if (choice !== "wait") return choice;
    }
    const outcome: RunState | Leaving = await Promise.race([execution.finished, left.promise]);
    if (typeof outcome === "string") return leave(session, execution.name, outcome);
    const code = exitCodeOf(outcome.phase, asked);
    view.finished(outcome, code);
    return code;
  } finally {
    if (timer !== undefined) clearTimeout(timer);
    unsubscribe();
    unlisten();
  }
}

const codes: Readonly<Record<Leaving, ExitCode>> = {
  detached: exitCodes.done,
  time: exitCodes.held,
  signal: exitCodes.interrupted,
  "not begun": exitCodes.held,
};

function leave({ terminal, command }: Session, run: RunName, why: Leaving): ExitCode {
  const late = why === "time" ? "The time given with --timeout is over. " : "";
  const what =
    why === "not begun"
      ? `The request stays: an operator that begins within the hour executes ${run}.`
      : `${late}The operator goes on with ${run}.`;
  terminal.err.write(
    `${why === "signal" ? "\n" : ""}${what}\n  → ${command("run", "watch", run)} follows it\n  → ${command("run", "cancel", run)} stops it\n`,
  );
  return codes[why];
}

/** Nobody has taken the request in time: a person decides whether to wait, to take it back or to leave it. */
async function whenNotBegun(
  session: Session,
  execution: Execution,
  left: Promise<Leaving>,
): Promise<"wait" | ExitCode> {
  const { terminal, command } = session;
  const [{ cluster, clock, provisioner }, { operatorPresence }, { lastSeen }] = await Promise.all([
    session.platform(),
    import("../provisioning/operator-presence.ts"),
    import("../provisioning/operations/who-executes.ts"),
  ]);
  const presence = await operatorPresence(cluster, clock);
  const state = presence.alive ? "The operator lives" : "The operator is gone";
  terminal.err.write(
    `${state}${lastSeen(presence)}, and nobody has begun with ${execution.name} yet.\n  → ${command("doctor")} says what is wrong\n`,
  );
  if (!terminal.interactive) return leave(session, execution.name, "not begun");
  const over = new AbortController();
  const end = () => over.abort();
  // Who is asked need not answer any more once it has begun.
  void Promise.race([execution.finished, left, begun(execution)]).then(end, end);
  const answer = await ask(
    terminal,
    "  [enter] wait   [w] withdraw the request   [q] leave it: ",
    over.signal,
  );
  if (over.signal.aborted) terminal.err.write("\n");
  if (answer === "q") return leave(session, execution.name, "not begun");
  if (answer !== "w") return "wait";
  const how = await provisioner.withdraw(execution.name);
  terminal.err.write(
    how === "withdrawn"
      ? "The request is withdrawn; nothing was written.\n"
      : "The request is marked as cancelled: whoever comes to it does not begin.\n",
  );
  return exitCodes.failed;
}

function begun(execution: Execution): Promise<void> {
  return new Promise((resolve) => {
    execution.subscribe((_, { phase }) => {
      if (phase !== "Pending") resolve();
    });
  });
}
