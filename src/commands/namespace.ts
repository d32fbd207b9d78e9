import { type Command, Option } from "commander";
import { z } from "zod";
import type { NamespacePlan } from "../provisioning/namespaces/manage.ts";
import type { Bind } from "./action.ts";
import { confirm } from "./confirm.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import { documentOutput, yes } from "./options.ts";
import { documentFormats } from "./output/format.ts";
import { writeNamespace } from "./output/namespace.ts";
import type { Session } from "./session.ts";

const optionsSchema = z.object({
  output: z.enum(documentFormats),
  dryRun: z.boolean().default(false),
  yes: z.boolean().default(false),
  team: z.string().optional(),
  tier: z.string().optional(),
});
type Options = z.output<typeof optionsSchema>;

/** `platform namespace manage|unmanage`. */
export function addNamespace(program: Command, bind: Bind): void {
  const namespace = program
    .command("namespace")
    .description("let a namespace hold several services, or no longer; for platform engineers");
  bind(
    common(
      namespace
        .command("manage")
        .description("put a namespace under guardrails, so that its team may have Applications in it")
        .argument("<name>", "a namespace; it is made where there is none")
        .addOption(new Option("--team <team>", "the owning team, as the standards name it"))
        .addOption(new Option("--tier <tier>", "the standards' tier: quota, and where images come from")),
    ).addHelpText(
      "after",
      `
Running it again is safe: it brings the namespace to what the standards say. Namespaces app-NAME are made with their
service; for those it changes the tier.

Examples:
  platform namespace manage production --team payments --tier production --dry-run
  platform namespace manage production --team payments`,
    ),
    async (session, args, raw) => {
      const options = optionsSchema.parse(raw);
      const name = args[0] ?? "";
      const { cluster, standards } = await session.platform({ preview: options.dryRun });
      const { planManage } = await import("../provisioning/namespaces/manage.ts");
      const team = options.team ?? onlyTeam(Object.keys(standards.teams));
      const plan = await planManage(cluster, standards, { name, team, tier: options.tier });
      return carry(session, plan, options, {
        question: `Let ${name} be managed, for team ${team}, on ${cluster.context}?`,
        already: `${name} is managed as it should be: nothing was written.`,
        done: `${name} is managed, for team ${plan.managed.team}, tier ${plan.managed.tier}.\n  → kubectl apply -n ${name} -f FILE makes an Application in it`,
      });
    },
  );
  bind(
    common(
      namespace
        .command("unmanage")
        .description("take the guardrails off a namespace that has no Applications any more")
        .argument("<name>", "a managed namespace"),
    ),
    async (session, args, raw) => {
      const options = optionsSchema.parse(raw);
      const name = args[0] ?? "";
      const { cluster, standards } = await session.platform({ preview: options.dryRun });
      const { planUnmanage } = await import("../provisioning/namespaces/unmanage.ts");
      const plan = await planUnmanage(cluster, standards, name);
      return carry(session, plan, options, {
        question: `Take the guardrails off ${name} on ${cluster.context}?`,
        already: `${name} is not managed: nothing was written.`,
        done: `${name} is not managed any more.`,
      });
    },
  );
}

function common(command: Command): Command {
  return command
    .addOption(new Option("--dry-run", "show what would be written, write nothing"))
    .addOption(yes())
    .addOption(documentOutput());
}

function onlyTeam(teams: readonly string[]): string {
  const [team, ...others] = teams;
  if (team !== undefined && others.length === 0) return team;
  throw usageFailure("a namespace is a team's: which one?", { next: [`--team ${teams.join("|")}`] });
}

async function carry(
  session: Session,
  plan: NamespacePlan,
  { output, dryRun, yes: sure }: Options,
  words: { readonly question: string; readonly already: string; readonly done: string },
): Promise<ExitCode> {
  const { cluster } = await session.platform({ preview: dryRun });
  const { out, err } = session.terminal;
  const document = { context: cluster.context, dryRun, plan };
  const changes = plan.changes.some(({ action }) => action !== "none");
  if (dryRun || !changes) {
    await writeNamespace(out, output, document);
    if (output === "text") {
      err.write(changes ? "Nothing was written: this is a dry run.\n" : `${words.already}\n`);
    }
    return exitCodes.done;
  }
  if (output === "text") {
    await writeNamespace(err, output, { ...document, dryRun: true });
    if (!sure) await confirm(session, words.question);
  }
  const { carryOut } = await import("../provisioning/namespaces/manage.ts");
  await carryOut(cluster, plan);
  if (output === "text") out.write(`${words.done}\n`);
  else await writeNamespace(out, output, document);
  return exitCodes.done;
}
