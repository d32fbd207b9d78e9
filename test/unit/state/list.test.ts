import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { listStart, type Move, moveIn, settle, type Viewport } from "../../../src/state/list.ts";

const rows = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`);
const plain = (height: number): Viewport => ({ height, rowHeight: () => 1 });
const moves: readonly Move[] = ["up", "down", "page-up", "page-down", "first", "last"];

describe("list cursor", () => {
  it("is always visible with its whole row, whatever is pressed and however high rows are", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 2, max: 12 }),
        fc.array(fc.constantFrom(...moves), { maxLength: 30 }),
        (heights, height, pressed) => {
          const keys = rows(heights.length);
          const viewport: Viewport = { height, rowHeight: (index) => heights[index] ?? 1 };
          const position = pressed.reduce((now, move) => moveIn(now, keys, viewport, move), listStart);
          const { index, top } = settle(position, keys, viewport);
          let used = 0;
          for (let row = top; row <= index; row++) used += viewport.rowHeight(row);
          expect(top).toBeLessThanOrEqual(index);
          expect(used).toBeLessThanOrEqual(height);
        },
      ),
    );
  });

  it("stays on its service, at the same line of the screen, when rows come and go above", () => {
    const keys = rows(40);
    const down = Array.from({ length: 20 }).reduce<typeof listStart>(
      (now) => moveIn(now, keys, plain(10), "down"),
      listStart,
    );
    const before = settle(down, keys, plain(10));
    const after = settle(down, ["new", ...keys], plain(10));
    expect(["new", ...keys][after.index]).toBe(keys[before.index]);
    expect(after.index - after.top).toBe(before.index - before.top);
  });

  it("stays on the first row while it was never moved, so that what needs a person comes into view", () => {
    expect(settle(listStart, ["worse", "a", "b"], plain(10))).toEqual({ index: 0, top: 0 });
  });

  it("goes to the neighbour when its service is gone", () => {
    const keys = rows(5);
    const third = moveIn(moveIn(listStart, keys, plain(10), "down"), keys, plain(10), "down");
    const left = keys.filter((key) => key !== "s2");
    expect(left[settle(third, left, plain(10)).index]).toBe("s3");
  });

  it("follows the end of a log until one moves up", () => {
    const tail = (count: number): Viewport => ({ ...plain(5), home: count - 1 });
    expect(settle(listStart, rows(30), tail(30))).toEqual({ index: 29, top: 25 });
    const up = moveIn(listStart, rows(30), tail(30), "up");
    expect(settle(up, rows(40), tail(40)).index).toBe(28);
  });
});
