import { type Command, Option } from "commander";
import { z } from "zod";
import type { RollbackPreview } from "../provisioning/run.ts";
import type { Bind } from "./action.ts";
import { confirmName } from "./confirm.ts";
import { exitCodes } from "./exit-code.ts";
import { follow } from "./follow.ts";
import { runNameFrom } from "./names.ts";
import { runOutput, timeout, yes } from "./options.ts";
import { runFormats, writeDocument } from "./output/format.ts";
import { dataStoreChoices, dataStores, onFailure, onFailureChoices } from "./run-options.ts";
import { runView } from "./run-view-of.ts";

/** `platform run retry|rollback`. */
export function addRunActions(run: Command, bind: Bind): void {
  bind(
    run
      .command("retry")
      .alias("resume")
      .description("go on with a held or interrupted run from where it stopped")
      .argument("<run>", "the run's name")
      .addOption(onFailure())
      .addOption(timeout())
      .addOption(runOutput()),
    async (session, args, raw) => {
      const options = z
        .object({
          output: z.enum(runFormats),
          onFailure: z.enum(onFailureChoices),
          timeout: z.number().optional(),
        })
        .parse(raw);
      const name = runNameFrom(args[0]);
      const { provisioner, cluster } = await session.platform();
      const begin = () => provisioner.retry(name, { onFailure: options.onFailure });
      return follow(session, begin, runView(session, cluster.context, options.output), {
        asked: "completion",
        ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
        rollBack: (run) => provisioner.rollback(run, { dataStores: "keep-used" }),
      });
    },
  );
  bind(
    run
      .command("rollback")
      .description("undo a run: deletes only what it made, and says what it keeps")
      .argument("<run>", "the run's name")
      .addOption(dataStores())
      .addOption(new Option("--dry-run", "show what would be deleted and kept, delete nothing"))
      .addOption(yes())
      .addOption(runOutput()),
    async (session, args, raw) => {
      const options = z
        .object({
          output: z.enum(runFormats),
          dataStores: z.enum(dataStoreChoices),
          dryRun: z.boolean().default(false),
          yes: z.boolean().default(false),
        })
        .parse(raw);
      const name = runNameFrom(args[0]);
      const { provisioner, cluster } = await session.platform();
      const preview = await provisioner.previewRollback(name, options.dataStores);
      const { out, err } = session.terminal;
      const text = `${previewText(preview).join("\n")}\n`;
      if (options.dryRun) {
        if (options.output === "json") await writeDocument(out, "json", "rollback-preview", { preview });
        else out.write(text);
        return exitCodes.done;
      }
      if (options.output === "text") err.write(text);
      if (preview.destroysData && !options.yes) {
        const { service } = await provisioner.get(name);
        await confirmName(session, service, `roll back ${name}, which destroys data`);
      }
      const begin = () => provisioner.rollback(name, { dataStores: options.dataStores });
      return follow(session, begin, runView(session, cluster.context, options.output), {
        asked: "rollback",
      });
    },
  );
}

/** What a roll back would do, as lines. */
export function previewText(preview: RollbackPreview): readonly string[] {
  const section = (title: string, entries: RollbackPreview["deletes"]) =>
    entries.map(({ text, reason }, index) =>
      `  ${(index === 0 ? title : "").padEnd(9)} ${text}${reason === "" ? "" : `  (${reason})`}`.trimEnd(),
    );
  const lines = [
    ...section("Deletes", preview.deletes),
    ...section("Keeps", preview.keeps),
    ...section("Cannot", preview.irreversible),
  ];
  return [`Roll back of ${preview.run}`, ...(lines.length === 0 ? ["  Nothing is left to undo."] : lines)];
}
