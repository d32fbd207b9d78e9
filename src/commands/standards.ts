import type { Command } from "commander";
import { z } from "zod";
import type { Bind } from "./action.ts";
import { exitCodes } from "./exit-code.ts";
import { documentOutput } from "./options.ts";
import { documentFormats, writeDocument } from "./output/format.ts";

/** `platform standards show|check`. */
export function addStandards(program: Command, bind: Bind): void {
  const standards = program
    .command("standards")
    .description("show the organisation's standards, check a file");
  bind(
    standards
      .command("show")
      .description("print the standards in force, defaults included")
      .addOption(documentOutput()),
    async (session, _args, raw) => {
      const { output } = z.object({ output: z.enum(documentFormats) }).parse(raw);
      const { loadStandards, readStandardsFile } = await import("../standards/load.ts");
      const file = session.flags.standards;
      const inForce =
        file === undefined ? await loadStandards(await session.connect()) : await readStandardsFile(file);
      const { out } = session.terminal;
      if (output === "json") await writeDocument(out, "json", "standards", { standards: inForce });
      else {
        const { toYaml } = await import("./output/yaml.ts");
        out.write(toYaml(inForce));
      }
      return exitCodes.done;
    },
  );
  bind(
    standards
      .command("check")
      .description("check a standards file; every problem is told with field and line")
      .argument("<file>", "for example platform.yaml"),
    async ({ terminal }, args) => {
      const { readStandardsFile, standardsHash } = await import("../standards/load.ts");
      const file = args[0] ?? "";
      const hash = standardsHash(await readStandardsFile(file));
      terminal.out.write(`${file} is good, hash ${hash}\n`);
      return exitCodes.done;
    },
  );
}
