/** Short age of something that happened at `at` (RFC 3339): `45s`, `6m`, `2h`, `4d`; empty where it is unknown. */
export function age(at: string | undefined, now: number): string {
  const then = Date.parse(at ?? "");
  if (Number.isNaN(then)) return "";
  const seconds = Math.max(0, Math.floor((now - then) / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 48 * 3_600) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** How long something took or takes: `0.2s`, `32.4s`, `2m10s`; empty where it has not begun. */
export function duration(from: string | undefined, to: string | undefined, now: number): string {
  const start = Date.parse(from ?? "");
  if (Number.isNaN(start)) return "";
  const end = to === undefined ? now : Date.parse(to);
  const seconds = Math.max(0, (end - start) / 1000);
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  const whole = Math.floor(seconds);
  if (whole < 3_600) return `${Math.floor(whole / 60)}m${String(whole % 60).padStart(2, "0")}s`;
  return `${Math.floor(whole / 3_600)}h${String(Math.floor((whole % 3_600) / 60)).padStart(2, "0")}m`;
}

/** The same as a clock: `0:41`. */
export function stopwatch(from: string | undefined, to: string | undefined, now: number): string {
  const start = Date.parse(from ?? "");
  if (Number.isNaN(start)) return "";
  const seconds = Math.max(0, Math.floor(((to === undefined ? now : Date.parse(to)) - start) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Local time of day, `12:04:31`. */
export function timeOfDay(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "        ";
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}
