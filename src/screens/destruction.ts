import type { TextEntry } from "../state/text-entry.ts";
import { entrySpans } from "./components/frame.tsx";
import { type Line, line, span } from "./line.ts";
import type { Glyphs } from "./theme.ts";

/** Longest name, in characters, that is typed beside the question instead of below it. */
const longestBeside = 16;

/** The last question before something is destroyed: what is lost, what protects it, and the name to type. */
export function destruction({
  name,
  deed,
  protectedStores,
  typed,
  glyphs,
  loses = true,
}: {
  readonly name: string;
  /** `roll back`. */
  readonly deed: string;
  /** Data stores that are protected against deletion. */
  readonly protectedStores: readonly string[];
  readonly typed: TextEntry;
  readonly glyphs: Glyphs;
  /** Whether data is lost, and not only what can be made again. */
  readonly loses?: boolean;
}): readonly Line[] {
  const done = typed.text === name;
  const are = protectedStores.length === 1 ? "is" : "are";
  const question: Line = [
    span(loses ? `   ${glyphs.warning} This destroys data. ` : "   ", "bad"),
    span(`Type ${name} to ${deed}: `),
  ];
  const entry: Line = [...entrySpans(typed, true), span(done ? `  ${glyphs.ok} enter` : "", "good")];
  const protection: readonly Line[] =
    protectedStores.length === 0
      ? []
      : [
          line(
            `   ${glyphs.warning} ${protectedStores.join(" and ")} ${are} protected: this lifts it, after a last snapshot.`,
            "warn",
          ),
        ];
  return [
    ...protection,
    ...(name.length > longestBeside ? [question, [span("     "), ...entry]] : [[...question, ...entry]]),
  ];
}
