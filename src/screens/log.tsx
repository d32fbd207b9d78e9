import { logRoom } from "../state/lists.ts";
import type { Place } from "../state/place.ts";
import { useApp, useStored } from "./components/context.ts";
import { useCursor } from "./components/cursor.ts";
import { Frame, message } from "./components/frame.tsx";
import { Rows } from "./components/rows.tsx";
import { type Line, line, span } from "./line.ts";
import { logLine } from "./run.tsx";

/** The whole log of a run. At its end it follows; moving up stays where one reads. */
export function Log({ place }: { readonly place: Place & { readonly screen: "log" } }) {
  const { session, theme } = useApp();
  const { ui, height, top } = useCursor(place);
  const state = useStored(
    (stores) => stores.openRuns,
    ({ states }) => states[place.run],
  );
  const log = state?.log ?? [];
  const room = logRoom(log.length, height);
  const older: readonly Line[] =
    room === height
      ? []
      : [line(`   older lines: ${session.commandLine(["run", "logs", place.run])}`, "dim")];
  const lines =
    log.length === 0
      ? message("Nothing is logged yet.")
      : [
          ...older,
          ...log
            .slice(top, top + room)
            .map((entry) => logLine(entry, state?.steps ?? [], ui.columns, theme.glyphs)),
        ];
  return (
    <Frame summary={[span(`${log.length} lines`, "dim")]}>
      <Rows height={height} lines={lines} />
    </Frame>
  );
}
