import { listStart, settle } from "../../state/list.ts";
import { bodyLines, listAt } from "../../state/lists.ts";
import { listOf, type Place } from "../../state/place.ts";
import type { Ui } from "../../state/ui.ts";
import { useApp, useStored } from "./context.ts";

/** A screen's body, and where the cursor of its list stands. */
export interface Cursor {
  readonly ui: Ui;
  /** Lines of the body. */
  readonly height: number;
  /** Index of the row under the cursor. */
  readonly index: number;
  /** Index of the first visible row. */
  readonly top: number;
}

/** The cursor of a place for the rows of now. What is listed comes from other stores, which the screen subscribes to itself. */
export function useCursor(place: Place): Cursor {
  const { session } = useApp();
  const ui = useStored((stores) => stores.ui);
  const list = listAt(session, place);
  const { index, top } =
    list === undefined
      ? { index: 0, top: 0 }
      : settle(ui.lists[listOf(place)] ?? listStart, list.keys, list.viewport);
  return { ui, height: bodyLines(ui), index, top };
}
