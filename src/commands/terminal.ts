import type { Readable } from "node:stream";

/** One of the two streams a command writes to. Writing after the reader has gone (`| head`) is quiet. */
export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  readonly colors: boolean;
  /** Aborts when the reader has gone. */
  readonly closed: AbortSignal;
}

export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** The process's surroundings, injected so that commands can be tested without any. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Results. */
  readonly out: Output;
  /** Progress and errors. */
  readonly err: Output;
  readonly stdin: Readable;
  /** Whether a person can be asked: keyboard and screen are a terminal. */
  readonly interactive: boolean;
  /** Calls back for each request to stop, which then no longer ends the process. Returns the unsubscriber. */
  onStop(listener: (signal: StopSignal) => void): () => void;
  /** Ends the process at once, for a person who insists. */
  abandon(code: number): never;
}

/** Reads all of standard input, as text. */
export async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)));
  return Buffer.concat(chunks).toString("utf8");
}

/** Asks on the error stream, so that a piped result stays clean. Undefined: the input ended, or `signal` aborted. */
export async function ask(
  terminal: Terminal,
  question: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { createInterface } = await import("node:readline");
  terminal.err.write(question);
  const lines = createInterface({ input: terminal.stdin, terminal: false });
  return new Promise((resolve) => {
    let answer: string | undefined;
    const close = () => lines.close();
    signal?.addEventListener("abort", close, { once: true });
    lines.once("line", (line) => {
      answer = line.trim();
      lines.close();
    });
    lines.once("close", () => {
      signal?.removeEventListener("abort", close);
      terminal.stdin.pause();
      resolve(answer);
    });
    if (signal?.aborted) close();
  });
}
