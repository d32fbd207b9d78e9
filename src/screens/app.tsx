import { render } from "ink";
import { atRest } from "../provisioning/engine/decide.ts";
import { operationWords } from "../provisioning/plan.ts";
import { verbsOf } from "../provisioning/verbs/verbs.ts";
import type { CommandLine } from "../state/command-line.ts";
import type { Feed, UseCases } from "../state/feeds/feed.ts";
import { feedFleet } from "../state/feeds/fleet.ts";
import { createSession, type Session } from "../state/session.ts";
import { nodeTimers } from "../state/throttle.ts";
import { createPainter } from "./components/painter.ts";
import { Root, type StopProcess } from "./root.tsx";
import { themeFor } from "./theme.ts";

/** The terminal the app draws on. */
export interface Screen extends NodeJS.WritableStream {
  readonly columns?: number;
  readonly rows?: number;
}

/** The keyboard the app listens to. */
export interface Keyboard extends NodeJS.ReadableStream {
  setRawMode?(raw: boolean): unknown;
}

export interface AppOptions {
  /** Name of the context, known before anything has answered: the first frame shows it. */
  readonly context: string;
  readonly simulated: boolean;
  /** Completes words to a line that a person can type as it stands. */
  readonly commandLine: CommandLine;
  /** Names of the contexts one can change to. */
  readonly contexts: () => Promise<readonly string[]>;
  readonly openContext: (name: string) => Promise<UseCases>;
  readonly stdin: Keyboard;
  readonly stdout: Screen;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where errors and what others have logged meanwhile go once the terminal is the shell's again. */
  readonly afterwards: (text: string) => void;
  /** Fills the dashboard; the cluster's own services unless told. */
  readonly fleet?: Feed;
}

/** The size that is drawn for where a terminal does not say its own. */
const fallbackSize = { columns: 80, rows: 24 };

/**
 * Runs the app full screen until the person leaves, and answers with the exit code. The first frame is drawn
 * before the platform has answered. The terminal is given back as it was, whatever ends the app.
 */
export async function runApp(platform: UseCases | Promise<UseCases>, options: AppOptions): Promise<number> {
  const { stdin, stdout, env } = options;
  const session = createSession({
    context: options.context,
    simulated: options.simulated,
    commandLine: options.commandLine,
    contexts: options.contexts,
    openContext: options.openContext,
    fleet: options.fleet ?? feedFleet,
    now: Date.now,
    timers: nodeTimers,
  });
  // Ink's own text is what screen readers are given.
  const painter = env.INK_SCREEN_READER === "true" ? undefined : createPainter(stdout);
  const resize = () => {
    painter?.invalidate();
    session.setUi((ui) => ({
      ...ui,
      columns: stdout.columns ?? fallbackSize.columns,
      rows: stdout.rows ?? fallbackSize.rows,
    }));
  };
  resize();
  // Before Ink does: a key pressed meanwhile is kept for the app instead of being echoed into its first frame.
  stdin.setRawMode?.(true);
  const afterwards = collectOutput();
  const root = (
    <Root
      session={session}
      theme={themeFor(env)}
      {...(painter === undefined ? {} : { painter })}
      stopProcess={stopProcess}
    />
  );
  const instance = render(root, {
    stdin,
    stdout,
    interactive: true,
    alternateScreen: true,
    incrementalRendering: true,
    exitOnCtrlC: false,
    patchConsole: false,
    // Stores limit how often something changes; a key must not wait for a frame's turn.
    maxFps: 250,
  });
  // After Ink's own listener, which clears the screen.
  stdout.on("resize", resize);
  const unlisten = leaveOnSignals(session);
  void session.connect(Promise.resolve(platform));
  let failure: unknown;
  const crashed = Promise.withResolvers<never>();
  const crash = (error: unknown) => crashed.reject(error);
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
  let code = 1;
  try {
    code = await Promise.race([
      session.left,
      crashed.promise,
      instance.waitUntilExit().then(() => session.left),
    ]);
  } catch (error) {
    failure = error;
  } finally {
    instance.unmount();
    await instance.waitUntilExit().catch(() => undefined);
    process.off("uncaughtException", crash);
    process.off("unhandledRejection", crash);
    stdout.removeListener("resize", resize);
    unlisten();
    for (const text of afterwards.end()) options.afterwards(text);
  }
  if (failure !== undefined) {
    options.afterwards(crashText(failure, session, options.commandLine));
    await session.leave(1);
    return 1;
  }
  for (const text of leftBehind(session, options.commandLine)) options.afterwards(text);
  return code;
}

/** What a person reads after a crash: what it was, what state things are in, and the next command. */
function crashText(error: unknown, session: Session, commandLine: CommandLine): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const going = session.stores.openRuns.getState().own;
  const runs = going.map((run) => `  ${commandLine(["run", "show", run])}\n`).join("");
  const state =
    going.length === 0
      ? "No run was going: nothing is half-made.\n"
      : `Its runs are stopped between two writes:\n${runs}`;
  return `platform: the app ended on an error of its own. ${state}${text}\n`;
}

/** Runs that this terminal has left for anybody to go on with. */
function leftBehind(session: Session, commandLine: CommandLine): readonly string[] {
  const { states, asked } = session.stores.openRuns.getState();
  const going = Object.values(states)
    .filter((state) => asked.includes(state.name) && !atRest(state))
    .map(
      ({ name, operation, service }) =>
        `The operator goes on: ${operationWords[operation].name} ${service}\n  ${commandLine(["run", "watch", name])}\n`,
    );
  const left = Object.values(states)
    .filter(({ phase }) => phase === "Interrupted" || phase === "Held")
    .map((state) => {
      const { name, operation, service, phase } = state;
      const can = verbsOf(state).map((verb) => `  ${commandLine(["run", verb, name])}\n`);
      return `${operationWords[operation].name} ${service} is ${phase === "Held" ? "held" : "stopped"}; anyone can go on with it:\n${can.join("")}`;
    });
  return [...going, ...left];
}

/** Keeps what is logged away from the screen, which it would tear, and gives it back at the end. */
function collectOutput(): { readonly end: () => readonly string[] } {
  const kept: string[] = [];
  const keep = (text: string) => {
    if (kept.length < 200) kept.push(`${text}\n`);
  };
  const { log, info, warn, error, debug } = console;
  const collect = (...parts: readonly unknown[]) => keep(parts.map(String).join(" "));
  Object.assign(console, { log: collect, info: collect, warn: collect, error: collect, debug: collect });
  const warners = process.listeners("warning");
  process.removeAllListeners("warning");
  const onWarning = (warning: Error) => {
    if (warning.name !== "ExperimentalWarning") keep(`${warning.name}: ${warning.message}`);
  };
  process.on("warning", onWarning);
  return {
    end: () => {
      Object.assign(console, { log, info, warn, error, debug });
      process.off("warning", onWarning);
      for (const warner of warners) process.on("warning", warner);
      return kept;
    },
  };
}

/** A signal leaves as q does: runs come to rest first, the terminal is restored. */
function leaveOnSignals(session: Session): () => void {
  const leave = () => void session.leave(130);
  const signals = ["SIGTERM", "SIGHUP", "SIGINT"] as const;
  for (const signal of signals) process.on(signal, leave);
  return () => {
    for (const signal of signals) process.off(signal, leave);
  };
}

/** Stops the whole job, npm around it too, as ctrl-z does in any other program. */
const stopProcess: StopProcess = () =>
  new Promise((resolve) => {
    process.once("SIGCONT", () => resolve());
    process.kill(0, "SIGTSTP");
  });
