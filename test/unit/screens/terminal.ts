import { EventEmitter } from "node:events";
import { Terminal } from "@xterm/headless";
import { render } from "ink";
import { createElement } from "react";
import { createPainter } from "../../../src/screens/components/painter.ts";
import { Root } from "../../../src/screens/root.tsx";
import { themeFor } from "../../../src/screens/theme.ts";
import type { Feed, UseCases } from "../../../src/state/feeds/feed.ts";
import { createSession, type Session } from "../../../src/state/session.ts";
import type { Timers } from "../../../src/state/throttle.ts";

/** The moment all tests of screens play at. */
export const moment = Date.parse("2026-03-01T12:00:00Z");

/** A keyboard that Ink reads as it reads a terminal's. */
export class Keyboard extends EventEmitter {
  readonly isTTY = true;
  private waiting: string[] = [];
  type(chunk: string): void {
    this.waiting.push(chunk);
    this.emit("readable");
  }
  read(): string | null {
    return this.waiting.shift() ?? null;
  }
  setEncoding() {}
  setRawMode() {}
  resume() {}
  pause() {}
  ref() {}
  unref() {}
}

/** A terminal that keeps what a person would see. */
export class Display extends EventEmitter {
  readonly isTTY = true;
  readonly terminal: Terminal;
  columns: number;
  rows: number;
  constructor(columns: number, rows: number) {
    super();
    this.columns = columns;
    this.rows = rows;
    this.terminal = new Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true });
  }
  /** Everything written, control sequences and all. */
  written = "";
  write(text: string, done?: () => void): boolean {
    this.written += text;
    this.terminal.write(text, done);
    return true;
  }
  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.terminal.resize(columns, rows);
    this.emit("resize");
  }
}

/** Timers that fire only when the test says so. */
export class Hands implements Timers {
  private waiting: { at: number; work: () => void }[] = [];
  private time = 0;
  now = () => this.time;
  after = (ms: number, work: () => void) => {
    const entry = { at: this.time + ms, work };
    this.waiting.push(entry);
    return () => {
      this.waiting = this.waiting.filter((each) => each !== entry);
    };
  };
  pass(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const due = this.waiting.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.waiting = this.waiting.filter((each) => each !== due);
      this.time = due.at;
      due.work();
    }
    this.time = end;
  }
}

export interface Opened {
  readonly session: Session;
  readonly hands: Hands;
  /** Types a chunk as one read of the terminal. */
  type(chunk: string): Promise<void>;
  /** What is on the screen, without trailing blanks. */
  screen(): Promise<string>;
  resize(columns: number, rows: number): Promise<void>;
  close(): void;
}

/** Ink holds a lone escape for 20 ms, to see whether a sequence follows. */
const escapeMs = 30;

/** The app's root on a terminal of the given size, fed by nothing but what the test puts into its stores. */
export function open(
  options: {
    readonly columns?: number;
    readonly rows?: number;
    readonly env?: Readonly<Record<string, string>>;
    readonly useCases?: UseCases;
    readonly fleet?: Feed;
    readonly context?: string;
    readonly contexts?: () => Promise<readonly string[]>;
    /** Rows as Ink's own text, as a screen reader gets them, instead of painted. */
    readonly plainText?: boolean;
  } = {},
): Opened {
  const { columns = 80, rows = 24 } = options;
  const keyboard = new Keyboard();
  const display = new Display(columns, rows);
  const hands = new Hands();
  const session = createSession({
    context: options.context ?? "sandbox",
    simulated: true,
    commandLine: (words) => `platform --sandbox ${words.join(" ")}`,
    contexts: options.contexts ?? (async () => ["sandbox"]),
    openContext: () => Promise.reject(new Error("no other context")),
    fleet: options.fleet ?? (async () => {}),
    now: () => moment + hands.now(),
    timers: hands,
  });
  session.setUi((ui) => ({ ...ui, columns, rows }));
  const painter = options.plainText === true ? undefined : createPainter(display);
  const instance = render(
    createElement(Root, {
      session,
      theme: themeFor(options.env ?? { TERM: "xterm-256color", LANG: "C.UTF-8" }),
      ...(painter === undefined ? {} : { painter }),
      stopProcess: async () => {},
    }),
    {
      // Ink asks of its streams only what these have.
      stdin: keyboard as unknown as NodeJS.ReadStream,
      stdout: display as unknown as NodeJS.WriteStream,
      interactive: true,
      alternateScreen: true,
      incrementalRendering: true,
      exitOnCtrlC: false,
      patchConsole: false,
      maxFps: 1000,
    },
  );
  display.on("resize", () => {
    painter?.invalidate();
    session.setUi((ui) => ({ ...ui, columns: display.columns, rows: display.rows }));
  });
  if (options.useCases !== undefined) void session.connect(Promise.resolve(options.useCases));
  const settle = async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    await instance.waitUntilRenderFlush();
    await new Promise<void>((resolve) => display.terminal.write("", resolve));
  };
  return {
    session,
    hands,
    async type(chunk) {
      keyboard.type(chunk);
      if (chunk.endsWith("\u001b")) await new Promise((resolve) => setTimeout(resolve, escapeMs));
      await settle();
    },
    async screen() {
      await settle();
      const { active } = display.terminal.buffer;
      const lines: string[] = [];
      for (let row = 0; row < display.rows; row++) {
        lines.push(active.getLine(active.viewportY + row)?.translateToString(true) ?? "");
      }
      return lines.map((text) => text.trimEnd()).join("\n");
    },
    async resize(width, height) {
      display.resize(width, height);
      await settle();
    },
    close: () => {
      void session.leave(0);
      instance.unmount();
    },
  };
}
