import type { Execution, RunName, RunState } from "../provisioning/runs/run.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "./exit-code.ts";
import { followOperator } from "./follow-operator.ts";
import type { RunView } from "./output/run-view.ts";
import type { Session } from "./session.ts";
import { ask, type StopSignal } from "./terminal.ts";

/** How an execution is followed to its end. */
export interface FollowOptions {
  readonly asked: "completion" | "rollback";
  /** Milliseconds until the run is interrupted and left resumable; exit code 3. Left out: for ever. */
  readonly timeoutMs?: number;
  /** Says which run it is and leaves it to the operator; where this process executes it, it is followed all the same. */
  readonly detached?: boolean;
  /** Starts a roll back of the interrupted run: what a person at the keyboard may choose on Ctrl-C. */
  readonly rollBack?: (run: RunName) => Promise<Execution>;
}

/**
 * Starts an execution and shows it until it comes to rest. A request to stop finishes the write in hand and leaves the run
 * resumable; at a keyboard the first Ctrl-C asks. A second request ends the process at once: the run is in the
 * cluster's journal and stays resumable all the same. What the operator executes goes on when nobody follows it any
 * more.
 */
export async function follow(
  session: Session,
  begin: () => Promise<Execution>,
  view: RunView,
  options: FollowOptions,
): Promise<ExitCode> {
  const { terminal } = session;
  let stopping = false;
  let timedOut = false;
  let wantsRollback = false;
  let question: AbortController | undefined;

  let early: StopSignal | undefined;
  const unlistenEarly = terminal.onStop((signal) => {
    if (early !== undefined) terminal.abandon(exitCodes.interrupted);
    early = signal;
  });
  const execution = await begin().finally(unlistenEarly);
  if (execution.by === "operator") return followOperator(session, execution, view, { ...options, early });
  if (!session.flags.sandbox) {
    terminal.err.write(
      "No operator is running: this process executes the run, so let it finish; guardrails let you pass.\n",
    );
  }

  let held: (() => void)[] | undefined;
  const show = (update: () => void) => {
    if (held === undefined) update();
    else held.push(update);
  };
  view.update(execution.state);
  const unsubscribe = execution.subscribe((event, state) => show(() => view.update(state, event)));

  const interrupt = (reason: string) => {
    if (stopping) return;
    stopping = true;
    terminal.err.write("  Stopping: the write in hand is finished first. Again ends at once.\n");
    execution.interrupt(reason).catch(() => undefined); // `finished` tells why
  };
  const atKeyboard = async () => {
    question = new AbortController();
    held = [];
    const answer = await ask(
      terminal,
      `\n  Stop ${execution.name}?  [enter] go on   [b] roll back   [q] leave it resumable: `,
      question.signal,
    );
    const decided = question.signal.aborted;
    question = undefined;
    const updates = held;
    held = undefined;
    for (const update of updates) update();
    if (decided) return;
    if (answer === "b" && options.rollBack !== undefined) wantsRollback = true;
    if (answer === "b" || answer === "q") interrupt("a person stopped it");
  };
  const stop = (signal: StopSignal) => {
    if (stopping) terminal.abandon(exitCodes.interrupted);
    if (signal === "SIGINT" && terminal.interactive && question === undefined) {
      void atKeyboard();
      return;
    }
    question?.abort();
    interrupt(`received ${signal}`);
  };
  const unlisten = terminal.onStop(stop);
  if (early !== undefined) interrupt(`received ${early}`);
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          interrupt("the time given with --timeout was over");
        }, options.timeoutMs);

  let state: RunState;
  try {
    state = await execution.finished;
  } finally {
    if (timer !== undefined) clearTimeout(timer);
    unsubscribe();
    question?.abort();
    unlisten();
  }
  const { rollBack, timeoutMs: _, ...rest } = options;
  if (wantsRollback && rollBack !== undefined && state.phase !== "Succeeded") {
    return follow(session, () => rollBack(execution.name), view, { ...rest, asked: "completion" });
  }
  const code =
    timedOut && state.phase === "Interrupted" ? exitCodes.held : exitCodeOf(state.phase, options.asked);
  view.finished(state, code);
  return code;
}
