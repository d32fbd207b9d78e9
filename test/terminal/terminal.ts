import { type ChildProcess, spawn as spawnChild } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type IPty, spawn as spawnPty } from "@lydell/node-pty";
import xterm from "@xterm/headless";

const program = "dist-test/main.js";

/** Where one test's sandbox lives, apart from every other's. */
export interface Home {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/** A fresh state folder. */
export async function freshHome(): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), "platform-terminal-"));
  return {
    folder,
    env: environment({ PLATFORM_STATE_DIR: join(folder, "state"), HOME: folder }),
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** The test runner's environment without what changes a program's output. */
function environment(more: Readonly<Record<string, string>>): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (
      value === undefined ||
      /^(CI|NO_COLOR|FORCE_COLOR|NODE_OPTIONS|KUBECONFIG|npm_.*|VITEST.*)$/.test(name)
    )
      continue;
    env[name] = value;
  }
  return { ...env, ...more };
}

/** What a command that has ended came to. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** A command that runs without a terminal. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once `text` has been printed on either stream. */
  printed(text: string | RegExp): Promise<void>;
}

/** Starts the program without a terminal, its streams piped. */
export function start(
  home: Home,
  argv: readonly string[],
  options: { readonly stdin?: string } = {},
): Running {
  const child = spawnChild(process.execPath, [program, ...argv], { env: home.env });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.stdin ?? "");
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, out, err }));
  });
  return {
    child,
    ended,
    printed: (text) =>
      until(
        `${argv.join(" ")} prints ${text}`,
        () => (matches(out + err, text) ? true : undefined),
        () => out + err,
      ).then(() => undefined),
  };
}

/** Runs the program to its end. */
export function run(
  home: Home,
  argv: readonly string[],
  options: { readonly stdin?: string } = {},
): Promise<Ended> {
  return start(home, argv, options).ended;
}

/** The program on a terminal of its own. */
export interface Screen {
  readonly pty: IPty;
  /** The terminal emulator, with every cell's colours. */
  readonly emulator: xterm.Terminal;
  /** The lines that a person sees now. */
  lines(): readonly string[];
  text(): string;
  /** Everything that was ever written, escape sequences included. */
  raw(): string;
  /** Resolves once `text` is on the screen. */
  shows(text: string | RegExp, options?: { readonly withinMs?: number }): Promise<void>;
  /** Resolves once `text` is not on the screen any more. */
  hides(text: string | RegExp): Promise<void>;
  type(keys: string): void;
  resize(columns: number, rows: number): Promise<void>;
  /** The exit code, once the program has ended. */
  readonly exit: Promise<number>;
}

/** Starts the program on a pseudo terminal and reads its screen as a terminal emulator does. */
export function openScreen(
  home: Home,
  argv: readonly string[],
  size: { readonly columns: number; readonly rows: number },
  env: Readonly<Record<string, string>> = {},
): Screen {
  const emulator = new xterm.Terminal({ cols: size.columns, rows: size.rows, allowProposedApi: true });
  const pty = spawnPty(process.execPath, [program, ...argv], {
    name: "xterm-256color",
    cols: size.columns,
    rows: size.rows,
    env: { ...home.env, TERM: "xterm-256color", LANG: "C.UTF-8", ...env },
  });
  let raw = "";
  pty.onData((data) => {
    raw += data;
    emulator.write(data);
  });
  const lines = () => {
    const { active } = emulator.buffer;
    return Array.from({ length: emulator.rows }, (_, row) =>
      (active.getLine(active.viewportY + row)?.translateToString(true) ?? "").trimEnd(),
    );
  };
  const text = () => lines().join("\n");
  return {
    pty,
    emulator,
    lines,
    text,
    raw: () => raw,
    shows: (wanted, { withinMs } = {}) =>
      until(
        `the screen shows ${wanted}`,
        () => (matches(text(), wanted) ? true : undefined),
        text,
        withinMs,
      ).then(() => undefined),
    hides: (unwanted) =>
      until(`the screen hides ${unwanted}`, () => (matches(text(), unwanted) ? undefined : true), text).then(
        () => undefined,
      ),
    type: (keys) => pty.write(keys),
    async resize(columns, rows) {
      pty.resize(columns, rows);
      emulator.resize(columns, rows);
    },
    exit: new Promise((resolve) => {
      pty.onExit(({ exitCode }) => resolve(exitCode));
    }),
  };
}

/** Asks again and again until there is an answer. @throws Error with what was seen last */
export async function until<T>(
  what: string,
  answer: () => T | undefined,
  seen: () => string = () => "",
  withinMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = answer();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms until ${what}; last seen:\n${seen()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function matches(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === "string" ? text.includes(wanted) : wanted.test(text);
}
