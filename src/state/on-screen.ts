import { listStart, settle } from "./list.ts";
import { listAt } from "./lists.ts";
import { listOf } from "./place.ts";
import { serviceAt } from "./service-list.ts";
import type { Session } from "./session.ts";
import { placeOf } from "./ui.ts";

/** Names of the runs that have a row on the screen, or whose service has. */
export function runsOnScreen(session: Pick<Session, "stores" | "visible">): ReadonlySet<string> {
  const { stores } = session;
  const ui = stores.ui.getState();
  const place = placeOf(ui);
  if (place.screen === "service" && place.tab !== "runs") {
    const run = serviceAt(stores.fleet.getState().services, place.service)?.lastRun?.name;
    return new Set(run === undefined ? [] : [run]);
  }
  const list = listAt(session, place);
  if (list === undefined) return new Set();
  const { keys, viewport } = list;
  const { top } = settle(ui.lists[listOf(place)] ?? listStart, keys, viewport);
  const { services } = session.visible();
  const names = new Set<string>();
  let used = 0;
  for (let row = top; row < keys.length && used < viewport.height; row++) {
    used += viewport.rowHeight(row);
    const name = place.screen === "services" ? services[row]?.lastRun?.name : keys[row];
    if (name !== undefined) names.add(name);
  }
  return names;
}
