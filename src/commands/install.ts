import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { imagePattern } from "../application/patterns.ts";
import type { Bind } from "./action.ts";
import { confirm } from "./confirm.ts";
import { exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import { follow } from "./follow.ts";
import { installerOf } from "./installer-of.ts";
import { timeout, yes } from "./options.ts";
import { writeInstallation } from "./output/installation.ts";
import { onFailure, onFailureChoices } from "./run-options.ts";
import { runView } from "./run-view-of.ts";
import type { Session } from "./session.ts";

/** What `--print` takes. */
const printed = ["all", "types"] as const;

const optionsSchema = z.object({
  output: z.enum(["text", "json", "yaml"]),
  dryRun: z.boolean().default(false),
  yes: z.boolean().default(false),
  print: z.union([z.literal(true), z.enum(printed)]).optional(),
  operatorImage: z.string().optional(),
  onFailure: z.enum(onFailureChoices),
  timeout: z.number().optional(),
});

/** `platform install`. */
export function addInstall(program: Command, bind: Bind, version: string): void {
  bind(
    program
      .command("install")
      .description(
        "install the platform on a cluster, or bring it to this version: types, rights, operator, guardrails",
      )
      .addOption(new Option("--dry-run", "show what would be written, write nothing"))
      .addOption(
        new Option("--print [what]", "print the manifests for GitOps, ask no cluster").choices(printed),
      )
      .addOption(
        new Option(
          "--operator-image <image>",
          "what the operator runs (default: as the standards say, or as it is)",
        ).argParser(imageReference),
      )
      .addOption(onFailure())
      .addOption(yes())
      .addOption(timeout())
      .addOption(
        new Option("-o, --output <format>", "how to print; a run is followed as text or JSON lines")
          .choices(["text", "json", "yaml"])
          .default("text"),
      )
      .addHelpText(
        "after",
        `
Running it again is safe: it shows what differs, and writes nothing where nothing does. It is a run: recorded in the
cluster, resumable, and rolled back to what was. The sandbox has the platform from the start, without guardrails.

Examples:
  platform install --dry-run
  platform --context prod-eu install --standards platform.yaml --operator-image REPOSITORY@sha256:…
  platform install --print types | kubectl apply --server-side -f - &&
    platform install --print | kubectl apply --server-side -f -`,
      ),
    async (session, _args, raw) => {
      const options = optionsSchema.parse(raw);
      const { readStandardsFile } = await import("../standards/load.ts");
      const file = session.flags.standards;
      const standards = file === undefined ? undefined : await readStandardsFile(file);
      const wanted = {
        ...(standards === undefined ? {} : { standards }),
        ...(options.operatorImage === undefined ? {} : { image: options.operatorImage }),
      };
      if (options.print !== undefined) {
        const { printedInstallation } = await import("../installation/print.ts");
        const what = options.print === true ? "all" : options.print;
        session.terminal.out.write(await printedInstallation({ ...wanted, version }, what));
        return exitCodes.done;
      }
      const installer = await installerOf(session, version);
      const plan = await installer.planInstall(wanted);
      const { out, err } = session.terminal;
      const cluster = await session.connect();
      const changes = plan.changes.filter(({ action }) => action !== "none");
      if (options.dryRun || changes.length === 0) {
        await writeInstallation(out, options.output, {
          context: cluster.context,
          dryRun: options.dryRun,
          plan,
        });
        if (options.output === "text") {
          err.write(options.dryRun ? nothingWritten : `${isSo(session, cluster.context)}\n`);
        }
        return exitCodes.done;
      }
      if (options.output === "yaml") {
        throw usageFailure("a run is followed as text or as JSON lines", {
          next: ["-o yaml prints what --dry-run would write"],
        });
      }
      if (options.output === "text") {
        await writeInstallation(err, "text", { context: cluster.context, dryRun: true, plan });
        if (!options.yes) await confirm(session, `Install the platform on ${cluster.context}?`);
      }
      const begin = () => installer.install(plan, { onFailure: options.onFailure });
      return follow(session, begin, runView(session, cluster.context, options.output), {
        asked: "completion",
        ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
      });
    },
  );
}

function imageReference(text: string): string {
  if (text.length <= 512 && imagePattern.test(text)) return text;
  throw new InvalidArgumentError("It is an image reference, such as REPOSITORY@sha256:….");
}

const nothingWritten = "Nothing was written: this is a dry run.\n";

function isSo(session: Session, context: string): string {
  return `The platform is installed on ${context} as it should be: nothing was written.\n  → ${session.command("doctor")} looks at the rest`;
}
