import stringWidth from "fast-string-width";
import { shownText } from "../state/shown-text.ts";
import type { Theme, Tone } from "./theme.ts";

/** Text of one tone. */
export interface Span {
  readonly text: string;
  readonly tone: Tone;
}

/** One row of the screen. Screens are made of these: a row is painted once and only again when it changes. */
export type Line = readonly Span[];

export const blank: Line = [];

/** A span; plain unless told. */
export function span(text: string, tone: Tone = "plain"): Span {
  return { text, tone };
}

/** A line of one span. */
export function line(text: string, tone: Tone = "plain"): Line {
  return [{ text, tone }];
}

/** ASCII and the signs of the theme: a column each, known without a table. */
const narrow = /^[\x20-\x7e·–…›←-↓▌▲◆●◐○✔✖␤⠀-⣿]*$/;

/** Columns that text takes. */
export function widthOf(text: string): number {
  return narrow.test(text) ? text.length : stringWidth(text);
}

/** The beginning of `text` that fits `width` columns, with an ellipsis where something is missing. */
export function clip(text: string, width: number, ellipsis = "…"): string {
  if (widthOf(text) <= width) return text;
  if (width <= 0) return "";
  const room = width - widthOf(ellipsis);
  let kept = "";
  let used = 0;
  for (const character of text) {
    const size = widthOf(character);
    if (used + size > room) break;
    kept += character;
    used += size;
  }
  return room < 0 ? "" : kept + ellipsis;
}

/** `text` with its middle left out where it is wider than `width`: both ends of an identifier tell things apart. */
export function abbreviate(text: string, width: number, ellipsis = "…"): string {
  if (widthOf(text) <= width) return text;
  if (width <= 3) return clip(text, width, ellipsis);
  const characters = [...text];
  const room = width - widthOf(ellipsis);
  const tail = Math.floor(room / 2);
  return characters.slice(0, room - tail).join("") + ellipsis + characters.slice(-tail).join("");
}

/** `text` filled up to `width` columns, or abbreviated in the middle. */
export function cell(text: string, width: number, align: "left" | "right" = "left"): string {
  const short = abbreviate(text, width);
  const space = " ".repeat(Math.max(0, width - widthOf(short)));
  return align === "left" ? short + space : space + short;
}

/** Columns of what stands behind a name that are left whole where both do not fit. */
const shortTag = 9;

/** A name in so many columns, with what stands behind it; the tag is empty where nothing does. */
export function taggedCell(name: string, tag: string, width: number, marked: boolean): Line {
  const room = width - Math.min(tag.length, shortTag) - (tag === "" ? 0 : 1);
  const short = abbreviate(name, room);
  const behind = tag === "" ? "" : ` ${abbreviate(tag, width - widthOf(short) - 1)}`;
  return [
    span(short, marked ? "strong" : "plain"),
    span(behind, "dim"),
    span(" ".repeat(Math.max(0, width - widthOf(short) - widthOf(behind)))),
  ];
}

/** Columns a whole line takes. */
export function lineWidth(spans: Line): number {
  let width = 0;
  for (const { text } of spans) width += widthOf(text);
  return width;
}

/** `left` and `right` at the two edges of `columns`; the left one gives way. */
export function spread(left: Line, right: Line, columns: number): Line {
  const end = lineWidth(right);
  const room = columns - end - 2;
  const start = fitted(left, room);
  return [...start, span(" ".repeat(Math.max(1, columns - end - 1 - lineWidth(start)))), ...right];
}

/** The spans that fit `columns`, the last one clipped. */
export function fitted(spans: Line, columns: number, ellipsis = "…"): Line {
  const fitting: Span[] = [];
  let used = 0;
  for (const piece of spans) {
    const width = widthOf(piece.text);
    if (used + width > columns) {
      fitting.push(span(clip(piece.text, columns - used, ellipsis), piece.tone));
      break;
    }
    fitting.push(piece);
    used += width;
  }
  return fitting;
}

/** Words of `text` in lines of at most `columns`, at most `most` of them. */
export function wrap(text: string, columns: number, most: number): string[] {
  const lines: string[] = [];
  let current = "";
  for (const word of text.split(/\s+/)) {
    const joined = current === "" ? word : `${current} ${word}`;
    if (widthOf(joined) <= columns) {
      current = joined;
      continue;
    }
    if (current !== "") lines.push(current);
    current = word;
  }
  if (current !== "") lines.push(current);
  if (lines.length <= most) return lines.map((each) => clip(each, columns));
  const kept = lines.slice(0, most - 1);
  return [...kept.map((each) => clip(each, columns)), clip(lines.slice(most - 1).join(" "), columns)];
}

/** A command in lines of at most `columns`. A word that is longer goes on in the next line: none of it is left out. */
export function wrapCommand(command: string, columns: number): string[] {
  const pieces = command.split(" ").flatMap((word) => {
    const parts: string[] = [];
    let rest = word;
    while (widthOf(rest) > columns) {
      const part = clip(rest, columns, "");
      parts.push(part);
      rest = rest.slice(part.length);
    }
    return [...parts, rest];
  });
  return wrap(pieces.join(" "), columns, pieces.length);
}

/**
 * The line as the terminal gets it, with the theme's control sequences and no others: the last gate for what slipped
 * through uncleaned.
 */
export function paint(spans: Line, theme: Theme): string {
  let text = "";
  for (const piece of spans) {
    if (piece.text === "") continue;
    const [open, close] = theme.sgr[piece.tone];
    text += open + (narrow.test(piece.text) ? piece.text : shownText(piece.text)) + close;
  }
  // Who shortens a text need not know what the terminal can show.
  const { ellipsis } = theme.glyphs;
  return ellipsis === "…" ? text : text.replaceAll("…", ellipsis);
}
