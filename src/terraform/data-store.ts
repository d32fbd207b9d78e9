import type { CommandOptions } from "./commands.ts";
import { isTerraformError, TerraformError } from "./error.ts";
import type { TerraformEvent } from "./events.ts";
import { workspaceLabel } from "./module.ts";
import type { DataLoss, Plan, PlanInput, Workspace } from "./workspace.ts";

/** What making, changing or removing a data store is given. */
export interface DataStoreOptions {
  /** Values of the module's variables, as its schema has parsed them. The instance also gets the label of its workspace. */
  readonly variables: Readonly<Record<string, unknown>> & {
    readonly labels: Readonly<Record<string, string>>;
  };
  /** Whether it begins as a clone of another one, which brings all that is in it. */
  readonly cloned?: boolean;
  /** Values of ephemeral variables: a password that the SecretStore has made. */
  readonly hidden?: Readonly<Record<string, string>>;
  /** `user@host` as a person typed it, so that this holder's lock may be taken. */
  readonly lockHolder?: string;
  /** Told of each plan that changes something, before it is applied; throws to refuse it. */
  readonly review?: (plan: Plan) => Promise<void> | void;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TerraformEvent) => void;
}

/** Times one plans anew because of what one finds: a lock, unfinished resources, another's change. */
const mostRounds = 10;

/** Does what may need the lock; one whose holder is dead is taken over first. */
async function unlocked<T>(
  workspace: Workspace<unknown>,
  options: DataStoreOptions,
  work: (more: CommandOptions) => Promise<T>,
): Promise<T> {
  const more: CommandOptions = { signal: options.signal, onEvent: options.onEvent };
  try {
    return await work(more);
  } catch (error) {
    if (!isTerraformError(error, "locked") || error.lock === undefined) throw error;
    try {
      await workspace.takeLock(error.lock, options.lockHolder);
    } catch (refused) {
      // Any other failure may be that its holder has let go of it meanwhile, which the next try tells.
      if (isTerraformError(refused, "locked")) throw refused;
    }
    return work(more);
  }
}

function planned(workspace: Workspace<unknown>, input: PlanInput, options: DataStoreOptions): Promise<Plan> {
  return unlocked(workspace, options, (more) => workspace.plan(input, more));
}

function prepared(workspace: Workspace<unknown>, options: DataStoreOptions): Promise<void> {
  return unlocked(workspace, options, (more) => workspace.prepare(more));
}

function labelled({ owner }: Workspace<unknown>, { variables }: DataStoreOptions): PlanInput["variables"] {
  return { ...variables, labels: { ...variables.labels, [workspaceLabel]: owner } };
}

/** What is taken over must say that it is of this data store. */
function checkOwner({ owner, module }: Workspace<unknown>, plan: Plan): void {
  for (const { address, imported, workspace: told } of plan.resources) {
    if (!imported || address !== module.instance || told === owner) continue;
    throw new TerraformError(
      "exists",
      `${address} is there already, and is not this service's: its label ${workspaceLabel} is not ${owner}; it was left as it is`,
      "see whose it is; choose another name, or remove it",
    );
  }
}

/** Plans and applies until nothing is left to change. */
async function converge(
  workspace: Workspace<unknown>,
  options: DataStoreOptions,
  input: Omit<PlanInput, "variables"> & { readonly variables: Readonly<Record<string, unknown>> },
  loss: DataLoss,
  {
    adopted = [],
    make = true,
  }: {
    /** What is taken over from the start. */
    readonly adopted?: readonly string[];
    /** Whether an instance that is not there is made. */
    readonly make?: boolean;
  } = {},
): Promise<void> {
  const { module } = workspace;
  const adopt = new Set(adopted);
  for (let round = 0; round < mostRounds; round += 1) {
    const taken = Object.fromEntries([...adopt].map((address) => [module.adoptable[address] ?? "", true]));
    const plan = await planned(
      workspace,
      { ...input, variables: { ...input.variables, adopt: taken } },
      options,
    );
    checkOwner(workspace, plan);
    const unfinished = plan.resources.find(
      ({ tainted, holdsData, action }) => tainted && holdsData && action === "replace",
    );
    if (unfinished !== undefined) {
      // Making it anew would destroy what there is: it is looked at as it is, and changed where it must be.
      await workspace.untaint(unfinished.address, { signal: options.signal });
      continue;
    }
    if (!plan.changes) return;
    const anew = plan.resources.some(
      ({ address, action, imported }) => address === module.instance && action === "create" && !imported,
    );
    if (anew && !make) return;
    await options.review?.(plan);
    try {
      await workspace.apply(plan, loss, { signal: options.signal, onEvent: options.onEvent });
      return;
    } catch (error) {
      if (isTerraformError(error, "stale-plan")) continue;
      const { address } = isTerraformError(error, "exists") ? error : {};
      if (address === undefined || !Object.hasOwn(module.adoptable, address) || adopt.has(address))
        throw error;
      // An interrupted run made it and could not say so.
      adopt.add(address);
    }
  }
  throw new TerraformError(
    "provider",
    `the data store is not as planned after ${mostRounds} attempts; what was done is there`,
    "see the log of the run; somebody else may be changing it: retry when they are done",
    { class: "transient" },
  );
}

/**
 * Makes a data store, or brings it to what is wanted. Idempotent: what an interrupted run has made is found and taken
 * over, a lock of a dead process is taken. Data is never destroyed or replaced.
 * @returns what the module tells of it
 * @throws TerraformError
 */
export async function ensureDataStore<Outputs>(
  workspace: Workspace<Outputs>,
  options: DataStoreOptions,
): Promise<Outputs> {
  await prepared(workspace, options);
  const input = { variables: labelled(workspace, options), hidden: options.hidden };
  if (options.cloned === true) await takeOverContents(workspace, options, input);
  await converge(workspace, options, input, "refuse");
  const outputs = await workspace.outputs();
  if (outputs === undefined) {
    throw new TerraformError(
      "invalid",
      "the data store is there, but does not tell how it is reached",
      "report this as a defect of the platform, with the log of the run",
      { class: "internal" },
    );
  }
  return outputs;
}

/** Makes a clone, and takes over what came with it; what it had not at its moment is left to be made. */
async function takeOverContents(
  workspace: Workspace<unknown>,
  options: DataStoreOptions,
  input: PlanInput,
): Promise<void> {
  const { module } = workspace;
  await converge(workspace, options, { ...input, targets: [module.instance] }, "refuse");
  const known = new Set(await workspace.contents());
  const adopted = Object.keys(module.adoptable).filter((address) => !known.has(address));
  try {
    await converge(workspace, options, input, "refuse", { adopted });
  } catch (error) {
    if (!isTerraformError(error, "missing")) throw error;
  }
}

/**
 * Whether everything is as it is wanted: the proof after a run. Refreshes, and changes nothing.
 * @throws TerraformError
 */
export async function planOfDataStore(
  workspace: Workspace<unknown>,
  options: DataStoreOptions,
): Promise<Plan> {
  await prepared(workspace, options);
  const input = { variables: labelled(workspace, options), hidden: options.hidden };
  const { module } = workspace;
  const begins = options.cloned === true && !(await workspace.contents()).includes(module.instance);
  // All else comes with the clone, and is taken over.
  return planned(workspace, begins ? { ...input, targets: [module.instance] } : input, options);
}

/**
 * Removes a data store and the data in it: lifts its protection, then destroys it. Each point can be resumed. What an
 * interrupted run has made but not recorded is found and goes too.
 * @param loss - why that may be
 * @throws TerraformError
 */
export async function removeDataStore(
  workspace: Workspace<unknown>,
  options: DataStoreOptions,
  loss: Exclude<DataLoss, "refuse">,
): Promise<void> {
  const { module } = workspace;
  await prepared(workspace, options);
  const variables = { ...labelled(workspace, options), deletion_protection: false };
  const recorded = (await workspace.contents()).includes(module.instance);
  try {
    await converge(
      workspace,
      options,
      { variables, hidden: options.hidden, targets: [module.instance] },
      "refuse",
      { adopted: recorded ? [] : [module.instance], make: false },
    );
  } catch (error) {
    if (!isTerraformError(error, "missing")) throw error;
  }
  await converge(workspace, options, { variables, hidden: options.hidden, destroy: true }, loss);
  const left = await workspace.contents();
  if (left.length > 0) {
    throw new TerraformError(
      "provider",
      `${left.join(", ")} could not be removed; the state still has what is left`,
      "see the log of the run, then retry",
    );
  }
}
