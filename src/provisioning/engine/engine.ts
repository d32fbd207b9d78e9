import { cleanText } from "../../cluster/text.ts";
import type { Clock } from "../clock.ts";
import { toRunError } from "../errors.ts";
import type { StepId } from "../plan.ts";
import { isReversible } from "../rollback/rollback.ts";
import type { RunError } from "../runs/event.ts";
import type { Journal } from "../runs/journal.ts";
import type { RunState } from "../runs/run.ts";
import type { Step, StepContext, StepResult } from "../step.ts";
import { atRest, type Command, decide } from "./decide.ts";
import { nextTry, type Tries } from "./retry-policy.ts";

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

/** Interprets what {@link decide} says, until the run is at rest. All memory is in the journal. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #live = new Map<StepId, { readonly abort: AbortController; readonly work: Promise<void> }>();
  /** By direction and step; another engine counts anew. */
  readonly #tries = new Map<string, Tries>();
  readonly #pauses = new Set<AbortController>();
  #interruption: string | undefined;
  #released = false;
  #rollbackBy: string | undefined;
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

  /** Finishes the write in hand, and leaves the run to the next engine, which goes on with it at once. */
  release(): void {
    this.#released = true;
    for (const { abort } of this.#live.values()) abort.abort(new Stopped("its engine ends"));
    this.#wake();
  }

  /** Steps that wait to be tried again are tried at once. */
  retryNow(): void {
    for (const pause of this.#pauses) pause.abort();
  }

  /**
   * Finishes the write in hand, then rolls the run back. One that is rolled back already goes on, and so does one that
   * has deleted what cannot be brought back.
   */
  rollBack(by: string): void {
    const { state } = this.#options.journal;
    if (state.phase !== "Running") return;
    if (!isReversible(state)) {
      const [first] = state.steps;
      if (first !== undefined) {
        this.#log(first.id)("a rollback was asked for, but what this run deleted cannot be brought back");
      }
      return;
    }
    this.#rollbackBy ??= by;
    for (const { abort } of this.#live.values()) abort.abort(new Stopped("the run is rolled back"));
    this.#wake();
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
    } else if (this.#released) {
      if (this.#live.size === 0) {
        await journal.append({ type: "RunReleased", at: this.#at() });
        return true;
      }
    } else if (this.#rollbackBy !== undefined && journal.state.phase === "Running") {
      if (this.#live.size === 0) {
        await this.#startRollback(this.#rollbackBy);
        this.#rollbackBy = undefined;
        return false;
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
    const { journal } = this.#options;
    const at = this.#at();
    switch (command.type) {
      case "start":
        this.#begin(command.step, (signal) => this.#attempt(command.step, command.attempt, signal));
        return false;
      case "retry":
        this.#begin(command.step, async (signal) => {
          await this.#until(command.at, signal);
          await this.#attempt(command.step, command.attempt, signal);
        });
        return false;
      case "stop":
        for (const step of command.steps) {
          this.#live.get(step)?.abort.abort(new Stopped("another step has failed"));
        }
        return false;
      case "compensate":
        this.#begin(command.step, async (signal) => {
          if (command.at !== undefined) await this.#until(command.at, signal);
          await this.#compensate(command.step, signal);
        });
        return false;
      case "roll-back":
        await this.#startRollback(this.#options.actor);
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

  async #startRollback(by: string): Promise<void> {
    await this.#options.journal.append({
      type: "RollbackStarted",
      at: this.#at(),
      by,
      dataStores: "keep-used",
    });
  }

  /** Until that time (RFC 3339), or until a person does not want to wait. */
  async #until(at: string, signal: AbortSignal): Promise<void> {
    const { clock, journal } = this.#options;
    const pause = new AbortController();
    this.#pauses.add(pause);
    try {
      const wait = Date.parse(at) - clock.now().getTime();
      if (wait > 0) await clock.sleep(wait, AbortSignal.any([signal, pause.signal]));
    } catch (error) {
      signal.throwIfAborted();
      if (!pause.signal.aborted) throw error;
    } finally {
      this.#pauses.delete(pause);
    }
    // While not even the journal can be written, no attempt is wasted.
    await journal.flush();
    signal.throwIfAborted();
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
      const retryAt = this.#retryAt(`apply ${id}`, runError, error);
      journal.note({ type: "StepFailed", at: this.#at(), step: id, attempt, error: runError, ...retryAt });
    }
  }

  async #compensate(id: StepId, signal: AbortSignal): Promise<void> {
    const { journal, compensate } = this.#options;
    journal.note({ type: "CompensationStarted", at: this.#at(), step: id });
    try {
      await compensate(id, signal, this.#log(id));
      journal.note({ type: "CompensationSucceeded", at: this.#at(), step: id });
    } catch (error) {
      signal.throwIfAborted();
      journal.lost.throwIfAborted();
      const runError = toRunError(error);
      const retryAt = this.#retryAt(`undo ${id}`, runError, error);
      journal.note({ type: "CompensationFailed", at: this.#at(), step: id, error: runError, ...retryAt });
    }
  }

  /** Counts a failure, and says when to try again where that is worth it. */
  #retryAt(work: string, runError: RunError, error: unknown): { readonly retryAt?: string } {
    const now = this.#options.clock.now().getTime();
    const before = this.#tries.get(work);
    const tries = { count: (before?.count ?? 0) + 1, since: before?.since ?? now };
    this.#tries.set(work, tries);
    const at = nextTry(tries, runError, error, now, this.#options.random());
    return at === undefined ? {} : { retryAt: new Date(at).toISOString() };
  }
}
