import type { ChangeFeed, FeedChange } from "./change-feed.ts";

/** A part of the server that one process at a time runs. */
export interface Running {
  stop(): void;
}

/**
 * Runs `onChange` for every change while this process leads, and `catchUp` when it begins to: what happened before is
 * found by looking, not by having been told.
 */
export function whileLeading(
  feed: ChangeFeed,
  leads: () => boolean,
  { onChange, catchUp }: { readonly onChange: (change: FeedChange) => void; readonly catchUp: () => void },
  checkMs = 500,
): Running {
  let leading = false;
  const check = () => {
    const now = leads();
    if (now && !leading) catchUp();
    leading = now;
  };
  const unsubscribe = feed.subscribe((change) => {
    check();
    if (leading) onChange(change);
  });
  const timer = setInterval(check, checkMs);
  check();
  return {
    stop() {
      clearInterval(timer);
      unsubscribe();
    },
  };
}
