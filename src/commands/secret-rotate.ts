import type { Command } from "commander";
import type { ServiceName } from "../application/names.ts";
import { type Rotatable, rotatable } from "../secrets/rotation.ts";
import type { Bind } from "./action.ts";
import { confirm } from "./confirm.ts";
import { exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import { serviceNameFrom } from "./names.ts";
import { ofService } from "./nearest-name.ts";
import { failing, followServiceRun, serviceRunSchema, shownPlan, withRunOptions } from "./service-run.ts";
import type { Session } from "./session.ts";
import { whenFree } from "./waiting.ts";

/** `platform secret rotate`. */
export function addSecretRotate(secret: Command, bind: Bind): void {
  bind(
    withRunOptions(
      secret
        .command("rotate")
        .description(
          "give a data store a new password without downtime: pods move over, then the old one ends",
        )
        .argument("<service>", "the service's name")
        .argument("<secret>", "database or cache, or the secret's name as the list shows it"),
    ).addHelpText(
      "after",
      `
Examples:
  platform secret rotate api-gateway database
  platform secret rotate api-gateway api-gateway-cache --yes`,
    ),
    async (session, args, raw) => {
      const options = serviceRunSchema.parse(raw);
      const service = serviceNameFrom(args[0]);
      const store = storeNamed(session, service, args[1] ?? "");
      const { provisioner } = await session.platform();
      return ofService(session, service, async () => {
        const plan = await shownPlan(session, service, options, () => provisioner.planRotate(service, store));
        if (plan === undefined) return exitCodes.done;
        if (!options.yes) {
          await confirm(session, `Give the ${store} of ${service} on ${session.clusterName} a new password?`);
        }
        const begin = () =>
          whenFree(session, { service }, options.wait === true, () =>
            provisioner.rotate(service, store, failing(options)),
          );
        return followServiceRun(session, options, begin);
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
