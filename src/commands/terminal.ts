import { type Readable, Writable } from "node:stream";

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

/**
 * Asks for something that nobody is to read: what is typed is shown nowhere. Undefined: the input ended, or a person
 * left. `lines`: what came with one paste, of which the rest would otherwise be left for the shell to execute.
 */
export async function askHidden(
  terminal: Terminal,
  question: string,
  signal?: AbortSignal,
): Promise<{ readonly lines: readonly string[] } | undefined> {
  const { createInterface } = await import("node:readline");
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const editor = createInterface({ input: terminal.stdin, output: nowhere, terminal: true, historySize: 0 });
  // The terminal shows no keys from here on.
  terminal.err.write(question);
  return new Promise((resolve) => {
    const lines: string[] = [];
    let left = false;
    const leave = () => {
      left = true;
      editor.close();
    };
    signal?.addEventListener("abort", leave, { once: true });
    editor.on("SIGINT", leave);
    editor.on("line", (line) => {
      lines.push(line);
      // The other lines of a paste are in the same piece of input.
      if (lines.length === 1) setImmediate(() => editor.close());
    });
    editor.once("close", () => {
      signal?.removeEventListener("abort", leave);
      terminal.stdin.pause();
      terminal.err.write("\n");
      resolve(left || lines.length === 0 ? undefined : { lines });
    });
    if (signal?.aborted) leave();
  });
}
