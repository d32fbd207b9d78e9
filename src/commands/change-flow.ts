import type { ServiceChange } from "../application/change.ts";
import type { ServiceName } from "../application/names.ts";
import { type ParsedChange, parseChange, type RawChange } from "../application/parse-change.ts";
import { flagOf } from "../application/refusal.ts";
import { ProvisioningError } from "../provisioning/errors.ts";
import type { PlanWithManifests } from "../provisioning/provisioner.ts";
import { confirm, confirmDestruction } from "./confirm.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import { ofService } from "./nearest-name.ts";
import { writeLine } from "./output/format.ts";
import { failing, followServiceRun, type ServiceRunOptions, shownPlan } from "./service-run.ts";
import type { Session } from "./session.ts";
import { whenFree } from "./waiting.ts";

/** How a change is shown, asked for and followed. */
export interface ChangeOptions extends ServiceRunOptions {
  /** What `--confirm` says. */
  readonly confirm?: string | undefined;
  /** What becomes of a data store that a change takes away. */
  readonly dataStores: "keep" | "delete";
}

/** A change as typed: the words of its flags, and what to call them when they are wrong. */
export interface TypedChange {
  readonly operation: ServiceChange["operation"];
  readonly raw: RawChange;
  /** Flag of a field, where it has another name. */
  readonly flags?: Readonly<Record<string, string>>;
}

/**
 * Changes a service that exists: checks what was typed, shows what would change, asks a person, executes the run and
 * follows it to its end. What changes nothing writes nothing.
 * @throws CommandFailure, ProvisioningError, ClusterError
 */
export async function changeService(
  session: Session,
  service: ServiceName,
  typed: TypedChange,
  options: ChangeOptions,
): Promise<ExitCode> {
  // Before a cluster is asked, so that a slip of the fingers is told at once, and even without a cluster.
  accepted(typed, parseChange(typed.operation, typed.raw));
  const { provisioner, standards } = await session.platform({ preview: options.dryRun });
  const change = accepted(typed, parseChange(typed.operation, typed.raw, standards));
  const { dataStores, output } = options;
  try {
    return await ofService(session, service, async () => {
      const planned = await shownPlan(session, service, options, () =>
        provisioner.planChange(service, change, { dataStores }),
      );
      if (planned === undefined) return exitCodes.done;
      const confirmed = await asked(session, service, change.operation, planned, options);
      const begin = () =>
        whenFree(session, { service }, options.wait === true, () =>
          provisioner.change(service, change, { dataStores, ...confirmed, ...failing(options) }),
        );
      return followServiceRun(session, options, begin);
    });
  } catch (error) {
    if (!(error instanceof ProvisioningError) || error.kind !== "unchanged") throw error;
    if (output === "json") writeLine(session.terminal.out, "unchanged", { service, message: error.message });
    else session.terminal.out.write(`${error.message}\n`);
    return exitCodes.done;
  }
}

/** @throws CommandFailure (2) with every problem, told in the words of the flags */
function accepted({ operation, flags = {} }: TypedChange, parsed: ParsedChange): ServiceChange {
  if (parsed.ok) return parsed.change;
  throw usageFailure("what is asked for cannot be", {
    problems: parsed.problems.map((problem) =>
      problem.field === ""
        ? problem
        : { ...problem, field: `--${flags[problem.field] ?? flagOf(problem.field)}` },
    ),
    next: [`platform service ${operation} --help`],
  });
}

/** A change can be taken back, but for data: what destroys some asks for the service's name. */
async function asked(
  session: Session,
  service: ServiceName,
  operation: ServiceChange["operation"],
  { diff, protectedStores = [] }: PlanWithManifests,
  options: ChangeOptions,
): Promise<{ readonly confirmed?: string }> {
  // What is not the platform's is only let go of.
  const external = new Set(
    diff.flatMap(({ field, before }) => (before === "external" ? [field.replace(".provider", ".type")] : [])),
  );
  const lost = diff.filter(
    ({ field, after }) =>
      after === undefined && (field === "database.type" || field === "cache.type") && !external.has(field),
  );
  if (options.dataStores === "delete" && lost.length > 0) {
    const what = lost.map(({ field }) => field.replace(".type", "")).join(" and ");
    const deed = `delete the ${what} of ${service} with all data`;
    return confirmDestruction(session, { service, deed, protectedStores, asks: true, ...options });
  }
  if (options.yes) return {};
  await confirm(session, `${titles[operation]} ${service} on ${session.clusterName}?`);
  return {};
}

const titles: Readonly<Record<ServiceChange["operation"], string>> = {
  scale: "Scale",
  deploy: "Deploy to",
  set: "Change",
  rollback: "Roll back",
};
