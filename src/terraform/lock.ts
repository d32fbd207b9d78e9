/** Who holds a state's lock, in Terraform's own words. */
export interface LockInfo {
  readonly id: string;
  /** `OperationTypeApply` and the like. */
  readonly operation: string;
  /** `user@host`. */
  readonly who: string;
  /** RFC 3339; empty where Terraform does not tell. */
  readonly created: string;
}

/** What a message about a lock says of its holder; undefined where it says nothing. */
export function lockIn(detail: string): LockInfo | undefined {
  const field = (name: string) =>
    new RegExp(`^\\s*${name}:[ \\t]*(.*)$`, "m").exec(detail)?.[1]?.trim() ?? "";
  const id = field("ID");
  return id === ""
    ? undefined
    : { id, operation: field("Operation"), who: field("Who"), created: toIso(field("Created")) };
}

/** Go prints `2026-11-23 07:48:49.311107 +0000 UTC`. */
function toIso(text: string): string {
  const [, date, time, zone] =
    /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}(?:\.\d+)?) ([+-]\d{4})/.exec(text) ?? [];
  if (date === undefined || time === undefined || zone === undefined) return "";
  const at = new Date(`${date}T${time.replace(/(\.\d{3})\d+/, "$1")}${zone.slice(0, 3)}:${zone.slice(3)}`);
  return Number.isNaN(at.getTime()) ? "" : at.toISOString();
}
