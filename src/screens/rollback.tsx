import type { PreviewLine, RollbackPreview } from "../provisioning/runs/run.ts";
import { bodyLines } from "../state/lists.ts";
import type { Place } from "../state/place.ts";
import { touchesData } from "../state/reviews.ts";
import type { RollbackPage } from "../state/stores.ts";
import type { Ui } from "../state/ui.ts";
import { useApp, useStored } from "./components/context.ts";
import { Frame, message } from "./components/frame.tsx";
import { Rows } from "./components/rows.tsx";
import { destruction } from "./destruction.ts";
import { cell, type Line, line, span, widthOf } from "./line.ts";
import type { Glyphs, Tone } from "./theme.ts";

/** What a rollback would delete and keep, before anything is touched. */
export function Rollback({ place }: { readonly place: Place & { readonly screen: "rollback" } }) {
  const { theme } = useApp();
  const ui = useStored((stores) => stores.ui);
  const page = useStored((stores) => stores.rollback);
  const height = bodyLines(ui);
  return (
    <Frame>
      <Rows height={height} lines={rollbackView(place.service, page, ui, height, theme.glyphs)} />
    </Frame>
  );
}

/** Columns before what is deleted or kept: the indent and the section's title. */
const margin = 13;

const stores: Readonly<Record<Ui["dataStores"], string>> = {
  "keep-used": "delete those nobody has used, keep the others",
  keep: "keep all",
  delete: "delete all, with what is in them",
};

/** The body of the rollback preview. */
export function rollbackView(
  service: string,
  page: RollbackPage,
  ui: Pick<Ui, "dataStores" | "confirmation" | "columns">,
  height: number,
  glyphs: Glyphs,
): readonly Line[] {
  if (page.status === "loading")
    return message(`Looking at what the run made${glyphs.ellipsis}`, "Nothing is deleted yet.");
  if (page.preview === undefined) {
    return message(
      `${glyphs.failed} ${page.problem ?? "There is no preview."}`,
      "esc goes back; nothing was touched.",
    );
  }
  const { preview } = page;
  const asks: readonly Line[] = touchesData(preview)
    ? [[span("   Data stores  ", "dim"), span(stores[ui.dataStores]), span("   tab changes it", "dim")], []]
    : [];
  const foot: Line[] = [[], ...asks, ...confirm(service, preview, ui, glyphs)];
  const room = height - foot.length;
  return [...sections(preview, ui.columns, room, glyphs), ...foot];
}

function confirm(
  service: string,
  preview: RollbackPreview,
  ui: Pick<Ui, "confirmation">,
  glyphs: Glyphs,
): readonly Line[] {
  const { destroysData, protectedStores = [] } = preview;
  if (!destroysData && protectedStores.length === 0) {
    return [line("   enter rolls back. esc leaves everything as it is.", "strong")];
  }
  return destruction({ name: service, deed: "roll back", protectedStores, typed: ui.confirmation, glyphs });
}

function sections(preview: RollbackPreview, columns: number, room: number, glyphs: Glyphs): readonly Line[] {
  const all: readonly (readonly [title: string, lines: readonly PreviewLine[], tone: Tone])[] = [
    ["Restores", preview.restores, "good"],
    ["Deletes", preview.deletes, "bad"],
    ["Keeps", preview.keeps, "good"],
    ["Cannot", preview.irreversible, "warn"],
    ["Unread", preview.unread ?? [], "warn"],
  ];
  const total = all.reduce((sum, [, lines]) => sum + lines.length, 0);
  if (total === 0) return [line("   This run left nothing: there is nothing to undo.")];
  const spare = Math.max(3, room - 2);
  const entries = all.flatMap(([title, lines, tone]) =>
    lines.map((entry, index) => ({ ...entry, title: index === 0 ? title : "", tone })),
  );
  const widest = Math.max(20, ...entries.map(({ text }) => widthOf(text)));
  const beside = entries.every(({ reason }) => margin + widest + 2 + widthOf(reason) < columns);
  // Why something goes or stays decides: where it does not fit beside, it stands below, as long as all of it fits.
  const below = !beside && 2 * total <= spare;
  const width = Math.min(widest, columns - (below ? margin + 1 : 28));
  const lines = entries.flatMap(({ text, reason, title, tone }): readonly Line[] => {
    const head = [span(`   ${title.padEnd(margin - 3)}`, tone), span(cell(text, width))];
    if (!below) return [[...head, span(`  ${reason}`, "dim")]];
    return reason === "" ? [head] : [head, [span(" ".repeat(margin + 2)), span(reason, "dim")]];
  });
  if (below || total <= spare) return lines;
  return [...lines.slice(0, spare), line(`   ${glyphs.ellipsis} and ${total - spare} more`, "dim")];
}
