import { createHash } from "node:crypto";
import { access, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { cleanText } from "../cluster/text.ts";
import type { Timing } from "../cluster/timing.ts";
import type { BackendPlace } from "./backend.ts";
import type { TerraformBinary } from "./binary.ts";
import { type CommandOptions, commandsIn, nothingChanged } from "./commands.ts";
import { TerraformError } from "./error.ts";
import { type Holder, type Holders, judgeHolder, type Look } from "./holder.ts";
import type { LockInfo } from "./lock.ts";
import type { TerraformModule } from "./module.ts";
import { type PlannedChanges, readPlan } from "./plan.ts";
import { hiddenValues } from "./process.ts";
import { createRedactor } from "./redact.ts";
import { files, makeFolder, writeVariables } from "./workspace-folder.ts";

/** What a workspace works with. */
export interface WorkspaceOptions<Outputs> {
  readonly binary: TerraformBinary;
  readonly module: TerraformModule<Outputs>;
  /** {@link workspaceName}. */
  readonly name: string;
  /** What its instance is labelled with; default: its name. */
  readonly owner?: string;
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
  /** How a lock is taken away; default: as Terraform does it, which needs a state that is there. */
  readonly unlock?: (lock: LockInfo) => Promise<void>;
  /** Milliseconds Terraform may take to stop in good order once it is asked to; default 60,000. */
  readonly patience?: number;
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
}

/** Whether data may be destroyed: only where a person named the service, or where nobody has used what a run made. */
export type DataLoss = "refuse" | "confirmed-by-person" | "unused";

/** A workspace of Terraform: one data store's configuration, values and state. One command at a time. */
export interface Workspace<Outputs> {
  readonly module: TerraformModule<Outputs>;
  /** {@link workspaceName}. */
  readonly name: string;
  /** What its instance is labelled with. */
  readonly owner: string;
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
  const { module, timing, look } = options;
  const folder = await makeFolder(options.root, options.name, module.name, options.place);
  const holders = options.holders(folder);
  const path = (name: string) => join(folder, name);
  const { run, read } = commandsIn({
    ...options,
    folder,
    holders,
    environment: { ...options.environment, TF_DATA_DIR: path(".terraform") },
    patience: options.patience ?? defaultPatience,
  });
  const hiddenOf = new WeakMap<Plan, PlanInput["hidden"]>();

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
    name: options.name,
    owner: options.owner ?? options.name,
    folder,

    async prepare({ signal, onEvent } = {}) {
      await previousHasEnded(signal);
      await run(
        "the initialisation",
        ["init", "-json", "-input=false", "-reconfigure", `-backend-config=${files.backend}`],
        { signal, onEvent, ...(makesStates(options.place) ? { rarelyLocks: true } : { lockless: true }) },
      );
      if (await exists(path(files.unsaved))) {
        await run("the saving of the state", ["state", "push", files.unsaved], { signal });
        await rm(path(files.unsaved));
      }
    },

    async plan({ variables, hidden, destroy = false, targets = [] }, { signal, onEvent } = {}) {
      await writeVariables(folder, variables);
      await rm(path(files.plan), { force: true });
      await run(
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
      const text = await read("the reading of the plan", ["show", "-json", files.plan]);
      const plan: Plan = { ...readPlan(text, told, module), sha256 };
      hiddenOf.set(plan, hidden);
      return plan;
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
      const hidden = hiddenOf.get(plan);
      if (!(await exists(path(files.plan))) || (await fileHash()) !== plan.sha256) {
        throw new TerraformError(
          "other-plan",
          `the plan in ${folder} is not the one that was shown; ${nothingChanged}`,
          "plan again, then retry",
        );
      }
      try {
        await run(
          "the application of the plan",
          [
            ...["apply", "-json", "-input=false"],
            ...(hidden === undefined ? [] : [`-var-file=${hiddenValues.file}`]),
            files.plan,
          ],
          {
            signal,
            onEvent,
            hidden,
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
      await run("the repair of the state", ["untaint", address], { signal });
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
            : `see that it is certainly dead, then: platform run retry ${options.run} --take-lock ${cleanText(lock.who)}`,
          { class: verdict.state === "alive" ? "transient" : "conflict", lock },
        );
      }
      if (options.unlock === undefined) {
        try {
          await read("the taking of the lock", ["force-unlock", "-force", lock.id]);
        } catch (error) {
          throw unmadeState(options, lock) ?? error;
        }
      } else await options.unlock(lock);
      await holders.write([], "end");
    },
  };

  async function resources() {
    const state = stateSchema.parse(JSON.parse(await read("the reading of the state", ["show", "-json"])));
    return state.values?.root_module.resources ?? [];
  }
}

/**
 * Where a state in a bucket of Google's was locked to be made, and whoever did it died before it was: Terraform takes away
 * no lock of a state that is not there.
 */
function unmadeState(
  { place, name }: Pick<WorkspaceOptions<unknown>, "place" | "name">,
  lock: LockInfo,
): TerraformError | undefined {
  if (place.kind !== "gcs" || lock.operation !== "init") return undefined;
  return new TerraformError(
    "locked",
    `${cleanText(lock.who)} locked the state before it was made, and did not make it; Terraform cannot take such a lock; ${nothingChanged}`,
    `remove the lock, which guards nothing yet: gcloud storage rm gs://${place.bucket}/platform/${name}/default.tflock; then retry`,
    { class: "conflict", lock },
  );
}

/** Whether the initialisation makes an empty state where there is none, and locks it meanwhile. */
function makesStates({ kind }: BackendPlace): boolean {
  return kind === "kubernetes" || kind === "gcs";
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
