import type { Service } from "../../services/service.ts";
import type { Stores } from "../stores.ts";
import type { Timers } from "../throttle.ts";
import { placeOf, type Ui } from "../ui.ts";

/** Milliseconds a spinner's frame is shown. */
const frameMs = 125;

/**
 * Moves the time that ages are counted from, and the spinner. Each ticks only while something on the screen
 * changes by it: eight times a second while a step runs in view, every second while an age counts seconds, else
 * every thirty seconds.
 */
export function feedTicking(
  stores: Stores,
  { now, timers }: { readonly now: () => number; readonly timers: Timers },
  signal: AbortSignal,
): void {
  let stop: (() => void) | undefined;
  let planned = Number.POSITIVE_INFINITY;
  let newest = { of: stores.fleet.getState().services, at: 0 };
  const plan = () => {
    if (signal.aborted) return;
    const { services } = stores.fleet.getState();
    if (newest.of !== services) newest = { of: services, at: newestTime(services) };
    const wait = pace(stores, now() - newest.at);
    if (stop !== undefined && wait >= planned) return;
    stop?.();
    planned = wait;
    stop = timers.after(wait, () => {
      stop = undefined;
      planned = Number.POSITIVE_INFINITY;
      stores.ticking.setState(({ frame }) => ({ now: now(), frame: wait === frameMs ? frame + 1 : frame }));
      plan();
    });
  };
  const unsubscribes = [stores.ui, stores.openRuns, stores.fleet].map((store) => store.subscribe(plan));
  signal.addEventListener("abort", () => {
    stop?.();
    for (const unsubscribe of unsubscribes) unsubscribe();
  });
  plan();
}

/** When the newest service or run of the list began, in milliseconds since the epoch. */
function newestTime(services: readonly Service[]): number {
  let newest = "";
  for (const { createdAt, lastRun } of services) {
    if (createdAt > newest) newest = createdAt;
    if (lastRun !== undefined && lastRun.at > newest) newest = lastRun.at;
  }
  return Date.parse(newest) || 0;
}

/** Milliseconds until the next tick. */
function pace({ ui, openRuns }: Stores, youngestMs: number): number {
  if (openRuns.getState().busy !== undefined || spins(ui.getState(), openRuns.getState().states))
    return frameMs;
  const { screen } = placeOf(ui.getState());
  if (screen === "service" || screen === "runs") return 1_000;
  if (ui.getState().overlay?.kind === "other-run") return 1_000;
  return screen === "services" && youngestMs < 60_000 ? 1_000 : 30_000;
}

function spins(ui: Ui, states: Readonly<Record<string, { readonly phase: string }>>): boolean {
  const place = placeOf(ui);
  if (place.screen !== "run" && place.screen !== "log") return false;
  const phase = states[place.run]?.phase;
  return phase === undefined || phase === "Running" || phase === "RollingBack" || phase === "Pending";
}
