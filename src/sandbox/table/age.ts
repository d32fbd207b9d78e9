/** The time since, as kubectl shows it (`HumanDuration`): `4m11s`, `3h`, `2d4h`. */
export function ageSince(timestamp: unknown, now: Date): string {
  const start = typeof timestamp === "string" ? Date.parse(timestamp) : Number.NaN;
  return Number.isNaN(start) ? "<unknown>" : humanDuration(now.getTime() - start);
}

/** A duration in milliseconds, as kubectl shows it. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return withRest(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return withRest(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return withRest(days, "d", hours % 24, "h");
  if (days < 730) return `${days}d`;
  const years = Math.floor(days / 365);
  if (days < 8 * 365) return withRest(years, "y", days % 365, "d");
  return `${years}y`;
}

const withRest = (value: number, unit: string, rest: number, restUnit: string) =>
  rest === 0 ? `${value}${unit}` : `${value}${unit}${rest}${restUnit}`;
