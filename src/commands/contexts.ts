import type { Command } from "commander";
import { z } from "zod";
import { listContexts } from "../cluster/connect.ts";
import type { Bind } from "./action.ts";
import { exitCodes } from "./exit-code.ts";
import { listOutput } from "./options.ts";
import { listFormats, writeDocument } from "./output/format.ts";
import { table } from "./output/table.ts";

/** `platform contexts`. */
export function addContexts(program: Command, bind: Bind): void {
  bind(
    program
      .command("contexts")
      .description("list the kubeconfig's contexts; --context NAME chooses one for a command")
      .addOption(listOutput()),
    async ({ terminal: { out, env }, flags }, _args, options) => {
      const { output } = z.object({ output: z.enum(listFormats) }).parse(options);
      const contexts = await listContexts(flags.kubeconfig, env);
      if (output === "json" || output === "yaml") {
        await writeDocument(out, output, "contexts", { items: contexts });
      } else if (output === "name") {
        for (const { name } of contexts) out.write(`context/${name}\n`);
      } else {
        out.write(
          table(
            [
              { title: "CURRENT", value: ({ current }) => (current ? "*" : "") },
              { title: "NAME", value: ({ name }) => name },
              { title: "CLUSTER", value: ({ cluster }) => cluster },
            ],
            contexts,
          ),
        );
      }
      return exitCodes.done;
    },
  );
}
