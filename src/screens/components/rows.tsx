import { Box, Text } from "ink";
import { memo, useLayoutEffect } from "react";
import { frameTop } from "../../state/lists.ts";
import { fitted, type Line, lineWidth, paint } from "../line.ts";
import { useApp, useStored } from "./context.ts";
import type { PaintedLine } from "./painter.ts";

/** One row of the terminal. It is laid out and written again only when its text changes. */
const Row = memo(function Row({ text }: { readonly text: string }) {
  return <Text wrap="truncate">{text === "" ? " " : text}</Text>;
});

/**
 * Exactly `height` rows from row `top` of the screen on: the lines, what does not fit left out, what is missing left
 * blank. A painter writes them where there is one; otherwise, as for screen readers, they are Ink's own text.
 */
export function Rows({
  lines,
  height,
  top = frameTop,
}: {
  readonly lines: readonly Line[];
  readonly height: number;
  readonly top?: number;
}) {
  const { theme, painter } = useApp();
  const columns = useStored(
    (stores) => stores.ui,
    (ui) => ui.columns,
  );
  const painted = Array.from({ length: height }, (_, row): PaintedLine => {
    const spans = fitted(lines[row] ?? [], columns, theme.glyphs.ellipsis);
    return { text: paint(spans, theme), width: lineWidth(spans) };
  });
  useLayoutEffect(() => painter?.put(top, painted));
  if (painter !== undefined) return null;
  return (
    <Box flexDirection="column" height={height}>
      {painted.map(({ text }, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is a place on the screen
        <Row key={row} text={text} />
      ))}
    </Box>
  );
}
