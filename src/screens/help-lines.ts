import type { Area } from "../state/place.ts";
import { type Action, actionsOn } from "./actions.ts";
import { blank, type Line, span } from "./line.ts";

/** A key as people write it. */
export function keyLabel(key: string): string {
  const special: Readonly<Record<string, string>> = { up: "↑", down: "↓", left: "←", right: "→" };
  return special[key] ?? key;
}

const categories: readonly Action["category"][] = ["Service", "Run", "Wizard", "Go", "Move", "App"];

/** Every key of an area, by category. */
export function helpLines(area: Area): readonly Line[] {
  const lines: Line[] = [];
  for (const category of categories) {
    const ofIt = actionsOn(area).filter((action) => action.category === category);
    if (ofIt.length === 0) continue;
    lines.push([span(`   ${category}`, "strong")]);
    for (const { keys, title, dangerous } of ofIt) {
      lines.push([
        span(`   ${keys.map(keyLabel).join(", ").padEnd(18)}`, "accent"),
        span(title),
        ...(dangerous === true ? [span("  asks first", "dim")] : []),
      ]);
    }
    lines.push(blank);
  }
  return lines.slice(0, -1);
}
