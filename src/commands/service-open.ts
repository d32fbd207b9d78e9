import { type Command, Option } from "commander";
import { z } from "zod";
import { hostOf } from "../application/objects/network.ts";
import { applicationSpecSchema, storedSpecSchema } from "../application/schema.ts";
import { hasOwnNamespace, type ServiceRef } from "../application/service-ref.ts";
import { isClusterError } from "../cluster/errors.ts";
import { resources } from "../cluster/resource.ts";
import type { Bind } from "./action.ts";
import { exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import { demandService } from "./nearest-name.ts";
import { namespaceFor, serviceArgument, typedService } from "./service-ref.ts";
import type { Session } from "./session.ts";

/** `platform service open`. */
export function addServiceOpen(service: Command, bind: Bind): void {
  bind(
    service
      .command("open")
      .description("print where a service answers; on a terminal, open it in the browser")
      .argument("<name>", serviceArgument)
      .addOption(new Option("--repository", "its repository instead, to clone"))
      .addOption(new Option("--print", "print only")),
    async (session, args, raw) => {
      const options = z
        .object({ repository: z.boolean().default(false), print: z.boolean().default(false) })
        .parse(raw);
      const typed = typedService(args[0]);
      const { name } = typed;
      const namespace = await namespaceFor(session, typed);
      const { cluster, standards, codeHost, simulated } = await session.platform();
      const stored = await applicationOf(session, { name, namespace });
      const { out, err } = session.terminal;
      if (options.repository) {
        if (!hasOwnNamespace({ name, namespace })) {
          throw usageFailure(`no run made ${name} in ${namespace}: the platform made no repository for it`);
        }
        out.write(`${codeHost.urlOf(applicationSpecSchema.parse(stored).team, name)}\n`);
        return exitCodes.done;
      }
      const { exposure } = storedSpecSchema.parse(stored);
      if (exposure === "none") throw usageFailure(`${name} takes no requests (exposure none)`);
      if (exposure === "internal") {
        out.write(`http://${name}.${namespace}.svc\n`);
        err.write(`${name} is reached from inside ${cluster.context} only.\n`);
        return exitCodes.done;
      }
      const url = `https://${hostOf({ name, namespace, standards })}`;
      out.write(`${url}\n`);
      if (simulated) err.write("The sandbox is simulated: nothing answers there.\n");
      else if (session.terminal.interactive && !options.print) await openInBrowser(url);
      return exitCodes.done;
    },
  );
}

async function applicationOf(session: Session, { name, namespace }: ServiceRef): Promise<unknown> {
  const { cluster } = await session.platform();
  try {
    return (await cluster.get(resources.applications, { namespace, name })).spec;
  } catch (error) {
    if (!isClusterError(error, "not-found")) throw error;
    if (!hasOwnNamespace({ name, namespace }))
      throw usageFailure(`there is no service ${name} in ${namespace}`);
    await demandService(session, name);
    throw usageFailure(`nothing runs of ${name}: only its namespace is left`);
  }
}

/** The URL was printed already: where no browser opens, nothing is lost. */
async function openInBrowser(url: string): Promise<void> {
  const { spawn } = await import("node:child_process");
  const opener = process.platform === "darwin" ? "open" : "xdg-open";
  const child = spawn(opener, [url], { detached: true, stdio: "ignore" });
  child.on("error", () => undefined);
  child.unref();
}
