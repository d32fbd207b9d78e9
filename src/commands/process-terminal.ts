import { terminalText } from "../cluster/text.ts";
import { exitCodes } from "./exit-code.ts";
import type { Output, StopSignal, Terminal } from "./terminal.ts";

const stopSignals: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** The terminal of a real process. `color: false` is `--no-color`. */
export function processTerminal(process: NodeJS.Process, options: { readonly color: boolean }): Terminal {
  const { env, stdin } = process;
  const dumb = env.TERM === "dumb";
  const colors = options.color && !dumb && (env.NO_COLOR ?? "") === "";
  const listeners = new Set<(signal: StopSignal) => void>();
  for (const signal of stopSignals) {
    process.on(signal, () => {
      if (listeners.size === 0) process.exit(exitCodes.interrupted); // nothing is being written
      for (const listener of listeners) listener(signal);
    });
  }
  return {
    env,
    out: output(process.stdout, colors, (error) => {
      process.exitCode = exitCodes.output;
      process.stderr.write(`platform: the output could not be written: ${error.message}\n`);
    }),
    // Nobody is left to be told.
    err: output(process.stderr, colors, () => {
      process.exitCode = exitCodes.output;
    }),
    stdin,
    interactive: stdin.isTTY === true && process.stderr.isTTY === true,
    onStop(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    abandon: (code) => process.exit(code),
  };
}

function output(stream: NodeJS.WriteStream, colors: boolean, onFailure: (error: Error) => void): Output {
  const closed = new AbortController();
  stream.on("error", (error: NodeJS.ErrnoException) => {
    const first = !closed.signal.aborted;
    closed.abort();
    // Where the reader has gone, what it did not want to read is no error.
    if (!first || error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED") return;
    onFailure(error);
  });
  const isTerminal = stream.isTTY === true;
  return {
    isTerminal,
    colors: isTerminal && colors,
    closed: closed.signal,
    write(text) {
      if (!closed.signal.aborted) stream.write(terminalText(text, { colors: isTerminal && colors }));
    },
  };
}
