import { rm } from "node:fs/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import type { Bind } from "./action.ts";
import { exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import { shellWord } from "./flags.ts";
import { yes } from "./options.ts";
import { ask } from "./terminal.ts";

/** `platform sandbox serve|reset`. */
export function addSandboxServe(sandbox: Command, bind: Bind): void {
  bind(
    sandbox
      .command("serve")
      .description("serve the sandbox on this machine for kubectl, until stopped")
      .addOption(
        new Option("--port <number>", "port on 127.0.0.1 (default: any free one)").argParser(portNumber),
      )
      .addHelpText(
        "after",
        `
Example:
  platform sandbox serve --port 6500
  kubectl --kubeconfig … get all -n app-api-gateway`,
      ),
    async ({ terminal, flags, sandbox: access }, _args, raw) => {
      const { port } = z.object({ port: z.number().default(0) }).parse(raw);
      const served = await access.serve({
        port,
        ...(flags.speed === undefined ? {} : { speed: Number(flags.speed) }),
      });
      const stopped = new Promise<void>((resolve) => {
        terminal.onStop(() => resolve());
      });
      terminal.out.write(`export KUBECONFIG=${shellWord(served.kubeconfig)}\n`);
      terminal.err.write(
        `The sandbox answers on ${served.url}. It is simulated: nothing runs.\n` +
          `  → kubectl --kubeconfig ${shellWord(served.kubeconfig)} get namespaces\n` +
          "  ctrl-c stops serving; what is in it stays.\n",
      );
      await stopped;
      await served.close();
      return exitCodes.done;
    },
  );
  bind(
    sandbox
      .command("reset")
      .description("delete everything in the sandbox, with its Git repositories")
      .addOption(yes()),
    async ({ terminal, sandbox: access }, _args, raw) => {
      const options = z.object({ yes: z.boolean().default(false) }).parse(raw);
      if (!options.yes) {
        if (!terminal.interactive) throw usageFailure("to reset the sandbox without a terminal, say --yes");
        const answer = await ask(
          terminal,
          "Delete all services, runs and repositories of the sandbox? [y/N] ",
        );
        if (answer?.toLowerCase() !== "y") throw usageFailure("the sandbox was left as it is");
      }
      await Promise.all(
        [access.folder, access.repositories].map((folder) => rm(folder, { recursive: true, force: true })),
      );
      terminal.out.write("the sandbox is empty\n");
      return exitCodes.done;
    },
  );
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError("It is a port number.");
  return port;
}
