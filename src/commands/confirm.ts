import { exitCodes } from "./exit-code.ts";
import { CommandFailure, usageFailure } from "./failure.ts";
import type { Session } from "./session.ts";
import { ask } from "./terminal.ts";

/** Something that may destroy data, and what was said of it on the command line. */
export interface Destruction {
  readonly service: string;
  /** `delete shop on prod`. */
  readonly deed: string;
  /** Data stores that go and are protected against deletion. */
  readonly protectedStores: readonly string[];
  /** Whether a person is asked at all. */
  readonly asks: boolean;
  /** `--yes`. */
  readonly yes: boolean;
  /** `--confirm NAME`. */
  readonly confirm?: string | undefined;
}

/**
 * The service's name as confirmation: from `--confirm`, or asked for unless `--yes` says not to, which is not enough
 * where data stores are protected.
 * @throws CommandFailure (2) where the flags do not say what nobody can be asked, and (130) where another answer came
 */
export async function confirmDestruction(
  session: Session,
  { service, deed, protectedStores, asks, yes, confirm: typed }: Destruction,
): Promise<{ readonly confirmed?: string }> {
  if (typed !== undefined && typed !== service) {
    throw usageFailure(`--confirm ${JSON.stringify(typed)} is not the service's name, ${service}`);
  }
  if (typed !== undefined) return { confirmed: typed };
  const isProtected = protectedStores.length > 0;
  if (!asks || (yes && !isProtected)) return {};
  if (isProtected && (yes || !session.terminal.interactive)) {
    const verb = protectedStores.length === 1 ? "is" : "are";
    throw usageFailure(
      `${protectedStores.join(" and ")} of ${service} ${verb} protected against deletion: only who names the service destroys the data`,
      {
        next: [
          `repeat the command with --confirm ${service}`,
          "--dry-run shows what would be deleted and kept",
        ],
      },
    );
  }
  await confirmName(session, service, deed);
  return { confirmed: service };
}

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
  const answer = await answerTo(session, `\n  Type the service's name to ${deed}: `);
  if (answer === service) return;
  throw new CommandFailure(
    answer === undefined ? exitCodes.interrupted : exitCodes.usage,
    answer === undefined ? "left" : `${JSON.stringify(answer)} is not ${service}`,
    { state: "Nothing was deleted." },
  );
}

/**
 * Asks whether to do what can be undone; without a terminal nobody is asked.
 * @throws CommandFailure (130) where the answer is not yes
 */
export async function confirm(session: Session, question: string): Promise<void> {
  if (!session.terminal.interactive) return;
  const answer = await answerTo(session, `\n  ${question} [y/N] `);
  if (!/^y(es)?$/i.test(answer ?? "")) throw new CommandFailure(exitCodes.interrupted, "left");
}

/** Undefined: the input ended, or a person stopped the command. */
async function answerTo(session: Session, question: string): Promise<string | undefined> {
  const stop = new AbortController();
  const unlisten = session.terminal.onStop(() => stop.abort());
  try {
    const answer = await ask(session.terminal, question, stop.signal);
    if (answer === undefined) session.terminal.err.write("\n");
    return answer;
  } finally {
    unlisten();
  }
}
