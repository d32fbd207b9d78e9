import { cleanText } from "../cluster/text.ts";
import type { Clock } from "./clock.ts";
import { atRest, type Command, decide } from "./decide.ts";
import { toRunError } from "./errors.ts";
import type { RunError } from "./event.ts";
import type { Journal } from "./journal.ts";
import type { StepId } from "./plan.ts";
import type { RunState } from "./run.ts";
import type { Step, StepContext, StepResult } from "./step.ts";

/** Attempts of one step by one engine before a person is asked. */
const maxAttempts = 4;

export interface EngineOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  /** At least 0, below 1: spreads retries. */
  readonly random: () => number;
  readonly steps: readonly Step[];
  readonly onFailure: "rollback" | "hold";
  /** Who is named as having rolled back where `onFailure` does it. */
  readonly actor: string;
  contextFor(step: StepId, signal: AbortSignal, log: (line: string) => void): StepContext;
  /** Undoes what a step made, and journals each effect's release. */
  compensate(step: StepId, signal: AbortSignal, log: (line: string) => void): Promise<void>;
  /** Results of steps that were taken just before the run began (the checks). */
  readonly done: ReadonlyMap<StepId, StepResult>;
}

/** Why work in hand was told to stop. */
class Stopped extends Error {
  override readonly name = "Stopped";
}

function worthRetrying({ class: errorClass }: RunError): boolean {
  return errorClass === "transient" || errorClass === "unreachable";
}

/** Interprets what {@link decide} says, until the run is at rest. All memory is in the journal. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #live = new Map<StepId, { readonly abort: AbortController; readonly work: Promise<void> }>();
  readonly #tries = new Map<StepId, number>();
  readonly #pauses = new Set<AbortController>();
  #interruption: string | undefined;
  #wake: () => void = () => {};

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** Finishes the write in hand, journals `RunInterrupted` and comes to rest. */
  interrupt(reason: string): void {
    this.#interruption ??= reason;
    for (const { abort } of this.#live.values()) abort.abort(new Stopped(reason));
    this.#wake();
  }

  /** Steps that wait to be tried again are tried at once. */
  retryNow(): void {
    for (const pause of this.#pauses) pause.abort();
  }

  /**
   * Works until the run is at rest.
   * @throws JournalError where it cannot be written any more; then nothing else is written either
   */
  async run(): Promise<RunState> {
    const { journal } = this.#options;
    if (atRest(journal.durable)) return journal.durable;
    const onLost = () => {
      for (const { abort } of this.#live.values()) abort.abort(journal.lost.reason);
      this.#wake();
    };
    journal.lost.addEventListener("abort", onLost);
    try {
      while (!(await this.#advance())) {
        /* one turn after the other */
      }
      await journal.flush();
      journal.lost.throwIfAborted();
      return journal.durable;
    } finally {
      journal.lost.removeEventListener("abort", onLost);
      await Promise.all([...this.#live.values()].map(({ work }) => work));
    }
  }

  /** One turn: does what is to be done now, or waits for something to happen. True when the run is at rest. */
  async #advance(): Promise<boolean> {
    const { journal, onFailure } = this.#options;
    journal.lost.throwIfAborted();
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (this.#interruption !== undefined) {
      if (this.#live.size === 0) {
        await journal.append({ type: "RunInterrupted", at: this.#at(), reason: this.#interruption });
        return true;
      }
    } else {
      const commands = decide(journal.state, { live: new Set(this.#live.keys()), onFailure });
      for (const command of commands) if (await this.#obey(command)) return true;
      if (commands.some(({ type }) => type === "roll-back")) return false;
      if (commands.length === 0 && this.#live.size === 0) {
        throw new Error(
          `nothing is to be done for run ${journal.state.name}, which is ${journal.state.phase}`,
        );
      }
    }
    if (this.#live.size > 0) await Promise.race([woken, ...[...this.#live.values()].map(({ work }) => work)]);
    return false;
  }

  /** True when the run is at rest after it. */
  async #obey(command: Command): Promise<boolean> {
    const { journal, clock } = this.#options;
    const at = this.#at();
    switch (command.type) {
      case "start":
        this.#begin(command.step, (signal) => this.#attempt(command.step, command.attempt, signal));
        return false;
      case "retry":
        this.#begin(command.step, async (signal) => {
          const wait = Date.parse(command.at) - clock.now().getTime();
          if (wait > 0) await this.#wait(wait, signal);
          await this.#attempt(command.step, command.attempt, signal);
        });
        return false;
      case "stop":
        for (const step of command.steps) {
          this.#live.get(step)?.abort.abort(new Stopped("another step has failed"));
        }
        return false;
      case "compensate":
        this.#begin(command.step, (signal) => this.#compensate(command.step, signal));
        return false;
      case "roll-back":
        await journal.append({
          type: "RollbackStarted",
          at,
          by: this.#options.actor,
          dataStores: "keep-used",
        });
        return false;
      case "hold":
        await journal.append({ type: "RunHeld", at });
        return true;
      case "succeed":
        await journal.append({ type: "RunSucceeded", at });
        return true;
      case "rolled-back":
        await journal.append({ type: "RolledBack", at });
        return true;
      case "rollback-failed":
        await journal.append({ type: "RollbackFailed", at, orphans: [...command.orphans] });
        return true;
    }
  }

  /** Until the time is over or a person does not want to wait. */
  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    const pause = new AbortController();
    this.#pauses.add(pause);
    try {
      await this.#options.clock.sleep(ms, AbortSignal.any([signal, pause.signal]));
    } catch (error) {
      signal.throwIfAborted();
      if (!pause.signal.aborted) throw error;
    } finally {
      this.#pauses.delete(pause);
    }
  }

  #at(): string {
    return this.#options.clock.now().toISOString();
  }

  #begin(step: StepId, work: (signal: AbortSignal) => Promise<void>): void {
    const abort = new AbortController();
    const running = work(abort.signal)
      .catch((error: unknown) => {
        // Stopped work leaves no event of its own: the run's next event says why it stopped.
        if (!abort.signal.aborted) throw error;
      })
      .finally(() => this.#live.delete(step));
    this.#live.set(step, { abort, work: running });
  }

  #log(step: StepId): (line: string) => void {
    return (line) =>
      this.#options.journal.line({ type: "StepLogged", at: this.#at(), step, line: cleanText(line) });
  }

  async #attempt(id: StepId, attempt: number, signal: AbortSignal): Promise<void> {
    const { journal, steps, done, contextFor } = this.#options;
    journal.note({ type: "StepStarted", at: this.#at(), step: id, attempt });
    const tries = (this.#tries.get(id) ?? 0) + 1;
    this.#tries.set(id, tries);
    try {
      const step = steps.find((candidate) => candidate.id === id);
      if (step === undefined) throw new Error(`no code is known for the step ${id}`);
      const { summary, warnings = [] } =
        done.get(id) ?? (await step.apply(contextFor(id, signal, this.#log(id))));
      journal.note({
        type: "StepSucceeded",
        at: this.#at(),
        step: id,
        summary: cleanText(summary),
        warnings: warnings.map((warning) => cleanText(warning)),
      });
    } catch (error) {
      signal.throwIfAborted();
      journal.lost.throwIfAborted();
      const runError = toRunError(error);
      const again = worthRetrying(runError) && tries < maxAttempts;
      journal.note({
        type: "StepFailed",
        at: this.#at(),
        step: id,
        attempt,
        error: runError,
        ...(again ? { retryAt: this.#retryAt(tries) } : {}),
      });
    }
  }

  #pause(tries: number): number {
    return 1_000 * 2 ** (tries - 1) * (0.75 + this.#options.random() / 2);
  }

  #retryAt(tries: number): string {
    return new Date(this.#options.clock.now().getTime() + this.#pause(tries)).toISOString();
  }

  async #compensate(id: StepId, signal: AbortSignal): Promise<void> {
    const { journal, compensate, clock } = this.#options;
    journal.note({ type: "CompensationStarted", at: this.#at(), step: id });
    for (let tries = 1; ; tries += 1) {
      try {
        await compensate(id, signal, this.#log(id));
        journal.note({ type: "CompensationSucceeded", at: this.#at(), step: id });
        return;
      } catch (error) {
        signal.throwIfAborted();
        journal.lost.throwIfAborted();
        const runError = toRunError(error);
        if (worthRetrying(runError) && tries < maxAttempts) {
          this.#log(id)(`${runError.message}; trying again`);
          await clock.sleep(this.#pause(tries), signal);
          continue;
        }
        journal.note({ type: "CompensationFailed", at: this.#at(), step: id, error: runError });
        return;
      }
    }
  }
}
