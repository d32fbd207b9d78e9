import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cleanText, terminalText } from "../../../src/cluster/text.ts";

describe("text of servers and containers", () => {
  test.each([
    ["colours", "\x1b[31mred\x1b[0m", "red"],
    ["a title being set", "a\x1b]0;owned\x07b", "ab"],
    ["a clipboard being written", "a\x1b]52;c;ZXZpbA==\x1b\\b", "ab"],
    ["device control", "a\x1bPq#0\x1b\\b", "ab"],
    ["eight-bit control sequences", "a\x9b2Jb\x9dtitle\x9cc", "abc"],
    ["a line overwritten by carriage return", "secret\rshown", "secret shown"],
    ["bells, backspaces and deletes", "a\x07b\x08c\x7fd", "abcd"],
    ["text turned around", "a\u202egnp.exe\u2066b\u2069", "agnp.exeb"],
    ["invisible characters", "a\u200b\u200d\ufeff\u2028b", "a b"],
    ["private use and unpaired surrogates", "a\ue000\ud800b", "ab"],
    ["line breaks and tabs", "one\n\ttwo\n", "one two"],
  ])("loses %s", (_, text, clean) => expect(cleanText(text)).toBe(clean));

  test("keeps every language, and lines and tabs when asked", () => {
    expect(cleanText("Grüße, 世界, مرحبا, नमस्ते 🚀")).toBe("Grüße, 世界, مرحبا, नमस्ते 🚀");
    expect(cleanText("one\r\n\ttwo", { lines: true })).toBe("one\n\ttwo");
  });

  test("takes no longer for text that was made to take long", () => {
    const bursts = ["\x1b]", "\x1b[", "\x9d", "\x1b[1;", "\x90\x1b"].map((part) => part.repeat(200_000));
    for (const text of bursts) expect(cleanText(text)).not.toMatch(/\p{C}/u);
  });

  test("never hands a terminal anything but printable characters, whatever comes", () => {
    const nasty = fc.string({
      unit: fc.oneof(
        fc.constantFrom("\x1b", "[", "]", "P", "\\", "\x07", "\x9b", "\r", "\n", "\u202e", ";", "m"),
        fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
      ),
    });
    fc.assert(
      fc.property(nasty, fc.boolean(), (text, lines) => {
        const clean = cleanText(text, { lines });
        expect(clean).not.toMatch(lines ? /[^\P{C}\n\t]/u : /\p{C}/u);
        expect(clean).not.toMatch(/[\u2028\u2029]/);
        expect(cleanText(clean, { lines })).toBe(clean);
      }),
    );
  });
});

describe("the last gate before a terminal", () => {
  const hostile = "\x1b[31mred\x1b[0m \x1b]0;owned\x07\x1b[2J\u202eback\rover\tcolumn\nline\x9b31m";

  test("lets colours through where they are written, and nothing else", () => {
    expect(terminalText(hostile, { colors: true })).toBe("\x1b[31mred\x1b[0m back\nover\tcolumn\nline");
    expect(terminalText(hostile, { colors: false })).toBe("red back\nover\tcolumn\nline");
  });

  test("is the same for plain lines", () => {
    expect(terminalText("one\n\ttwo\n", { colors: false })).toBe("one\n\ttwo\n");
  });
});
