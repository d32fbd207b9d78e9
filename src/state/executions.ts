import type { Execution, RunName, RunState } from "../provisioning/runs/run.ts";
import type { UseCases } from "./feeds/feed.ts";
import { runWriter } from "./feeds/run.ts";
import { listOf } from "./place.ts";
import { tellInOneLine } from "./problem.ts";
import type { Stores } from "./stores.ts";
import { go, placeOf, replacePlace, type Ui } from "./ui.ts";

/** Something that a key begins and that becomes a run of this process. */
export interface Beginning {
  /** What is told meanwhile: `Going on with the run`. */
  readonly busy: string;
  /** What the run does, as its screen is headed: `scale checkout`. */
  readonly title: string;
  /** Empty where it is not known. */
  readonly service: string;
  /** Where its screen goes: in place of the shown one, above it, or nowhere, because it is shown already. */
  readonly show: "replace" | "above" | "not";
  readonly begin: (cases: UseCases) => Promise<Execution>;
}

/** The runs that this process executes. */
export interface Executions {
  readonly own: ReadonlyMap<RunName, Execution>;
  /** Begins, unless something else is just being begun. */
  begin(beginning: Beginning): void;
  /** Settles once what a key has begun is an execution of ours, or was refused. */
  started(): Promise<void>;
}

/** What executions need of the session. */
export interface ExecutionsOptions {
  readonly stores: Stores;
  readonly connected: () => UseCases | undefined;
  /** A beginning was refused. */
  readonly refused: (error: unknown, beginning: Beginning) => void;
  /** A run has come to rest: whoever shows it reads the cluster's record from here on. */
  readonly rested: () => void;
}

/** Keeps what this process executes, and its states in the stores. */
export function createExecutions({ stores, connected, refused, rested }: ExecutionsOptions): Executions {
  const own = new Map<RunName, Execution>();
  let starting: Promise<void> = Promise.resolve();

  function adopt(execution: Execution): void {
    const { name } = execution;
    own.set(name, execution);
    const { write, flush } = runWriter(stores, name);
    stores.openRuns.setState(({ own: before }) => ({
      own: [...before.filter((each) => each !== name), name],
      busy: undefined,
    }));
    write(execution.state);
    const unsubscribe = execution.subscribe((_, state) => write(state));
    const rest = (state: RunState | undefined) => {
      unsubscribe();
      if (state !== undefined) write(state);
      flush();
      own.delete(name);
      stores.openRuns.setState(({ own: before }) => ({ own: before.filter((each) => each !== name) }));
      const { overlay } = stores.ui.getState();
      if (overlay?.kind === "stop-run" && overlay.run === name) stores.ui.setState({ overlay: undefined });
      rested();
    };
    execution.finished.then(rest, (error: unknown) => {
      stores.openRuns.setState(({ errors }) => ({ errors: { ...errors, [name]: tellInOneLine(error) } }));
      rest(undefined);
    });
  }

  /** What the operator executes goes on without us; who looks at it is fed by its record. */
  function follow(execution: Execution): void {
    const { name } = execution;
    const write = (state: RunState) =>
      stores.openRuns.setState(({ states, asked }) => ({
        states: { ...states, [name]: state },
        asked: [...asked.filter((each) => each !== name), name],
        busy: undefined,
      }));
    write(execution.state);
    execution.finished.then(write, (error: unknown) => {
      stores.openRuns.setState(({ errors }) => ({ errors: { ...errors, [name]: tellInOneLine(error) } }));
    });
  }

  return {
    own,
    started: () => starting,
    begin(beginning) {
      const cases = connected();
      if (cases === undefined) {
        stores.ui.setState({ notice: { text: "not connected yet", tone: "warn" } });
        return;
      }
      if (stores.openRuns.getState().busy !== undefined) return;
      stores.openRuns.setState({ busy: beginning.busy });
      stores.ui.setState({ notice: undefined });
      const from = listOf(placeOf(stores.ui.getState()));
      starting = beginning.begin(cases).then(
        (execution) => {
          if (execution.by === "operator") follow(execution);
          else adopt(execution);
          stores.ui.setState((ui) =>
            listOf(placeOf(ui)) === from ? shown(ui, execution.name, beginning) : ui,
          );
        },
        (error: unknown) => {
          stores.openRuns.setState({ busy: undefined });
          refused(error, beginning);
        },
      );
    },
  };
}

/** The ui with a run's screen where the beginning wants it; whoever has gone elsewhere meanwhile stays there. */
function shown(ui: Ui, run: RunName, { title, show }: Beginning): Ui {
  const place = placeOf(ui);
  const next = { screen: "run", run, title } as const;
  if (show === "not" || (place.screen === "run" && place.run === run)) return ui;
  if (show === "above") return go(ui, next);
  const below = ui.stack.at(-2);
  if (below?.screen === "run" && below.run === run) {
    const [first, ...rest] = ui.stack;
    return { ...ui, stack: [first, ...rest.slice(0, -1)], choice: 0 };
  }
  return replacePlace(ui, next);
}
