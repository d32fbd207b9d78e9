import { type Command, Option } from "commander";
import { z } from "zod";
import type { ServiceName } from "../application/names.ts";
import { type Rotatable, rotatable } from "../secrets/rotation.ts";
import type { Bind } from "./action.ts";
import { confirm } from "./confirm.ts";
import { exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import { follow } from "./follow.ts";
import { serviceNameFrom } from "./names.ts";
import { ofService } from "./nearest-name.ts";
import { runOutput, timeout, yes } from "./options.ts";
import { runFormats } from "./output/format.ts";
import { printPlan } from "./output/plan.ts";
import { noWait, onFailureChoices, onFailureOfChange, wait } from "./run-options.ts";
import { runView } from "./run-view-of.ts";
import type { Session } from "./session.ts";
import { whenFree } from "./waiting.ts";

const optionsSchema = z.object({
  output: z.enum(runFormats),
  dryRun: z.boolean().default(false),
  yes: z.boolean().default(false),
  wait: z.boolean().optional(),
  onFailure: z.enum(onFailureChoices).optional(),
  timeout: z.number().optional(),
});

/** `platform secret rotate`. */
export function addSecretRotate(secret: Command, bind: Bind): void {
  bind(
    secret
      .command("rotate")
      .description("give a data store a new password without downtime: pods move over, then the old one ends")
      .argument("<service>", "the service's name")
      .argument("<secret>", "database or cache, or the secret's name as the list shows it")
      .addOption(new Option("--dry-run", "show what would be done, change nothing"))
      .addOption(onFailureOfChange())
      .addOption(wait())
      .addOption(noWait())
      .addOption(yes())
      .addOption(timeout())
      .addOption(runOutput())
      .addHelpText(
        "after",
        `
Examples:
  platform secret rotate api-gateway database
  platform secret rotate api-gateway api-gateway-cache --yes`,
      ),
    async (session, args, raw) => {
      const options = optionsSchema.parse(raw);
      const service = serviceNameFrom(args[0]);
      const store = storeNamed(session, service, args[1] ?? "");
      const { provisioner, cluster } = await session.platform();
      return ofService(session, service, async () => {
        const planned = await whenFree(session, service, options.wait === true && !options.dryRun, () =>
          provisioner.planRotate(service, store),
        );
        if (options.dryRun) {
          await printPlan(session, planned, options.output);
          return exitCodes.done;
        }
        if (options.output === "text" || (session.terminal.interactive && !options.yes)) {
          await printPlan(session, planned, "progress");
        }
        if (!options.yes) {
          await confirm(session, `Give the ${store} of ${service} on ${session.clusterName} a new password?`);
        }
        const begin = () =>
          whenFree(session, service, options.wait === true, () =>
            provisioner.rotate(
              service,
              store,
              options.onFailure === undefined ? {} : { onFailure: options.onFailure },
            ),
          );
        return follow(session, begin, runView(session, cluster.context, options.output), {
          asked: "completion",
          detached: options.wait === false,
          ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
          rollBack: (run) => provisioner.rollback(run, { dataStores: "keep-used" }),
        });
      });
    },
  );
}

/** @throws CommandFailure (2) */
function storeNamed(session: Session, service: ServiceName, text: string): Rotatable {
  const names: Readonly<Record<Rotatable, string>> = { database: `${service}-db`, cache: `${service}-cache` };
  const found = rotatable.find((store) => text === store || text === names[store]);
  if (found !== undefined) return found;
  throw usageFailure(`${JSON.stringify(text)} is nothing that can be rotated: it is database or cache`, {
    next: [session.command("secret", "list", service)],
  });
}
