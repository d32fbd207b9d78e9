import { type Command, Option } from "commander";
import { z } from "zod";
import type { Bind } from "./action.ts";
import { exitCodes } from "./exit-code.ts";
import { documentOutput, yes } from "./options.ts";
import { documentFormats, writeDocument } from "./output/format.ts";
import { table } from "./output/table.ts";

/** `platform install`. */
export function addInstall(program: Command, bind: Bind): void {
  bind(
    program
      .command("install")
      .description("install the platform on a cluster: its resource types, platform-system and the standards")
      .addOption(new Option("--dry-run", "show what would be written, write nothing"))
      .addOption(yes())
      .addOption(documentOutput())
      .addHelpText(
        "after",
        `
Running it again is safe and brings the cluster to this version. The sandbox has it from the start.

Examples:
  platform install --dry-run
  platform --context prod-eu install --standards platform.yaml`,
      ),
    async (session, _args, raw) => {
      const { output, dryRun } = z
        .object({ output: z.enum(documentFormats), dryRun: z.boolean().default(false) })
        .parse(raw);
      const [{ install }, { readStandardsFile }, { systemTiming }] = await Promise.all([
        import("../provisioning/install.ts"),
        import("../standards/load.ts"),
        import("../cluster/timing.ts"),
      ]);
      const file = session.flags.standards;
      const standards = file === undefined ? undefined : await readStandardsFile(file);
      const cluster = await session.connect();
      const results = await install(cluster, {
        dryRun,
        clock: systemTiming,
        ...(standards === undefined ? {} : { standards }),
      });
      const { out, err } = session.terminal;
      const rows = results.map(({ object, outcome }) => ({
        kind: object.kind,
        name: object.metadata.name,
        outcome,
      }));
      if (output !== "text") {
        await writeDocument(out, output, "installation", { context: cluster.context, dryRun, items: rows });
        return exitCodes.done;
      }
      out.write(
        table(
          [
            { title: "KIND", value: ({ kind }) => kind },
            { title: "NAME", value: ({ name }) => name },
            { title: dryRun ? "WOULD BE" : "OUTCOME", value: ({ outcome }) => outcome },
          ],
          rows,
        ),
      );
      err.write(
        dryRun
          ? "Nothing was written: this is a dry run.\n"
          : `The platform is installed on ${cluster.context}.\n  → ${session.command("service", "create", "NAME", "--language", "go")}\n`,
      );
      return exitCodes.done;
    },
  );
}
