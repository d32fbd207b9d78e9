import { useApp, useStored } from "./components/context.ts";
import { useCursor } from "./components/cursor.ts";
import { Frame, message } from "./components/frame.tsx";
import { Rows } from "./components/rows.tsx";
import { type Line, line, span } from "./line.ts";

/** The contexts one can change to. */
export function Contexts() {
  const { theme } = useApp();
  const { height, index, top } = useCursor({ screen: "contexts" });
  const { names, status, error } = useStored((stores) => stores.contexts);
  const current = useStored(
    (stores) => stores.connection,
    ({ context }) => context,
  );
  const rows = names.slice(top, top + height - 1).map((name, offset): Line => {
    const marked = top + offset === index;
    return [
      span(marked ? ` ${theme.glyphs.bar} ` : "   ", "accent"),
      span(
        `${name === current ? theme.glyphs.full : theme.glyphs.empty} `,
        name === current ? "accent" : "dim",
      ),
      span(name, marked ? "strong" : "plain"),
      span(name === current ? "   in use" : name === "sandbox" ? "   simulated, on this machine" : "", "dim"),
    ];
  });
  const lines =
    names.length > 0
      ? [line("   CONTEXT", "dim"), ...rows]
      : error !== undefined
        ? message(`${theme.glyphs.failed} ${error}`)
        : status === "loading"
          ? message(`Reading the contexts${theme.glyphs.ellipsis}`)
          : message("No contexts.", "kubectl config get-contexts shows what kubectl knows.");
  return (
    <Frame>
      <Rows height={height} lines={lines} />
    </Frame>
  );
}
