import { type Command, Option } from "commander";
import { z } from "zod";
import type { ServiceName } from "../application/names.ts";
import type { PlanWithManifests } from "../provisioning/provisioner.ts";
import type { Execution } from "../provisioning/runs/run.ts";
import type { ExitCode } from "./exit-code.ts";
import { follow } from "./follow.ts";
import { runOutput, timeout, yes } from "./options.ts";
import { runFormats } from "./output/format.ts";
import { printPlan } from "./output/plan.ts";
import { noWait, type OnFailureChoice, onFailureChoices, onFailureOfChange, wait } from "./run-options.ts";
import { runView } from "./run-view-of.ts";
import type { Session } from "./session.ts";
import { whenFree } from "./waiting.ts";

/** What every command takes that asks for a run on a service that exists. */
export const serviceRunSchema = z.object({
  output: z.enum(runFormats),
  dryRun: z.boolean().default(false),
  yes: z.boolean().default(false),
  /** `--wait` and `--no-wait`; left out: neither. */
  wait: z.boolean().optional(),
  /** Left out: as the standards say. */
  onFailure: z.enum(onFailureChoices).optional(),
  /** Milliseconds. */
  timeout: z.number().optional(),
});
export type ServiceRunOptions = z.output<typeof serviceRunSchema>;

/** Gives a command the flags of {@link serviceRunSchema}. */
export function withRunOptions(
  command: Command,
  dryRun = "show what would be done, change nothing",
): Command {
  return command
    .addOption(new Option("--dry-run", dryRun))
    .addOption(onFailureOfChange())
    .addOption(wait())
    .addOption(noWait())
    .addOption(timeout())
    .addOption(yes())
    .addOption(runOutput());
}

/**
 * Makes a plan, once no other run is at work where that is waited for, and shows it to whoever is to decide on it.
 * Resolves to undefined after a `--dry-run`, which is over then.
 */
export async function shownPlan(
  session: Session,
  service: ServiceName,
  { output, ...options }: ServiceRunOptions,
  plan: () => Promise<PlanWithManifests>,
): Promise<PlanWithManifests | undefined> {
  const planned = await whenFree(session, { service }, options.wait === true && !options.dryRun, plan);
  if (options.dryRun) {
    await printPlan(session, planned, output);
    return undefined;
  }
  if (output === "text" || (session.terminal.interactive && !options.yes)) {
    await printPlan(session, planned, "progress");
  }
  return planned;
}

/** What `--on-failure` says, where it says anything. */
export function failing({ onFailure }: Pick<ServiceRunOptions, "onFailure">): {
  readonly onFailure?: OnFailureChoice;
} {
  return onFailure === undefined ? {} : { onFailure };
}

/** Begins a run, and follows it to its end as the flags say; who interrupts it may have it rolled back. */
export async function followServiceRun(
  session: Session,
  { output, wait: waits, timeout: timeoutMs }: ServiceRunOptions,
  begin: () => Promise<Execution>,
): Promise<ExitCode> {
  const { provisioner, cluster } = await session.platform();
  return follow(session, begin, runView(session, cluster.context, output), {
    asked: "completion",
    detached: waits === false,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    rollBack: (run) => provisioner.rollback(run, { dataStores: "keep-used" }),
  });
}
