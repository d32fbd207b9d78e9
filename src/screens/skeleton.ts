import { themeFor } from "./theme.ts";

/** The terminal, as far as the first frame needs it. */
export interface SkeletonTerminal {
  readonly stdin: { setRawMode?(raw: boolean): unknown };
  readonly stdout: { write(text: string): unknown; readonly columns?: number; readonly rows?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The app's first frame, before anything of the app is loaded: a person sees at once that it starts, and where.
 * The app draws its own first frame over it, which looks the same. Returns what takes it away again where the app
 * cannot start.
 */
export function drawSkeleton({ stdin, stdout, env }: SkeletonTerminal, context: string): () => void {
  const { columns = 80, rows = 24 } = stdout;
  const { sgr, glyphs } = themeFor(env);
  const tone = (name: "strong" | "dim" | "accent", text: string) => sgr[name][0] + text + sgr[name][1];
  const where = context === "" ? "" : tone("dim", ` ${glyphs.dot} `) + tone("accent", context);
  const keys = [
    ["n", "new"],
    ["/", "filter"],
    ["R", "runs"],
    ["q", "leave"],
    [":", "command"],
    ["?", "help"],
  ] as const;
  const at = (row: number, column: number, text: string) => `\u001b[${row};${column}H${text}`;
  const state = "connecting";
  // A key pressed meanwhile is kept for the app instead of being echoed.
  stdin.setRawMode?.(true);
  stdout.write(
    `\u001b[?1049h\u001b[?25l\u001b[2J${at(1, 1, tone("strong", " platform") + where)}` +
      at(1, Math.max(1, columns - state.length), tone("dim", state)) +
      (context === "" ? "" : at(4, 4, `Reading the services of ${context}${glyphs.ellipsis}`)) +
      at(rows, 1, keys.map(([key, word]) => `${tone("accent", ` ${key}`)} ${word}  `).join("")),
  );
  return () => {
    stdin.setRawMode?.(false);
    stdout.write("\u001b[?1049l\u001b[?25h");
  };
}
