/** How long ago, short: `41s`, `6m`, `5h`, `4d`, `2y`. An unreadable date is `–`. */
export function age(since: string | undefined, now: Date): string {
  const start = since === undefined ? Number.NaN : Date.parse(since);
  if (Number.isNaN(start)) return "–";
  const seconds = Math.max(0, Math.floor((now.getTime() - start) / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  return days < 730 ? `${days}d` : `${Math.floor(days / 365)}y`;
}

/** Time between two instants, for a person: `0.2s`, `32.4s`, `2m 05s`. Empty where one is missing. */
export function duration(from: string | undefined, to: string | undefined): string {
  if (from === undefined || to === undefined) return "";
  const ms = Math.max(0, Date.parse(to) - Date.parse(from));
  if (Number.isNaN(ms)) return "";
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, "0")}s`;
}

/** When a step is tried again: `in 12s, attempt 3`; `now` where that time has come. */
export function nextTry(
  { retryAt, attempt }: { readonly retryAt?: string; readonly attempt: number },
  now: Date,
): string {
  const seconds = Math.ceil((Date.parse(retryAt ?? "") - now.getTime()) / 1000);
  return `${seconds > 0 ? `in ${seconds}s` : "now"}, attempt ${attempt + 1}`;
}
