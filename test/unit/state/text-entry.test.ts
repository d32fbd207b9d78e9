import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keysOfText } from "../../../src/state/key.ts";
import { emptyEntry, entryOf, press, type TextEntry } from "../../../src/state/text-entry.ts";

function type(entry: TextEntry, chunk: string): TextEntry {
  return keysOfText(chunk).reduce((now, key) => press(now, key) ?? now, entry);
}

const printable = fc.string({ unit: fc.constantFrom(..."abcXYZ019-_ .é漢".split("")), maxLength: 40 });

describe("text entry", () => {
  it("keeps every character of a text, however it is cut into chunks", () => {
    fc.assert(
      fc.property(printable, fc.array(fc.nat(40)), (text, cuts) => {
        const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
        const entry = at
          .slice(1)
          .reduce((now, end, index) => type(now, text.slice(at[index], end)), emptyEntry);
        expect(entry).toEqual(entryOf(text));
      }),
    );
  });

  it("removes as many characters as backspaces were held down, in one chunk or in many", () => {
    fc.assert(
      fc.property(printable, fc.nat(50), (text, backspaces) => {
        const entry = type(entryOf(text), "\u007f".repeat(backspaces));
        expect(entry.text).toBe([...text].slice(0, Math.max(0, [...text].length - backspaces)).join(""));
      }),
    );
  });

  it("inserts a paste at the cursor, without control bytes, and keeps its inner line breaks visible", () => {
    const before = { text: "ab", cursor: 1 };
    expect(press(before, { id: "paste", text: "x\u001b[31my\r\nz\n" })).toEqual({
      text: "ax[31my\nzb",
      cursor: 9,
    });
  });

  it("moves and deletes by what a person sees as one character", () => {
    const family = "a👨‍👩‍👧b";
    const left = press(entryOf(family), { id: "left" });
    const under = left === undefined ? undefined : press(left, { id: "backspace" });
    expect(under).toEqual({ text: "ab", cursor: 1 });
  });

  it("deletes a word, to the start, and to the end", () => {
    expect(press(entryOf("one two"), { id: "ctrl-w" })?.text).toBe("one ");
    expect(press({ text: "one two", cursor: 4 }, { id: "ctrl-u" })).toEqual({ text: "two", cursor: 0 });
    expect(press({ text: "one two", cursor: 3 }, { id: "ctrl-k" })).toEqual({ text: "one", cursor: 3 });
  });

  it("leaves keys alone that are not its own", () => {
    for (const id of ["enter", "tab", "esc", "up", "ctrl-c"])
      expect(press(entryOf("x"), { id })).toBeUndefined();
  });
});
