import { createHash } from "node:crypto";
import { access, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { cleanText } from "../cluster/text.ts";
import type { Timing } from "../cluster/timing.ts";
import type { BackendPlace } from "./backend.ts";
import type { TerraformBinary } from "./binary.ts";
import { failureIn } from "./diagnostics.ts";
import { isTerraformError, TerraformError } from "./error.ts";
import { eventIn, type TerraformEvent } from "./events.ts";
import { type Holder, type Holders, judgeHolder, type Look } from "./holder.ts";
import type { LockInfo } from "./lock.ts";
import type { TerraformModule } from "./module.ts";
import { type PlannedChanges, readPlan } from "./plan.ts";
import { hiddenValues, runProcess } from "./process.ts";
import { createRedactor } from "./redact.ts";
import { files, makeFolder, writeVariables } from "./workspace-folder.ts";

/** What a workspace works with. */
export interface WorkspaceOptions<Outputs> {
  readonly binary: TerraformBinary;
  readonly module: TerraformModule<Outputs>;
  /** {@link workspaceName}. */
  readonly name: string;
  readonly place: BackendPlace;
  /** The folder of all workspaces of this machine. */
  readonly root: string;
  /** {@link terraformEnvironment}. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timing: Timing;
  /** Who works on it is written here; the folder is only known once it is made. */
  readonly holders: (folder: string) => Holders;
  readonly look: Look;
  /** For whom it works: a run's name; and the pod it works in. */
  readonly run: string;
  readonly pod?: NonNullable<Holder["pod"]>;
  /** Milliseconds Terraform may take to stop in good order once it is asked to; default 60,000. */
  readonly patience?: number;
}

/** What every command takes. */
export interface CommandOptions {
  /** Asks Terraform once to stop in good order; the command then fails with `interrupted`. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: TerraformEvent) => void) | undefined;
}

/** A module's input for one plan. */
export interface PlanInput {
  readonly variables: Readonly<Record<string, unknown>>;
  /** Values of ephemeral variables: they stand nowhere, and the application of the plan needs them again. */
  readonly hidden?: Readonly<Record<string, string>> | undefined;
  readonly destroy?: boolean;
  /** Addresses it is limited to; default all. */
  readonly targets?: readonly string[];
}

/** A plan that can be applied: exactly this, or nothing. */
export interface Plan extends PlannedChanges {
  readonly sha256: string;
  readonly hidden: Readonly<Record<string, string>> | undefined;
}

/** Whether data may be destroyed: only where a person named the service, or where nobody has used what a run made. */
export type DataLoss = "refuse" | "confirmed-by-person" | "unused";

/** A workspace of Terraform: one data store's configuration, values and state. One command at a time. */
export interface Workspace<Outputs> {
  readonly module: TerraformModule<Outputs>;
  readonly folder: string;
  /** Waits for a Terraform of this machine that outlived who started it, initialises, and saves what could not be saved. */
  prepare(options?: CommandOptions): Promise<void>;
  plan(input: PlanInput, options?: CommandOptions): Promise<Plan>;
  /** Applies exactly this plan, once. @throws TerraformError `data-loss`, `other-plan`, `stale-plan`, … */
  apply(plan: Plan, loss: DataLoss, options?: CommandOptions): Promise<void>;
  /** What the state's outputs are; undefined where it has none. */
  outputs(): Promise<Outputs | undefined>;
  /** Addresses of what the state holds. */
  contents(): Promise<readonly string[]>;
  /** A text in the state that no output tells: a password that the cloud made. */
  secret(address: string, attribute: string): Promise<string | undefined>;
  /** Says that a resource an earlier run did not finish is not to be replaced. */
  untaint(address: string, options?: CommandOptions): Promise<void>;
  /**
   * Takes a lock from a holder that is certainly dead, or whose name (`user@host`) a person has typed.
   * @throws TerraformError `locked` where neither is so
   */
  takeLock(lock: LockInfo, typed?: string): Promise<void>;
}

const defaultPatience = 60_000;
/** How often one looks whether an earlier Terraform has ended, in milliseconds. */
const lookEvery = 500;
const longestRead = 120_000;
/** Records kept of those that did not end in good order. */
const mostRecords = 5;
const nothingChanged = "nothing was changed";

const outputsSchema = z.record(z.string(), z.object({ value: z.unknown() }));
const stateSchema = z.object({
  values: z
    .object({
      root_module: z
        .object({
          resources: z
            .array(z.object({ address: z.string(), values: z.record(z.string(), z.unknown()).default({}) }))
            .default([]),
        })
        .default({ resources: [] }),
    })
    .optional(),
});

/** Makes the folder of a workspace, or finds it. @throws Error of the file system */
export async function openWorkspace<Outputs>(
  options: WorkspaceOptions<Outputs>,
): Promise<Workspace<Outputs>> {
  const { binary, module, environment, timing, look } = options;
  const folder = await makeFolder(options.root, options.name, module.name, options.place);
  const holders = options.holders(folder);
  const path = (name: string) => join(folder, name);
  const env = { ...environment, TF_DATA_DIR: path(".terraform") };

  /** A command that may take the lock. Its exit code, where `answers` has it. */
  async function command(
    what: string,
    args: readonly string[],
    more: CommandOptions & {
      readonly hidden?: Readonly<Record<string, string>> | undefined;
      readonly answers?: readonly number[];
      readonly state?: string;
      /** Whether it leaves the state alone, and needs no lock. */
      readonly lockless?: boolean;
    } = {},
  ): Promise<number> {
    more.signal?.throwIfAborted();
    const told = createRedactor(Object.values(more.hidden ?? {}));
    const diagnostics: Extract<TerraformEvent, { readonly type: "diagnostic" }>[] = [];
    let failed: string | undefined;
    const machine = await look.machine();
    const engine = await look.startOf(process.pid);
    const holder: Holder = {
      run: options.run,
      operation: what,
      host: hostname(),
      machine,
      since: timing.now().toISOString(),
      ...(options.pod === undefined ? {} : { pod: options.pod }),
      ...(engine === undefined ? {} : { engine: { pid: process.pid, start: engine } }),
    };
    // Those that did not end in good order: what they left is judged by them.
    const others = more.lockless === true ? [] : (await holders.read()).slice(-mostRecords);
    if (more.lockless !== true) await holders.write([...others, holder], "begin");
    const end = await runProcess({
      binary: binary.path,
      args,
      folder,
      environment: env,
      hidden: more.hidden,
      timing,
      signal: more.signal,
      patience: options.patience ?? defaultPatience,
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
      await holders.write(answered === undefined ? others : [], "end");
    }
    if (answered !== undefined && more.signal?.aborted !== true) return answered;
    const state = more.state ?? nothingChanged;
    if (more.signal?.aborted === true) {
      throw new TerraformError(
        "interrupted",
        `${what} was interrupted, and ended in good order; ${state}`,
        "retry: it goes on from what there is",
      );
    }
    if (end.exitCode === undefined) {
      throw new TerraformError(
        "died",
        `${binary.product} was killed during ${what}; ${state}, but the last of it may not be in its state, and the lock stays`,
        "retry: the lock of a process that is gone is taken over, and what is there is found again",
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
  }

  /** A command that only reads; its output may hold secrets and stays in memory. */
  async function read(what: string, args: readonly string[]): Promise<string> {
    const answer = await execa(binary.path, args, {
      cwd: folder,
      env,
      extendEnv: false,
      reject: false,
      stdin: "ignore",
      timeout: longestRead,
    });
    if (!answer.failed) return answer.stdout;
    throw failureIn([diagnosticIn(answer.stderr, createRedactor([]))], what, nothingChanged);
  }

  async function judge(lock: LockInfo): ReturnType<typeof judgeHolder> {
    return judgeHolder(lock, await holders.read(), folder, look);
  }

  /** A Terraform of this machine that outlived who started it finishes first. */
  async function previousHasEnded(signal?: AbortSignal): Promise<void> {
    for (;;) {
      const machine = await look.machine();
      const alive = await Promise.all(
        (await holders.read()).map(
          async ({ terraform, machine: on }) =>
            terraform !== undefined &&
            on === machine &&
            (await look.startOf(terraform.pid)) === terraform.start,
        ),
      );
      if (!alive.includes(true)) return;
      await timing.sleep(lookEvery, signal);
    }
  }

  async function fileHash(): Promise<string> {
    return createHash("sha256")
      .update(await readFile(path(files.plan)))
      .digest("hex");
  }

  return {
    module,
    folder,

    async prepare({ signal, onEvent } = {}) {
      await previousHasEnded(signal);
      await command(
        "the initialisation",
        ["init", "-json", "-input=false", "-reconfigure", `-backend-config=${files.backend}`],
        { signal, onEvent, lockless: true },
      );
      if (await exists(path(files.unsaved))) {
        await command("the saving of the state", ["state", "push", files.unsaved], { signal });
        await rm(path(files.unsaved));
      }
    },

    async plan({ variables, hidden, destroy = false, targets = [] }, { signal, onEvent } = {}) {
      await writeVariables(folder, variables);
      await rm(path(files.plan), { force: true });
      await command(
        "the plan",
        [
          ...["plan", "-json", "-input=false", "-detailed-exitcode", `-out=${files.plan}`],
          ...(destroy ? ["-destroy"] : []),
          ...targets.map((target) => `-target=${target}`),
          ...(hidden === undefined ? [] : [`-var-file=${hiddenValues.file}`]),
        ],
        { signal, onEvent, hidden, answers: [2] },
      );
      const sha256 = await fileHash();
      const told = createRedactor(Object.values(hidden ?? {}));
      const changes = readPlan(await read("the reading of the plan", ["show", "-json", files.plan]), told);
      return { ...changes, sha256, hidden };
    },

    async apply(plan, loss, { signal, onEvent } = {}) {
      if (plan.losesData.length > 0 && loss === "refuse") {
        await rm(path(files.plan), { force: true });
        throw new TerraformError(
          "data-loss",
          `the plan would destroy or replace ${plan.losesData.join(", ")} and the data in it; ${nothingChanged}`,
          "take back the change that needs it; or remove the data store first, which asks for the service's name",
        );
      }
      if (!(await exists(path(files.plan))) || (await fileHash()) !== plan.sha256) {
        throw new TerraformError(
          "other-plan",
          `the plan in ${folder} is not the one that was shown; ${nothingChanged}`,
          "plan again, then retry",
        );
      }
      try {
        await command(
          "the application of the plan",
          [
            ...["apply", "-json", "-input=false"],
            ...(plan.hidden === undefined ? [] : [`-var-file=${hiddenValues.file}`]),
            files.plan,
          ],
          {
            signal,
            onEvent,
            hidden: plan.hidden,
            state: "what it had done by then is there",
          },
        );
      } finally {
        await rm(path(files.plan), { force: true });
      }
    },

    async outputs() {
      const text = await read("the reading of the outputs", ["output", "-json"]);
      const values = outputsSchema.parse(JSON.parse(text));
      const parsed = module.outputs.safeParse(
        Object.fromEntries(Object.entries(values).map(([name, { value }]) => [name, value])),
      );
      return parsed.success ? parsed.data : undefined;
    },

    async contents() {
      return (await resources()).map(({ address }) => address);
    },

    async secret(address, attribute) {
      const value = (await resources()).find((each) => each.address === address)?.values[attribute];
      return typeof value === "string" && value !== "" ? value : undefined;
    },

    async untaint(address, { signal } = {}) {
      await command("the repair of the state", ["untaint", address], { signal });
    },

    async takeLock(lock, typed) {
      const verdict = await judge(lock);
      const named = typed !== undefined && typed === lock.who;
      if (verdict.state !== "dead" && !(named && verdict.state === "unknown")) {
        throw new TerraformError(
          "locked",
          `${cleanText(lock.who)} holds the lock of the state, and ${verdict.because}; ${nothingChanged}`,
          verdict.state === "alive"
            ? "wait until it is done, then retry"
            : `see that it is certainly dead, then retry and type its name: ${cleanText(lock.who)}`,
          { class: verdict.state === "alive" ? "transient" : "conflict", lock },
        );
      }
      await read("the taking of the lock", ["force-unlock", "-force", lock.id]);
      await holders.write([], "end");
    },
  };

  async function resources() {
    const state = stateSchema.parse(JSON.parse(await read("the reading of the state", ["show", "-json"])));
    return state.values?.root_module.resources ?? [];
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
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

/** Whether a lock stood in the way, and whose it is. */
export function lockOf(error: unknown): LockInfo | undefined {
  return isTerraformError(error, "locked") ? error.lock : undefined;
}
