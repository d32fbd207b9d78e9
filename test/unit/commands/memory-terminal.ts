import { Readable } from "node:stream";
import type { Output, StopSignal, Terminal } from "../../../src/commands/terminal.ts";
import type { SandboxAccess } from "../../../src/connection.ts";

/** A terminal that keeps what is written to it. */
export interface MemoryTerminal extends Terminal {
  readonly written: { out: string; err: string };
  /** Sends a signal to whoever listens. */
  stop(signal: StopSignal): void;
  /** What the process was abandoned with. */
  readonly abandoned: number[];
}

export function memoryTerminal(
  options: {
    readonly stdin?: string | Uint8Array;
    readonly interactive?: boolean;
    readonly env?: Record<string, string>;
  } = {},
): MemoryTerminal {
  const written = { out: "", err: "" };
  const listeners = new Set<(signal: StopSignal) => void>();
  const abandoned: number[] = [];
  const stream = (name: "out" | "err"): Output => ({
    isTerminal: false,
    colors: false,
    closed: new AbortController().signal,
    write: (text) => {
      written[name] += text;
    },
  });
  return {
    env: options.env ?? {},
    out: stream("out"),
    err: stream("err"),
    stdin: Readable.from(options.stdin === undefined ? [] : [options.stdin]),
    interactive: options.interactive ?? false,
    onStop(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    abandon(code) {
      abandoned.push(code);
      throw new Error(`abandoned with ${code}`);
    },
    written,
    stop: (signal) => {
      for (const listener of listeners) listener(signal);
    },
    abandoned,
  };
}

/** A sandbox that must not be opened: for commands that refuse before they ask a cluster. */
export const noSandbox: SandboxAccess = {
  folder: "/nonexistent/sandbox",
  repositories: "/nonexistent/repositories",
  open: () => Promise.reject(new Error("the sandbox was opened")),
  serve: () => Promise.reject(new Error("the sandbox was served")),
};
