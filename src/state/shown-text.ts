import { cleanText } from "../cluster/text.ts";

/** Text as it may stand in one row of a terminal: nothing that a terminal obeys, and no line break. */
export function shownText(text: string): string {
  return cleanText(text, { lines: true }).replace(/[\n\t]/g, " ");
}
