import { exitCodes } from "./exit-code.ts";
import { CommandFailure, usageFailure } from "./failure.ts";
import type { Session } from "./session.ts";
import { ask } from "./terminal.ts";

/**
 * Asks for the service's name before something is destroyed.
 * @throws CommandFailure (2) without a terminal, where only `--yes` can say so, and (130) where another answer came
 */
export async function confirmName(session: Session, service: string, deed: string): Promise<void> {
  if (!session.terminal.interactive) {
    throw usageFailure(`to ${deed} without a terminal, say --yes`, {
      next: ["--dry-run shows what would be deleted and kept"],
    });
  }
  const stop = new AbortController();
  const unlisten = session.terminal.onStop(() => stop.abort());
  try {
    const answer = await ask(session.terminal, `\n  Type the service's name to ${deed}: `, stop.signal);
    if (answer === service) return;
    if (answer === undefined) session.terminal.err.write("\n");
    throw new CommandFailure(
      answer === undefined ? exitCodes.interrupted : exitCodes.usage,
      answer === undefined ? "left" : `${JSON.stringify(answer)} is not ${service}`,
      { state: "Nothing was deleted." },
    );
  } finally {
    unlisten();
  }
}
