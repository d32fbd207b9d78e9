import { describe, expect, it } from "vitest";
import { createPainter } from "../../../src/screens/components/painter.ts";

function painting() {
  const written: string[] = [];
  const work: (() => void)[] = [];
  const painter = createPainter({ columns: 10, write: (text) => written.push(text) }, (each) =>
    work.push(each),
  );
  const put = (...texts: string[]) => {
    painter.put(
      0,
      texts.map((text) => ({ text, width: text.length })),
    );
    for (const each of work.splice(0)) each();
    return written.splice(0).join("");
  };
  return { painter, put };
}

describe("painter", () => {
  it("writes the rows that changed, all in one frame, and nothing where none did", () => {
    const { put } = painting();
    put("one", "two", "three");
    const second = put("one", "2", "three");
    expect(second).toContain("\u001b[2;1H2\u001b[K");
    expect(second).not.toContain("one");
    expect(put("one", "2", "three")).toBe("");
  });

  it("never erases after a full line, whose last column would go with it", () => {
    const { painter, put } = painting();
    put("short", "x");
    expect(put("0123456789", "x")).toContain("\u001b[1;1H0123456789\u001b8");
    painter.invalidate();
    expect(put("0123456789", "x")).toContain("0123456789\u001b[2;1Hx\u001b[K");
  });

  it("writes everything again once the terminal was written over", () => {
    const { painter, put } = painting();
    put("one", "two");
    painter.invalidate();
    expect(put("one", "two")).toContain("one");
  });
});
