import type { PreviewLine, RollbackPreview } from "../provisioning/run.ts";
import { bodyLines } from "../state/lists.ts";
import type { Place } from "../state/place.ts";
import type { RollbackPage } from "../state/stores.ts";
import type { Ui } from "../state/ui.ts";
import { useApp, useStored } from "./components/context.ts";
import { entrySpans, Frame, message } from "./components/frame.tsx";
import { Rows } from "./components/rows.tsx";
import { cell, type Line, line, span, widthOf } from "./line.ts";
import type { Glyphs, Tone } from "./theme.ts";

/** What a rollback would delete and keep, before anything is touched. */
export function Rollback({ place }: { readonly place: Place & { readonly screen: "rollback" } }) {
  const { theme } = useApp();
  const ui = useStored(
    (stores) => stores.ui,
    (state) => state,
  );
  const page = useStored(
    (stores) => stores.rollback,
    (state) => state,
  );
  const height = bodyLines(ui);
  return (
    <Frame>
      <Rows height={height} lines={rollbackView(place.service, page, ui, height, theme.glyphs)} />
    </Frame>
  );
}

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
  const foot: Line[] = [
    [],
    [span("   Data stores  ", "dim"), span(stores[ui.dataStores]), span("   tab changes it", "dim")],
    [],
    ...confirm(service, preview, ui, glyphs),
  ];
  const room = height - foot.length;
  return [...sections(preview, ui.columns, room, glyphs), ...foot];
}

function confirm(
  service: string,
  preview: RollbackPreview,
  ui: Pick<Ui, "confirmation">,
  glyphs: Glyphs,
): readonly Line[] {
  if (!preview.destroysData) return [line("   enter rolls back. esc leaves everything as it is.", "strong")];
  const done = ui.confirmation.text === service;
  return [
    [
      span(`   ${glyphs.warning} This destroys data. `, "bad"),
      span(`Type ${service} to roll back: `),
      ...entrySpans(ui.confirmation, true),
      span(done ? `  ${glyphs.ok} enter rolls back` : "", "good"),
    ],
  ];
}

function sections(preview: RollbackPreview, columns: number, room: number, glyphs: Glyphs): readonly Line[] {
  const all: readonly (readonly [title: string, lines: readonly PreviewLine[], tone: Tone])[] = [
    ["Deletes", preview.deletes, "bad"],
    ["Keeps", preview.keeps, "good"],
    ["Cannot", preview.irreversible, "warn"],
  ];
  const total = all.reduce((sum, [, lines]) => sum + lines.length, 0);
  if (total === 0) return [line("   This run left nothing: there is nothing to undo.")];
  const spare = Math.max(3, room - 2);
  const texts = all.flatMap(([, lines]) => lines.map(({ text }) => widthOf(text)));
  // What goes is told whole; the reason beside it gives way.
  const width = Math.min(Math.max(20, ...texts), columns - 28);
  const lines: Line[] = [];
  let left = total;
  for (const [title, entries, tone] of all) {
    entries.forEach(({ text, reason }, index) => {
      if (lines.length >= spare) return;
      left -= 1;
      lines.push([
        span(`   ${(index === 0 ? title : "").padEnd(10)}`, tone),
        span(cell(text, width)),
        span(`  ${reason}`, "dim"),
      ]);
    });
  }
  return left === 0 ? lines : [...lines, line(`   ${glyphs.ellipsis} and ${left} more`, "dim")];
}
