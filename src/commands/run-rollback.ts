import { type Command, Option } from "commander";
import { z } from "zod";
import type { RollbackPreview } from "../provisioning/runs/run.ts";
import type { Bind } from "./action.ts";
import { confirmDestruction } from "./confirm.ts";
import { exitCodes } from "./exit-code.ts";
import { follow } from "./follow.ts";
import { runNameFrom } from "./names.ts";
import { ofRun } from "./nearest-name.ts";
import { confirmation, runOutput, yes } from "./options.ts";
import { runFormats, writeDocument } from "./output/format.ts";
import { dataStoreChoices, dataStores } from "./run-options.ts";
import { runView } from "./run-view-of.ts";

/** `platform run rollback`. */
export function addRunRollback(run: Command, bind: Bind): void {
  bind(
    run
      .command("rollback")
      .description("undo a run: deletes only what it made, brings back what it changed, says what it keeps")
      .argument("<run>", "the run's name")
      .addOption(dataStores())
      .addOption(new Option("--dry-run", "show what would be undone and what kept, write nothing"))
      .addOption(yes())
      .addOption(confirmation())
      .addOption(runOutput()),
    async (session, args, raw) => {
      const options = z
        .object({
          output: z.enum(runFormats),
          dataStores: z.enum(dataStoreChoices),
          dryRun: z.boolean().default(false),
          yes: z.boolean().default(false),
          confirm: z.string().optional(),
        })
        .parse(raw);
      const name = runNameFrom(args[0]);
      const { provisioner, cluster } = await session.platform();
      const preview = await ofRun(session, name, () => provisioner.previewRollback(name, options.dataStores));
      const { out, err } = session.terminal;
      const text = `${previewText(preview).join("\n")}\n`;
      if (options.dryRun) {
        if (options.output === "json") await writeDocument(out, "json", "rollback-preview", { preview });
        else out.write(text);
        return exitCodes.done;
      }
      if (options.output === "text") err.write(text);
      const confirmed = await confirmDestruction(session, {
        service: (await provisioner.get(name)).service,
        deed: `roll back ${name}, which destroys data`,
        protectedStores: preview.protectedStores ?? [],
        asks: preview.destroysData,
        ...options,
      });
      const begin = () => provisioner.rollback(name, { dataStores: options.dataStores, ...confirmed });
      const view = runView(session, cluster.context, options.output, { begun: true });
      return follow(session, begin, view, { asked: "rollback" });
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
    ...section("Restores", preview.restores),
    ...section(
      "Lifts",
      (preview.protectedStores ?? []).map((name) => ({
        effects: [],
        text: `the deletion protection of ${name}`,
        reason: "a last snapshot is taken first, where the cluster can",
      })),
    ),
    ...section("Deletes", preview.deletes),
    ...section("Keeps", preview.keeps),
    ...section("Cannot", preview.irreversible),
    ...section("Unread", preview.unread ?? []),
  ];
  return [`Roll back of ${preview.run}`, ...(lines.length === 0 ? ["  Nothing is left to undo."] : lines)];
}
