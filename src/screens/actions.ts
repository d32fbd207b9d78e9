import type { Area } from "../state/place.ts";
import type { Action } from "./actions/action.ts";
import { appActions } from "./actions/app-actions.ts";
import { changeActions } from "./actions/change-actions.ts";
import { moveActions } from "./actions/move-actions.ts";
import { orphanActions } from "./actions/orphan-actions.ts";
import { releaseActions } from "./actions/release-actions.ts";
import { runActions } from "./actions/run-actions.ts";
import { serviceActions } from "./actions/service-actions.ts";
import { verbActions } from "./actions/verb-actions.ts";
import { wizardActions } from "./actions/wizard-actions.ts";

export type { Action, ActionContext, TerminalControl } from "./actions/action.ts";

/** Every action there is. */
export const actions: readonly Action[] = [
  ...serviceActions,
  ...changeActions,
  ...releaseActions,
  ...orphanActions,
  ...verbActions,
  ...runActions,
  ...wizardActions,
  ...moveActions,
  ...appActions,
];

/** The action a key means in an area: the area's own comes before one of everywhere. */
export function actionFor(key: string, area: Area): Action | undefined {
  const meant = actions.filter(({ keys }) => keys.includes(key));
  return (
    meant.find(({ on }) => on !== "everywhere" && on.includes(area)) ??
    meant.find(({ on }) => on === "everywhere")
  );
}

/** The actions that can be meant in an area. */
export function actionsOn(area: Area): readonly Action[] {
  return actions.filter(({ on }) => on === "everywhere" || on.includes(area));
}
