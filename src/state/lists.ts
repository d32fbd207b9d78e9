import type { RunState } from "../provisioning/runs/run.ts";
import { keptLogLines } from "../provisioning/runs/run-reducer.ts";
import { serviceText } from "../provisioning/runs/service-of-run.ts";
import { listStart, type Viewport } from "./list.ts";
import { listOf, type Place } from "./place.ts";
import { visibleRuns } from "./run-list.ts";
import { serviceHeight } from "./service-list.ts";
import type { Session } from "./session.ts";
import { placeOf, type Ui } from "./ui.ts";

/** Lines of the frame around a screen's body: the top line, a blank one, the notice and the keys. */
export const frameLines = 4;

/** First row of a screen's body. */
export const frameTop = 2;

/** The smallest terminal the screens are made for. */
export const smallest = { columns: 80, rows: 24 };

/** Lines a screen's body has. */
export function bodyLines(ui: Pick<Ui, "rows">): number {
  return Math.max(1, ui.rows - frameLines);
}

/** Lines a service's tabs and their headings take. */
export const serviceHeadLines = 4;

/** Lines below the releases for what differs between two of them. */
export const releasePaneLines = 10;

/** Lines below the orphans for what the one under the cursor is. */
export const orphanPaneLines = 7;

/** Lines for a run's log: one less where older lines have gone elsewhere, which is told above it. */
export function logRoom(lines: number, height: number): number {
  return lines < keptLogLines ? height : Math.max(1, height - 1);
}

/** The rows that a place's cursor moves over; undefined where it has none. */
export interface PlaceList {
  readonly keys: readonly string[];
  readonly viewport: Viewport;
}

/** Index of the step a person should look at: the failed one, else the first that runs, else why it was undone. */
export function activeStep(state: RunState | undefined): number {
  const steps = state?.steps ?? [];
  const failed = steps.findIndex(({ phase }) => phase === "Failed" || phase === "CompensationFailed");
  if (failed !== -1) return failed;
  const busy = steps.findIndex(
    ({ phase }) => phase === "Running" || phase === "Retrying" || phase === "Compensating",
  );
  if (busy !== -1) return busy;
  const cause = steps.findIndex(({ id }) => id === state?.failure?.step);
  return cause === -1 ? Math.max(0, steps.length - 1) : cause;
}

/** What the cursor of the shown place moves over. */
export function listAt(session: Pick<Session, "stores" | "visible">, place: Place): PlaceList | undefined {
  const { stores } = session;
  const ui = stores.ui.getState();
  const height = bodyLines(ui);
  const plain = (keys: readonly string[], head: number): PlaceList => ({
    keys,
    viewport: { height: Math.max(1, height - head), rowHeight: () => 1 },
  });
  switch (place.screen) {
    case "services": {
      const { services, keys } = session.visible();
      return {
        keys,
        viewport: { height: Math.max(1, height - 1), rowHeight: (index) => serviceHeight(services[index]) },
      };
    }
    case "runs":
      return plain(
        visibleRuns(stores.runs.getState().runs, ui).map(({ name }) => name),
        1,
      );
    case "orphans":
      return plain(
        stores.orphans.getState().found.map(({ name }) => name),
        1 + orphanPaneLines,
      );
    case "contexts":
      return plain(stores.contexts.getState().names, 1);
    case "run": {
      const state = stores.openRuns.getState().states[place.run];
      const keys = (state?.steps ?? []).map(({ id }) => id);
      return { keys, viewport: { height, rowHeight: () => 1, home: activeStep(state) } };
    }
    case "log": {
      const lines = stores.openRuns.getState().states[place.run]?.log ?? [];
      const keys = lines.map(({ at, line }, index) => `${at} ${index} ${line}`);
      const room = logRoom(keys.length, height);
      return { keys, viewport: { height: room, rowHeight: () => 1, home: Math.max(0, keys.length - 1) } };
    }
    case "service": {
      if (place.tab === "overview") return undefined;
      if (place.tab === "releases") {
        const { of, releases } = stores.releases.getState();
        const keys = of === place.service ? releases.map(({ number }) => String(number)) : [];
        return plain(keys, serviceHeadLines + releasePaneLines);
      }
      if (place.tab === "runs") {
        const runs = stores.runs.getState().runs.filter((run) => serviceText(run) === place.service);
        return plain(
          runs.map(({ name }) => name),
          serviceHeadLines,
        );
      }
      const { of, rows } = stores.detail.getState();
      const keys = of === `${place.service}/${place.tab}` ? rows.map(({ key }) => key) : [];
      const list = plain(keys, serviceHeadLines);
      return place.tab === "logs"
        ? { ...list, viewport: { ...list.viewport, home: Math.max(0, keys.length - 1) } }
        : list;
    }
    default:
      return undefined;
  }
}

/** Key of the row under the cursor of the shown place. */
export function keyUnderCursor(session: Pick<Session, "stores" | "visible">): string | undefined {
  const ui = session.stores.ui.getState();
  const place = placeOf(ui);
  const list = listAt(session, place);
  if (list === undefined) return undefined;
  const position = ui.lists[listOf(place)] ?? listStart;
  return list.keys[cursorIndex(position, list)];
}

/** Index of the cursor among the rows of now, without laying out what is visible. */
export function cursorIndex(
  position: { readonly key: string | undefined; readonly index: number },
  { keys, viewport }: PlaceList,
): number {
  if (position.key === undefined) return Math.min(viewport.home ?? 0, Math.max(0, keys.length - 1));
  if (keys[position.index] === position.key) return position.index;
  const found = keys.indexOf(position.key);
  return found === -1 ? Math.min(position.index, Math.max(0, keys.length - 1)) : found;
}
