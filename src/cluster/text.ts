/** Text without a character that is not printable ASCII needs no cleaning. */
const plain = /^[\x20-\x7e]*$/;

/**
 * Operating-system commands, device control and the like, with what they carry, where they end on the same line. What
 * they carry holds no other beginning, so that a line full of beginnings takes no longer than any other.
 */
const controlString = /(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\n\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c)/g;
const controlSequence = /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]/g;
const otherEscape = /\x1b[ -/]*[0-~]?/g;

/** Letters, marks, numbers, punctuation, symbols and blanks. Everything else goes: C0, C1, bidi and other format characters, private use, unassigned. */
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}\n\t]/gu;

/**
 * Text of a server, container or file, made safe for a terminal: an allow-list, because names, messages and logs
 * can carry escape sequences that rewrite the screen (CVE-2021-25743). Line breaks and tabs become blanks unless
 * `lines` asks to keep them.
 */
export function cleanText(text: string, options: { readonly lines?: boolean } = {}): string {
  if (plain.test(text)) return text;
  const printable = text
    .replace(controlString, "")
    .replace(controlSequence, "")
    .replace(otherEscape, "")
    .replace(/\r\n?|[\u2028\u2029\v\f]/g, "\n")
    .replace(unprintable, "");
  return options.lines === true ? printable : printable.replace(/[\n\t]+/g, " ").trim();
}

/** Colours and the like, which this program writes itself. */
const rendition = /(\x1b\[[0-9;]*m)/;
const plainLines = /^[\x20-\x7e\n\t]*$/;

/**
 * The last gate before a terminal or a pipe: what slipped through uncleaned loses everything but printable
 * characters, line breaks, tabs and, where `colors` are written, colours.
 */
export function terminalText(text: string, options: { readonly colors: boolean }): string {
  if (plainLines.test(text)) return text;
  if (!options.colors) return cleanText(text, { lines: true });
  return text
    .split(rendition)
    .map((part, index) => (index % 2 === 1 ? part : cleanText(part, { lines: true })))
    .join("");
}
