/** A line ready for the terminal, and the columns it takes. */
export interface PaintedLine {
  readonly text: string;
  readonly width: number;
}

/**
 * Writes rows of the screen straight to the terminal, only those that changed. Ink's own output stage takes every
 * cell of every frame apart again, which costs more than all the rest of a key press; see
 * docs/decisions/0007-screens-of-lines.md.
 */
export interface Painter {
  /** What rows from `top` on shall show; written once the current work is done. */
  put(top: number, lines: readonly PaintedLine[]): void;
  /** The terminal was cleared or written over: everything is written again. */
  invalidate(): void;
}

const saveCursor = "\u001b7";
const restoreCursor = "\u001b8";
/** Terminals that know it show a frame at once; the others ignore it. */
const beginFrame = "\u001b[?2026h";
const endFrame = "\u001b[?2026l";

/** A painter of one terminal. */
export function createPainter(
  stdout: { write(text: string): unknown; readonly columns?: number },
  soon: (work: () => void) => void = queueMicrotask,
): Painter {
  const wanted: PaintedLine[] = [];
  let shown: (PaintedLine | undefined)[] = [];
  let waiting = false;
  const flush = () => {
    waiting = false;
    let text = "";
    wanted.forEach((line, row) => {
      const before = shown[row];
      if (before?.text === line.text) return;
      // Erased only where something is left over: after a full line the cursor still stands on its last column.
      const erase = before === undefined || before.width > line.width ? "\u001b[K" : "";
      const full = line.width >= (stdout.columns ?? Number.POSITIVE_INFINITY);
      text += `\u001b[${row + 1};1H${line.text}${full ? "" : erase}`;
    });
    if (text === "") return;
    shown = [...wanted];
    stdout.write(beginFrame + saveCursor + text + restoreCursor + endFrame);
  };
  const ask = () => {
    if (waiting) return;
    waiting = true;
    soon(flush);
  };
  return {
    put(top, lines) {
      lines.forEach((line, index) => {
        wanted[top + index] = line;
      });
      ask();
    },
    invalidate() {
      shown = [];
      wanted.length = 0;
    },
  };
}
