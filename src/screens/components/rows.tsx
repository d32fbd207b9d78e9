import { Box, Text } from "ink";
import { memo } from "react";
import { type Line, paint } from "../line.ts";
import { useApp, useStored } from "./context.ts";

/** One row of the terminal. It is laid out and written again only when its text changes. */
const Row = memo(function Row({ text }: { readonly text: string }) {
  return <Text wrap="truncate">{text === "" ? " " : text}</Text>;
});

/** Exactly `height` rows: the lines, what does not fit left out, what is missing left blank. */
export function Rows({ lines, height }: { readonly lines: readonly Line[]; readonly height: number }) {
  const { theme } = useApp();
  const columns = useStored(
    (stores) => stores.ui,
    (ui) => ui.columns,
  );
  return (
    <Box flexDirection="column" height={height}>
      {Array.from({ length: height }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is a place on the screen
        <Row key={row} text={paint(lines[row] ?? [], columns, theme)} />
      ))}
    </Box>
  );
}
