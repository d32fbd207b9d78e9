import { listStart, settle } from "../state/list.ts";
import { bodyLines, listAt } from "../state/lists.ts";
import { listOf, type Place } from "../state/place.ts";
import { useApp, useStored } from "./components/context.ts";
import { Frame, message } from "./components/frame.tsx";
import { Rows } from "./components/rows.tsx";
import { span } from "./line.ts";
import { logLine } from "./run.tsx";

/** The whole log of a run. At its end it follows; moving up stays where one reads. */
export function Log({ place }: { readonly place: Place & { readonly screen: "log" } }) {
  const { session, theme } = useApp();
  const ui = useStored(
    (stores) => stores.ui,
    (state) => state,
  );
  const state = useStored(
    (stores) => stores.openRuns,
    ({ states }) => states[place.run],
  );
  const height = bodyLines(ui);
  const list = listAt(session, place);
  const { top } =
    list === undefined ? { top: 0 } : settle(ui.lists[listOf(place)] ?? listStart, list.keys, list.viewport);
  const log = state?.log ?? [];
  const lines =
    log.length === 0
      ? message("Nothing is logged yet.")
      : log
          .slice(top, top + height)
          .map((entry) => logLine(entry, state?.steps ?? [], ui.columns, theme.glyphs));
  return (
    <Frame summary={[span(`${log.length} lines`, "dim")]}>
      <Rows height={height} lines={lines} />
    </Frame>
  );
}
