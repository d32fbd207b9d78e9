import type { Key as InkKey } from "ink";
import { type Key, keysOfText } from "../state/key.ts";

const named: readonly (readonly [flag: keyof InkKey, id: string])[] = [
  ["upArrow", "up"],
  ["downArrow", "down"],
  ["leftArrow", "left"],
  ["rightArrow", "right"],
  ["pageUp", "page-up"],
  ["pageDown", "page-down"],
  ["home", "home"],
  ["end", "end"],
  ["return", "enter"],
  ["escape", "esc"],
  ["backspace", "backspace"],
  ["delete", "delete"],
];

/**
 * The presses in one input event of Ink. A burst of keys arrives as one event whose text holds all of them, `abc\r`
 * without a sign that return was pressed: taking it apart here loses and doubles nothing.
 */
export function keysOf(input: string, key: InkKey): readonly Key[] {
  if (key.eventType === "release") return [];
  if (key.tab) return [{ id: key.shift ? "shift-tab" : "tab" }];
  for (const [flag, id] of named) {
    if (key[flag]) return [{ id }];
  }
  if (key.ctrl) return input === "" ? [] : [input === " " ? { id: "ctrl-space" } : { id: `ctrl-${input}` }];
  // Escape and a letter in one chunk: either alt, or two keys pressed fast. The dispatcher decides.
  if (key.meta && input.length === 1) return [{ id: `alt-${input}` }];
  return keysOfText(input);
}
