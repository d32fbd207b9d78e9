import { serviceKey } from "../services/service.ts";
import { areaOf } from "../state/place.ts";
import { go, placeOf } from "../state/ui.ts";
import { type Action, type ActionContext, actionsOn } from "./actions.ts";

/** One line of the command palette. */
export type PaletteEntry =
  | { readonly kind: "action"; readonly action: Action; readonly reason: string | undefined }
  /** A service, by its key. */
  | { readonly kind: "service"; readonly service: string };

/** Services offered at once. */
const mostServices = 8;

/** What the palette offers for what was typed: actions of this screen and of everywhere, then services by name. */
export function paletteEntries(context: ActionContext, typed: string): readonly PaletteEntry[] {
  const { session } = context;
  const area = areaOf(placeOf(session.ui()));
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const fitting = actionsOn(area)
    .filter(({ unlisted, title, id }) => {
      const text = `${title} ${id}`.toLowerCase();
      return unlisted !== true && words.every((word) => text.includes(word));
    })
    .map((action): PaletteEntry => ({ kind: "action", action, reason: action.disabledReason?.(context) }));
  const ordered = [
    ...fitting.filter((entry) => rank(entry, typed) === 0),
    ...fitting.filter((entry) => rank(entry, typed) > 0),
  ];
  if (words.length === 0) return ordered;
  const services: PaletteEntry[] = [];
  for (const service of session.stores.fleet.getState().services) {
    if (services.length === mostServices) break;
    const key = serviceKey(service);
    if (words.every((word) => key.includes(word) || word === "open"))
      services.push({ kind: "service", service: key });
  }
  return [...ordered, ...services];
}

/** Titles that begin with what was typed come first. */
function rank(entry: PaletteEntry, typed: string): number {
  return entry.kind === "action" && entry.action.title.toLowerCase().startsWith(typed.trim().toLowerCase())
    ? 0
    : 1;
}

/** Does what a palette's line says, or says why it cannot. */
export function runPaletteEntry(context: ActionContext, entry: PaletteEntry): void {
  const { session } = context;
  if (entry.kind === "service") {
    const { service } = entry;
    session.setUi((ui) => go(ui, { screen: "service", service, tab: "overview" }));
    return;
  }
  const reason = entry.action.disabledReason?.(context);
  if (reason !== undefined) session.notify({ text: reason, tone: "warn" });
  else entry.action.run(context);
}
