import type { Command } from "commander";
import { Option } from "commander";
import { z } from "zod";
import { hasOwnNamespace, refText } from "../application/service-ref.ts";
import { aboutService } from "../provisioning/runs/service-of-run.ts";
import type { Bind } from "./action.ts";
import { confirmDestruction } from "./confirm.ts";
import { exitCodes } from "./exit-code.ts";
import { follow } from "./follow.ts";
import { ofService } from "./nearest-name.ts";
import { confirmation, runOutput, timeout, yes } from "./options.ts";
import { runFormats } from "./output/format.ts";
import { printPlan } from "./output/plan.ts";
import { dataStoreChoices, dataStores, noWait, wait } from "./run-options.ts";
import { runView } from "./run-view-of.ts";
import { namespaceFor, serviceArgument, typedService } from "./service-ref.ts";
import { whenFree } from "./waiting.ts";

const optionsSchema = z.object({
  output: z.enum(runFormats),
  dataStores: z.enum(dataStoreChoices),
  dryRun: z.boolean().default(false),
  yes: z.boolean().default(false),
  confirm: z.string().optional(),
  wait: z.boolean().optional(),
  timeout: z.number().optional(),
});

/** `platform service delete`. */
export function addServiceDelete(service: Command, bind: Bind): void {
  bind(
    service
      .command("delete")
      .description("delete a service and everything that is only its own")
      .argument("<name>", serviceArgument)
      .addOption(dataStores())
      .addOption(new Option("--dry-run", "show what would be deleted and kept, delete nothing"))
      .addOption(wait())
      .addOption(noWait())
      .addOption(yes())
      .addOption(confirmation())
      .addOption(timeout())
      .addOption(runOutput())
      .addHelpText(
        "after",
        `
Examples:
  platform service delete api-gateway --dry-run
  platform service delete api-gateway --data-stores delete --confirm api-gateway
  platform service delete production/orders`,
      ),
    async (session, args, raw) => {
      const options = optionsSchema.parse(raw);
      const typed = typedService(args[0]);
      const { name } = typed;
      const { provisioner, cluster } = await session.platform();
      const service = { name, namespace: await namespaceFor(session, typed, { kept: true }) };
      const about = { ...aboutService(service), service: name };
      const plan = () =>
        whenFree(session, about, options.wait === true && !options.dryRun, () =>
          provisioner.planDelete(name, options.dataStores, service.namespace),
        );
      const planned = await (hasOwnNamespace(service) ? ofService(session, name, plan) : plan());
      if (options.dryRun) {
        await printPlan(session, planned, options.output);
        return exitCodes.done;
      }
      const said = options.yes || options.confirm !== undefined;
      if (!said || options.output === "text") await printPlan(session, planned, "progress");
      const confirmed = await confirmDestruction(session, {
        service: name,
        deed: `delete ${refText(service)} on ${cluster.context}`,
        protectedStores: planned.protectedStores ?? [],
        asks: true,
        ...options,
      });
      const begin = () =>
        whenFree(session, about, options.wait === true, () =>
          provisioner.delete(name, {
            dataStores: options.dataStores,
            namespace: service.namespace,
            ...confirmed,
          }),
        );
      return follow(session, begin, runView(session, cluster.context, options.output), {
        asked: "completion",
        detached: options.wait === false,
        ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
      });
    },
  );
}
