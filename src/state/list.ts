/**
 * Where the cursor of a long list stands. It belongs to a row's key, not to its number: when rows come, go or
 * change places, the cursor and the rows around it stay where they are on the screen.
 */
export interface ListPosition {
  /** Undefined until the cursor was moved, and when it was moved back home: then it stays on that row, whichever it is. */
  readonly key: string | undefined;
  /** Index of the cursor when it was last moved. */
  readonly index: number;
  /** Index of the first visible row then. */
  readonly top: number;
}

export const listStart: ListPosition = { key: undefined, index: 0, top: 0 };

/** What is seen of a list. */
export interface Viewport {
  /** Lines there are for rows. */
  readonly height: number;
  /** Lines that the row at an index takes. */
  readonly rowHeight: (index: number) => number;
  /** Where a cursor stands that was never moved: the first row unless told; a log's is the last one. */
  readonly home?: number;
}

/** The position as it is for the rows of now: index of the cursor and of the first visible row. */
export function settle(
  position: ListPosition,
  keys: readonly string[],
  viewport: Viewport,
): { readonly index: number; readonly top: number } {
  if (keys.length === 0) return { index: 0, top: 0 };
  const last = keys.length - 1;
  let index = position.index;
  if (position.key !== undefined && keys[index] !== position.key) {
    const found = keys.indexOf(position.key);
    index = found === -1 ? index : found;
  }
  if (position.key === undefined) index = viewport.home ?? 0;
  index = clamp(index, 0, last);
  let top = position.key === undefined ? 0 : clamp(position.top + index - position.index, 0, index);
  // The whole row of the cursor is visible.
  let used = 0;
  let lowest = index;
  for (let row = index; row >= 0; row--) {
    used += viewport.rowHeight(row);
    if (used > viewport.height && row !== index) break;
    lowest = row;
  }
  top = Math.max(top, lowest);
  // No empty lines below while rows above are hidden.
  used = 0;
  let floor = keys.length;
  for (let row = last; row >= 0; row--) {
    used += viewport.rowHeight(row);
    if (used > viewport.height) break;
    floor = row;
  }
  return { index, top: Math.min(top, Math.min(floor, index)) };
}

export type Move = "up" | "down" | "page-up" | "page-down" | "first" | "last";

/** The position after a movement key. */
export function moveIn(
  position: ListPosition,
  keys: readonly string[],
  viewport: Viewport,
  move: Move,
): ListPosition {
  const { index, top } = settle(position, keys, viewport);
  const page = Math.max(1, viewport.height - 1);
  const steps: Record<Move, number> = {
    up: -1,
    down: 1,
    "page-up": -page,
    "page-down": page,
    first: -keys.length,
    last: keys.length,
  };
  const next = clamp(index + steps[move], 0, Math.max(0, keys.length - 1));
  const atHome = next === (viewport.home ?? 0);
  return { key: atHome ? undefined : keys[next], index: next, top };
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
