import type { Place } from "../state/place.ts";
import { useApp, useStored } from "./components/context.ts";
import { useCursor } from "./components/cursor.ts";
import { Frame, message } from "./components/frame.tsx";
import { Rows } from "./components/rows.tsx";
import { span } from "./line.ts";
import { logLine } from "./run.tsx";

/** The whole log of a run. At its end it follows; moving up stays where one reads. */
export function Log({ place }: { readonly place: Place & { readonly screen: "log" } }) {
  const { theme } = useApp();
  const { ui, height, top } = useCursor(place);
  const state = useStored(
    (stores) => stores.openRuns,
    ({ states }) => states[place.run],
  );
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
