import type { ScreenName } from "../state/place.ts";
import type { Action } from "./actions/action.ts";
import { appActions } from "./actions/app-actions.ts";
import { moveActions } from "./actions/move-actions.ts";
import { runActions } from "./actions/run-actions.ts";
import { serviceActions } from "./actions/service-actions.ts";
import { wizardActions } from "./actions/wizard-actions.ts";

export type { Action, ActionContext, TerminalControl } from "./actions/action.ts";

/** Every action there is. */
export const actions: readonly Action[] = [
  ...serviceActions,
  ...runActions,
  ...wizardActions,
  ...moveActions,
  ...appActions,
];

/** The action a key means on a screen: the screen's own comes before one of everywhere. */
export function actionFor(key: string, screen: ScreenName): Action | undefined {
  const meant = actions.filter(({ keys }) => keys.includes(key));
  return (
    meant.find(({ on }) => on !== "everywhere" && on.includes(screen)) ??
    meant.find(({ on }) => on === "everywhere")
  );
}

/** The actions that can be meant on a screen. */
export function actionsOn(screen: ScreenName): readonly Action[] {
  return actions.filter(({ on }) => on === "everywhere" || on.includes(screen));
}
