import { hostname } from "node:os";
import { execa } from "execa";
import type { Timing } from "../cluster/timing.ts";
import type { TerraformBinary } from "./binary.ts";
import { failureIn } from "./diagnostics.ts";
import { TerraformError } from "./error.ts";
import { eventIn, type TerraformEvent } from "./events.ts";
import type { Holder, Holders, Look } from "./holder.ts";
import { runProcess } from "./process.ts";
import { createRedactor } from "./redact.ts";

/** What every command takes. */
export interface CommandOptions {
  /** Asks Terraform once to stop in good order; the command then fails with `interrupted`. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: TerraformEvent) => void) | undefined;
}

/** What one command needs beyond that. */
export interface CommandRequest extends CommandOptions {
  /** Values of ephemeral variables. */
  readonly hidden?: Readonly<Record<string, string>> | undefined;
  /** Exit codes that are answers, beside 0. */
  readonly answers?: readonly number[];
  /** What state things are in where it fails; default: nothing was changed. */
  readonly state?: string;
  /** Whether it leaves the state alone, and needs no lock. */
  readonly lockless?: boolean;
  /** Whether it takes the lock only where there is no state yet: that it ended says nothing of who else has it. */
  readonly rarelyLocks?: boolean;
}

/** Commands of Terraform in one workspace. `what` names each for a person, for example `the plan`. */
export interface Commands {
  /** One that may take the lock. @returns its exit code @throws TerraformError */
  run(what: string, args: readonly string[], request?: CommandRequest): Promise<number>;
  /** One that only reads; its output may hold secrets and stays in memory. @throws TerraformError */
  read(what: string, args: readonly string[]): Promise<string>;
}

/** Where and for whom they work. */
export interface Work {
  readonly binary: TerraformBinary;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timing: Timing;
  readonly holders: Holders;
  readonly look: Look;
  /** A run's name. */
  readonly run: string;
  readonly pod?: Holder["pod"];
  /** Milliseconds Terraform may take to stop in good order. */
  readonly patience: number;
}

/** What failed commands that change nothing say. */
export const nothingChanged = "nothing was changed";
const longestRead = 120_000;
/** Records kept of those that did not end in good order. */
const mostRecords = 5;

/** The commands of one workspace. */
export function commandsIn(work: Work): Commands {
  const { binary, folder, environment, timing, holders, look } = work;
  return {
    async run(what, args, more = {}) {
      more.signal?.throwIfAborted();
      const told = createRedactor(Object.values(more.hidden ?? {}));
      const diagnostics: Extract<TerraformEvent, { readonly type: "diagnostic" }>[] = [];
      let failed: string | undefined;
      const machine = await look.machine();
      const engine = await look.startOf(process.pid);
      const holder: Holder = {
        run: work.run,
        operation: what,
        host: hostname(),
        machine,
        since: timing.now().toISOString(),
        ...(work.pod === undefined ? {} : { pod: work.pod }),
        ...(engine === undefined ? {} : { engine: { pid: process.pid, start: engine } }),
      };
      // Those that did not end in good order: what they left is judged by them.
      const others = more.lockless === true ? [] : (await holders.read()).slice(-mostRecords);
      if (more.lockless !== true) await holders.write([...others, holder], "begin");
      const end = await runProcess({
        binary: binary.path,
        args,
        folder,
        environment,
        hidden: more.hidden,
        timing,
        signal: more.signal,
        patience: work.patience,
        async started(pid) {
          const start = await look.startOf(pid);
          if (start === undefined || more.lockless === true) return;
          await holders.write([...others, { ...holder, terraform: { pid, start } }], "started");
        },
        line(line) {
          const event = eventIn(line, told);
          if (event === undefined) return;
          if (event.type === "diagnostic") diagnostics.push(event);
          if (event.type === "resource" && event.phase === "errored") failed = event.address;
          more.onEvent?.(event);
        },
      });
      if (end.running) {
        throw new TerraformError(
          "interrupted",
          `${what} was asked to stop and has not yet: ${binary.product} still works in ${folder}, and saves its state when it is done`,
          "wait until it has ended, then retry; do not kill it",
        );
      }
      const answered =
        end.exitCode !== undefined && [0, ...(more.answers ?? [])].includes(end.exitCode)
          ? end.exitCode
          : undefined;
      // What was killed leaves its lock, and its record. Whoever got what it wanted had the lock: nobody else has.
      if (end.exitCode !== undefined && more.lockless !== true) {
        const known = answered === undefined || more.rarelyLocks === true;
        await holders.write(known ? others : [], "end");
      }
      if (answered !== undefined && more.signal?.aborted !== true) return answered;
      const state = more.state ?? nothingChanged;
      if (end.exitCode === undefined) {
        throw new TerraformError(
          "died",
          `${binary.product} was killed during ${what}; ${state}, but the last of it may not be in its state, and the lock stays`,
          "retry: the lock of a process that is gone is taken over, and what is there is found again",
        );
      }
      if (more.signal?.aborted === true) {
        throw new TerraformError(
          "interrupted",
          `${what} was interrupted, and ended in good order; ${state}`,
          "retry: it goes on from what there is",
        );
      }
      const spoken = diagnostics.some(({ severity }) => severity === "error")
        ? diagnostics
        : [diagnosticIn(end.stderr, told)];
      const failure = failureIn(spoken, what, state);
      throw failure.address === undefined && failed !== undefined
        ? new TerraformError(failure.problem, failure.message, failure.mend, {
            class: failure.class,
            lock: failure.lock,
            address: failed,
          })
        : failure;
    },

    read: (what, args) => readTerraform(work, what, args, longestRead),
  };
}

/**
 * Runs a command that does nothing worth waiting for.
 * @param what - what it is to a person
 * @param patience - milliseconds after which it is ended
 * @param state - what state things are in where it fails
 * @returns what it says; may hold secrets
 * @throws TerraformError
 */
export async function readTerraform(
  { binary, folder, environment }: Pick<Work, "binary" | "folder" | "environment">,
  what: string,
  args: readonly string[],
  patience: number,
  state: string = nothingChanged,
): Promise<string> {
  const answer = await execa(binary.path, args, {
    cwd: folder,
    env: environment,
    extendEnv: false,
    reject: false,
    stdin: "ignore",
    timeout: patience,
  });
  if (!answer.failed) return answer.stdout;
  if (answer.timedOut) {
    throw new TerraformError(
      "unreachable",
      `${what} took longer than ${patience / 1_000} s, and was ended; ${state}`,
      "see that the cloud and the place of the state answer from here, then retry",
    );
  }
  throw failureIn([diagnosticIn(answer.stderr, createRedactor([]))], what, state);
}

/** What a command without `-json` says of its failure, in the frame that Terraform draws. */
function diagnosticIn(
  stderr: string,
  told: (text: string) => string,
): Extract<TerraformEvent, { readonly type: "diagnostic" }> {
  const text = told(stderr)
    .split("\n")
    .map((line) => line.replace(/^[│╷╵] ?/, ""))
    .join("\n");
  const [, summary = "", detail = ""] = /^Error: ([^\n]*)\n*([\s\S]*)$/m.exec(text) ?? [];
  return {
    type: "diagnostic",
    severity: "error",
    summary: summary === "" ? text.trim() : summary,
    detail: detail.trim(),
    address: "",
  };
}
