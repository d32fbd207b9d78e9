import { listStart, type Move, moveIn } from "../../state/list.ts";
import { listAt } from "../../state/lists.ts";
import { type Area, listOf } from "../../state/place.ts";
import { placeOf } from "../../state/ui.ts";
import type { Action, ActionContext } from "./action.ts";
import { choicesOf } from "./choices.ts";

function move(kind: Move): (context: ActionContext) => void {
  return (context) => {
    const { session } = context;
    const place = placeOf(session.ui());
    const list = listAt(session, place);
    const { choice } = session.ui();
    const choices = choicesOf(context).length;
    if (choices > 0) {
      const step = kind === "up" ? -1 : kind === "down" ? 1 : 0;
      return session.setUi((ui) => ({ ...ui, choice: Math.max(0, Math.min(choices - 1, choice + step)) }));
    }
    if (list === undefined) return;
    const key = listOf(place);
    session.setUi((ui) => ({
      ...ui,
      lists: { ...ui.lists, [key]: moveIn(ui.lists[key] ?? listStart, list.keys, list.viewport, kind) },
      notice: undefined,
    }));
  };
}

const lists: readonly Area[] = [
  "services",
  "runs",
  "run",
  "log",
  "service",
  "releases",
  "orphans",
  "contexts",
];

const moves: readonly (readonly [id: Move, keys: readonly string[], title: string])[] = [
  ["up", ["k", "up"], "Up"],
  ["down", ["j", "down"], "Down"],
  ["first", ["g", "home"], "To the first"],
  ["last", ["G", "end"], "To the last"],
  ["page-up", ["page-up", "ctrl-b"], "A page up"],
  ["page-down", ["page-down", "ctrl-f"], "A page down"],
];

/** Moving the cursor. */
export const moveActions: readonly Action[] = [
  ...moves.map(
    ([kind, keys, title]): Action => ({
      id: `move.${kind}`,
      keys,
      title,
      category: "Move",
      on: lists,
      unlisted: true,
      run: move(kind),
    }),
  ),
];
