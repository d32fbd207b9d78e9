import type { Output, StopSignal, Terminal } from "./terminal.ts";

const stopSignals: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** The terminal of a real process. `color: false` is `--no-color`. */
export function processTerminal(process: NodeJS.Process, options: { readonly color: boolean }): Terminal {
  const { env, stdin } = process;
  const dumb = env.TERM === "dumb";
  const colors = options.color && !dumb && (env.NO_COLOR ?? "") === "";
  return {
    env,
    out: output(process.stdout, colors),
    err: output(process.stderr, colors),
    stdin,
    interactive: stdin.isTTY === true && process.stderr.isTTY === true,
    onStop(listener) {
      const listeners = stopSignals.map((signal) => {
        const onSignal = () => listener(signal);
        process.on(signal, onSignal);
        return () => process.off(signal, onSignal);
      });
      return () => {
        for (const remove of listeners) remove();
      };
    },
    abandon: (code) => process.exit(code),
  };
}

function output(stream: NodeJS.WriteStream, colors: boolean): Output {
  const closed = new AbortController();
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_DESTROYED") throw error;
    closed.abort(); // the reader has gone: what it did not want to read is no error
  });
  const isTerminal = stream.isTTY === true;
  return {
    isTerminal,
    colors: isTerminal && colors,
    closed: closed.signal,
    write(text) {
      if (!closed.signal.aborted) stream.write(text);
    },
  };
}
