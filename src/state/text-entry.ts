import type { Key } from "./key.ts";

/** A line being typed. `cursor` is an offset in UTF-16 units that always stands between two characters. */
export interface TextEntry {
  readonly text: string;
  readonly cursor: number;
}

export const emptyEntry: TextEntry = { text: "", cursor: 0 };

/** An entry holding `text`, its cursor at the end. */
export function entryOf(text: string): TextEntry {
  return { text, cursor: text.length };
}

/** Longest entry kept, in UTF-16 units: a pasted file must not freeze the screen. */
const maxLength = 4096;

/** The entry after a key; undefined where the key is none of text entry's. */
export function press(entry: TextEntry, key: Key): TextEntry | undefined {
  if (key.text !== undefined) return insert(entry, key.text);
  const { text, cursor } = entry;
  switch (key.id) {
    case "backspace": {
      const from = before(text, cursor);
      return { text: text.slice(0, from) + text.slice(cursor), cursor: from };
    }
    case "delete":
    case "ctrl-d":
      return { text: text.slice(0, cursor) + text.slice(after(text, cursor)), cursor };
    case "left":
    case "ctrl-b":
      return { text, cursor: before(text, cursor) };
    case "right":
    case "ctrl-f":
      return { text, cursor: after(text, cursor) };
    case "home":
    case "ctrl-a":
      return { text, cursor: 0 };
    case "end":
    case "ctrl-e":
      return { text, cursor: text.length };
    case "ctrl-u":
      return { text: text.slice(cursor), cursor: 0 };
    case "ctrl-k":
      return { text: text.slice(0, cursor), cursor };
    case "ctrl-w": {
      const kept = text.slice(0, cursor).replace(/[^\s]*\s*$/, "");
      return { text: kept + text.slice(cursor), cursor: kept.length };
    }
    default:
      return undefined;
  }
}

/**
 * Line breaks inside a paste stay, so that validation can name them instead of two lines melting into one word;
 * those at its end, which every copied line has, go.
 */
function insert({ text, cursor }: TextEntry, typed: string): TextEntry {
  const clean = typed
    .replace(/\r\n?/g, "\n")
    .replace(/\n+$/, "")
    .replace(/\t/g, " ")
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, "")
    .slice(0, Math.max(0, maxLength - text.length));
  return { text: text.slice(0, cursor) + clean + text.slice(cursor), cursor: cursor + clean.length };
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Start of the character before `offset`. */
function before(text: string, offset: number): number {
  if (offset === 0) return 0;
  if (/^[\x20-\x7e\n]*$/.test(text)) return offset - 1;
  let last = 0;
  for (const { index } of segmenter.segment(text)) {
    if (index >= offset) break;
    last = index;
  }
  return last;
}

/** End of the character after `offset`. */
function after(text: string, offset: number): number {
  if (offset >= text.length) return text.length;
  if (/^[\x20-\x7e\n]*$/.test(text)) return offset + 1;
  return segmenter.segment(text).containing(offset)?.segment.length === undefined
    ? offset + 1
    : offset + (segmenter.segment(text).containing(offset)?.segment.length ?? 1);
}
