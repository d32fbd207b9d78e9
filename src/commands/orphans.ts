import type { Command } from "commander";
import { Option } from "commander";
import { z } from "zod";
import type { CleanupPlan, Orphan, Sweep } from "../provisioning/orphans/orphan.ts";
import type { Bind } from "./action.ts";
import { confirmDestruction } from "./confirm.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import { follow } from "./follow.ts";
import { serviceNameFrom } from "./names.ts";
import { confirmation, documentOutput, listOutput, runOutput, timeout, yes } from "./options.ts";
import { age } from "./output/age.ts";
import { documentFormats, listFormats, runFormats, writeDocument } from "./output/format.ts";
import { count } from "./output/run-result.ts";
import { type Column, table } from "./output/table.ts";
import { runView } from "./run-view-of.ts";
import type { Session } from "./session.ts";

/** `platform orphans list|adopt|delete`. */
export function addOrphans(program: Command, bind: Bind): void {
  const orphans = program
    .command("orphans")
    .description("find, adopt and delete what no living run or service accounts for");
  addList(orphans, bind);
  addAdopt(orphans, bind);
  addDelete(orphans, bind);
}

function addList(orphans: Command, bind: Bind): void {
  bind(
    orphans
      .command("list")
      .alias("ls")
      .description("list orphans, and what a deletion or rollback kept on purpose")
      .addOption(new Option("--service <name>", "of this service only"))
      .addOption(listOutput()),
    async (session, _args, raw) => {
      const options = z.object({ output: z.enum(listFormats), service: z.string().optional() }).parse(raw);
      const service = options.service === undefined ? undefined : serviceNameFrom(options.service);
      const { provisioner } = await session.platform();
      const sweep = await provisioner.orphans.find(service === undefined ? {} : { service });
      const { out, err } = session.terminal;
      if (options.output === "json" || options.output === "yaml") {
        await writeDocument(out, options.output, "orphans", { items: sweep.found, unseen: sweep.unseen });
        return exitCodes.done;
      }
      if (options.output === "name") {
        for (const { name, state } of sweep.found) if (state === "orphan") out.write(`${name}\n`);
      } else if (sweep.found.length > 0) {
        out.write(table(columns(new Date()), sweep.found, { wide: options.output === "wide" }));
      }
      err.write(`${summaryOf(sweep, session).join("\n")}\n`);
      return exitCodes.done;
    },
  );
}

function columns(now: Date): readonly Column<Orphan>[] {
  return [
    { title: "NAME", value: ({ name }) => name },
    { title: "STATE", value: ({ state }) => state },
    { title: "SERVICE", value: ({ service }) => service || "–" },
    {
      title: "AGE",
      align: "right",
      value: ({ createdAt }) => (createdAt === "" ? "–" : age(createdAt, now)),
    },
    { title: "DATA", value: (orphan) => dataText(orphan) },
    {
      title: "HOLDS",
      align: "right",
      value: ({ contains = [] }) => (contains.length === 0 ? "–" : count(contains.length, "object")),
    },
    { title: "WHY", value: ({ reason }) => reason },
    { title: "RUN", wide: true, value: ({ run }) => run || "–" },
  ];
}

function dataText({ data, protected: guarded }: Orphan): string {
  if (data.length === 0) return guarded ? "protected" : "–";
  return guarded ? "yes, protected" : "yes";
}

/** What a person should know after the list: what it means, what is not in it, what to type. */
function summaryOf({ found, unseen }: Sweep, session: Session): readonly string[] {
  const orphans = found.filter(({ state }) => state === "orphan");
  const kept = found.filter(({ state }) => state === "kept");
  const lines =
    orphans.length === 0
      ? [
          `no orphans: everything that the platform made on ${session.clusterName} belongs to a service or an unfinished run${kept.length === 0 ? "" : ", or was kept on purpose"}`,
        ]
      : [
          `${count(orphans.length, "orphan")}: nothing accounts for ${orphans.length === 1 ? "it" : "them"}`,
          `  → ${session.command("orphans", "adopt", "NAME")} has its service account for it`,
          `  → ${session.command("orphans", "delete", "NAME")} deletes it`,
        ];
  return [...lines, ...unseen.map((what) => `  not looked at: ${what}`)];
}

function addAdopt(orphans: Command, bind: Bind): void {
  bind(
    orphans
      .command("adopt")
      .description(
        "have its service account for an orphan: it is marked, and goes when the service is deleted",
      )
      .argument("<name...>", "names as the list shows them")
      .addOption(documentOutput()),
    async (session, args, raw) => {
      const { output } = z.object({ output: z.enum(documentFormats) }).parse(raw);
      const { provisioner } = await session.platform();
      const adopted = await provisioner.orphans.adopt(args);
      const { out } = session.terminal;
      if (output !== "text") await writeDocument(out, output, "adopted", { items: adopted });
      else for (const { name, service } of adopted) out.write(`${name} belongs to ${service} from now on\n`);
      const missed = args.filter((name) => !adopted.some((orphan) => orphan.name === name));
      for (const name of missed) session.terminal.err.write(`${name} was deleted or replaced meanwhile\n`);
      return missed.length === 0 ? exitCodes.done : exitCodes.usage;
    },
  );
}

const deleteSchema = z.object({
  output: z.enum(runFormats),
  dryRun: z.boolean().default(false),
  yes: z.boolean().default(false),
  confirm: z.string().optional(),
  timeout: z.number().optional(),
});

function addDelete(orphans: Command, bind: Bind): void {
  bind(
    orphans
      .command("delete")
      .description("delete orphans, each exactly as it was shown; a run a service does it")
      .argument("<name...>", "names as the list shows them")
      .addOption(new Option("--dry-run", "show what would be deleted, delete nothing"))
      .addOption(yes())
      .addOption(confirmation())
      .addOption(timeout())
      .addOption(runOutput()),
    async (session, args, raw) => {
      const options = deleteSchema.parse(raw);
      const { provisioner } = await session.platform();
      const plans = await provisioner.orphans.planDelete(args);
      if (plans.length > 1 && options.confirm !== undefined) {
        throw usageFailure(`these orphans are of ${plans.map(({ service }) => service).join(", ")}`, {
          next: ["--confirm names one service: delete the orphans of each by themselves"],
        });
      }
      const { out, err } = session.terminal;
      if (options.dryRun) {
        if (options.output === "json") await writeDocument(out, "json", "cleanup", { plans });
        else out.write(`${plans.flatMap(cleanupText).join("\n")}\n`);
        return exitCodes.done;
      }
      if (options.output === "text") err.write(`${plans.flatMap(cleanupText).join("\n")}\n`);
      const confirmed = new Map<CleanupPlan, { readonly confirmed?: string }>();
      for (const plan of plans) confirmed.set(plan, await confirmCleanup(session, plan, options));
      for (const plan of plans) {
        const code = await cleanUp(session, plan, confirmed.get(plan) ?? {}, options);
        if (code !== exitCodes.done) return code;
      }
      return exitCodes.done;
    },
  );
}

function confirmCleanup(
  session: Session,
  plan: CleanupPlan,
  options: Pick<z.output<typeof deleteSchema>, "yes" | "confirm">,
) {
  const losses = plan.data.length === 0 ? "" : `, with ${plan.data.join(", ")}`;
  return confirmDestruction(session, {
    service: plan.service,
    deed: `delete ${count(plan.orphans.length, "orphan")} of ${plan.service}${losses}`,
    protectedStores: plan.protectedStores,
    asks: true,
    ...options,
  });
}

async function cleanUp(
  session: Session,
  plan: CleanupPlan,
  confirmed: { readonly confirmed?: string },
  options: Pick<z.output<typeof deleteSchema>, "output" | "timeout">,
): Promise<ExitCode> {
  const { provisioner, cluster } = await session.platform();
  const view = runView(session, cluster.context, options.output);
  return follow(session, () => provisioner.orphans.delete(plan, confirmed), view, {
    asked: "completion",
    ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
  });
}

/** What deleting orphans of one service does, as lines. */
function cleanupText({
  service,
  orphans,
  takesAlong,
  data,
  protectedStores,
  notes,
}: CleanupPlan): readonly string[] {
  return [
    `Orphans of ${service}`,
    ...orphans.map(({ name, reason }) => `  - ${name}  (${reason})`),
    ...takesAlong.map((what) => `    - ${what}`),
    ...data.map((what) => `  ▲ ${what}: its data is lost`),
    ...protectedStores.map((name) => `  ▲ ${name} is protected against deletion: that is lifted`),
    ...notes.map((note) => `    ${note}`),
  ];
}
