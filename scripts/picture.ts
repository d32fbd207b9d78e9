import type { IBufferCell, Terminal } from "@xterm/headless";

/** Colours of the sixteen ANSI slots, and of plain text and background, of one terminal theme. */
interface Palette {
  readonly background: string;
  readonly foreground: string;
  readonly ansi: readonly string[];
}

const palettes: Readonly<Record<"dark" | "light", Palette>> = {
  dark: {
    background: "#16181d",
    foreground: "#d7dae0",
    ansi: "#3b4048 #e06c75 #98c379 #e5c07b #61afef #c678dd #56b6c2 #abb2bf #6b7280 #ff7b86 #b5e08f #ffd68a #7cc4ff #de9bf5 #7fd8e2 #ffffff".split(
      " ",
    ),
  },
  light: {
    background: "#fbfbfa",
    foreground: "#24292f",
    ansi: "#24292f #b42318 #18794e #946300 #1c5fb8 #7a3bb8 #0e7490 #57606a #6e7781 #c93c37 #2da44e #bf8700 #218bff #a475f9 #3192aa #8c959f".split(
      " ",
    ),
  },
};

/** One of xterm's 256 colours as CSS. */
function paletteColour(index: number, palette: Palette): string {
  if (index < 16) return palette.ansi[index] ?? palette.foreground;
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return `rgb(${grey},${grey},${grey})`;
  }
  const level = (n: number) => (n === 0 ? 0 : 55 + n * 40);
  const cube = index - 16;
  return `rgb(${level(Math.floor(cube / 36))},${level(Math.floor(cube / 6) % 6)},${level(cube % 6)})`;
}

function foregroundOf(cell: IBufferCell, palette: Palette): string {
  if (cell.isFgRGB()) return `#${cell.getFgColor().toString(16).padStart(6, "0")}`;
  if (cell.isFgPalette()) return paletteColour(cell.getFgColor(), palette);
  return palette.foreground;
}

function backgroundOf(cell: IBufferCell, palette: Palette): string | undefined {
  if (cell.isBgRGB()) return `#${cell.getBgColor().toString(16).padStart(6, "0")}`;
  if (cell.isBgPalette()) return paletteColour(cell.getBgColor(), palette);
  return undefined;
}

const escapeXml = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/**
 * Draws the visible part of a terminal as SVG. Runs of cells of one look become one text element with an exact
 * width, so that columns stay aligned whatever monospaced font the viewer has.
 */
export function terminalToSvg(terminal: Terminal, theme: "dark" | "light"): string {
  const palette = palettes[theme];
  const cellWidth = 8.4;
  const cellHeight = 18;
  const margin = 14;
  const width = terminal.cols * cellWidth + 2 * margin;
  const height = terminal.rows * cellHeight + 2 * margin;
  const shapes: string[] = [];
  const buffer = terminal.buffer.active;
  for (let row = 0; row < terminal.rows; row++) {
    const line = buffer.getLine(buffer.viewportY + row);
    if (line === undefined) continue;
    let run:
      | {
          readonly look: string;
          readonly background: string | undefined;
          readonly start: number;
          text: string;
          cells: number;
        }
      | undefined;
    const flush = () => {
      if (run === undefined) return;
      const x = (margin + run.start * cellWidth).toFixed(1);
      const y = margin + row * cellHeight;
      const length = (run.cells * cellWidth).toFixed(1);
      if (run.background !== undefined)
        shapes.push(
          `<rect x="${x}" y="${y}" width="${length}" height="${cellHeight}" fill="${run.background}"/>`,
        );
      if (run.text.trim() !== "")
        shapes.push(
          `<text x="${x}" y="${y + 13}" textLength="${length}" ${run.look}>${escapeXml(run.text)}</text>`,
        );
      run = undefined;
    };
    for (let column = 0; column < terminal.cols; column++) {
      const cell = line.getCell(column);
      if (cell === undefined || cell.getWidth() === 0) continue;
      const inverse = cell.isInverse() !== 0;
      const colour = inverse
        ? (backgroundOf(cell, palette) ?? palette.background)
        : foregroundOf(cell, palette);
      const background = inverse ? foregroundOf(cell, palette) : backgroundOf(cell, palette);
      const look = `fill="${colour}"${cell.isBold() ? ' font-weight="bold"' : ""}${cell.isDim() ? ' opacity="0.6"' : ""}${cell.isUnderline() ? ' text-decoration="underline"' : ""}${cell.isItalic() ? ' font-style="italic"' : ""}`;
      if (run === undefined || run.look !== look || run.background !== background) {
        flush();
        run = { look, background, start: column, text: "", cells: 0 };
      }
      run.text += cell.getChars() || " ";
      run.cells += cell.getWidth();
    }
    flush();
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<rect width="100%" height="100%" rx="8" fill="${palette.background}"/>`,
    `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" xml:space="preserve">`,
    ...shapes,
    "</g></svg>",
    "",
  ].join("\n");
}
