import { type Command, Option } from "commander";
import { z } from "zod";
import { applicationOf } from "../application/from-request.ts";
import { namespaceOf, type ServiceName } from "../application/names.ts";
import { applicationSpecSchema } from "../application/schema.ts";
import type { Backup } from "../backups/backup.ts";
import type { PlanWithManifests } from "../provisioning/provisioner.ts";
import type { Execution } from "../provisioning/run.ts";
import type { Bind } from "./action.ts";
import { confirm, confirmDestruction } from "./confirm.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import { follow } from "./follow.ts";
import { serviceNameFrom } from "./names.ts";
import { ofService } from "./nearest-name.ts";
import { confirmation, listOutput, runOutput, timeout, yes } from "./options.ts";
import { age } from "./output/age.ts";
import { type ListFormat, listFormats, runFormats, writeDocument } from "./output/format.ts";
import { printPlan } from "./output/plan.ts";
import { type Column, table } from "./output/table.ts";
import { noWait, onFailureChoices, onFailureOfChange, wait } from "./run-options.ts";
import { runView } from "./run-view-of.ts";
import type { Session } from "./session.ts";
import { whenFree } from "./waiting.ts";

const optionsSchema = z.object({
  output: z.enum(runFormats),
  dryRun: z.boolean().default(false),
  yes: z.boolean().default(false),
  wait: z.boolean().optional(),
  onFailure: z.enum(onFailureChoices).optional(),
  timeout: z.number().optional(),
  confirm: z.string().optional(),
});
type Options = z.output<typeof optionsSchema>;

const importSchema = optionsSchema.extend({ from: z.string() });

/** `platform database backup|list|restore|import`. */
export function addDatabase(program: Command, bind: Bind): void {
  const database = program
    .command("database")
    .description("back up a service's database in the cluster, restore a backup, import another database");
  bind(
    withCommon(
      database
        .command("backup")
        .description("dump a service's database, read the dump, and keep it beside the database")
        .argument("<service>", "the service's name"),
    ),
    async (session, args, raw) => backUp(session, serviceNameFrom(args[0]), optionsSchema.parse(raw)),
  );
  addList(database, bind);
  bind(
    withCommon(
      database
        .command("restore")
        .description(
          "put a backup in the place of a service's database, which is backed up first; other data is not in it then",
        )
        .argument("<service>", "the service's name")
        .argument("<backup>", "the backup's name, as the list shows it")
        .addOption(confirmation()),
    ).addHelpText(
      "after",
      `
Example:
  platform database list api-gateway
  platform database restore api-gateway backup-7k2mp`,
    ),
    async (session, args, raw) =>
      restore(session, serviceNameFrom(args[0]), args[1] ?? "", optionsSchema.parse(raw)),
  );
  addImport(database, bind);
}

function addImport(database: Command, bind: Bind): void {
  bind(
    withCommon(
      database
        .command("import")
        .description(
          "bring what another PostgreSQL has into a service's empty database; the other one is read-only from then on",
        )
        .argument("<service>", "the service's name")
        .requiredOption(
          "--from <secret>",
          "secret in the service's namespace with host, port, database, username and password of the source",
        )
        .addOption(confirmation()),
    ).addHelpText(
      "after",
      `
The secret may have sslmode (require where it is left out, prefer, disable) and ca.crt too.

Example:
  platform database import api-gateway --from api-gateway-old --dry-run
  platform database import api-gateway --from api-gateway-old`,
    ),
    async (session, args, raw) => importInto(session, serviceNameFrom(args[0]), importSchema.parse(raw)),
  );
}

function withCommon(command: Command): Command {
  return command
    .addOption(new Option("--dry-run", "show what would be done, change nothing"))
    .addOption(onFailureOfChange())
    .addOption(wait())
    .addOption(noWait())
    .addOption(timeout())
    .addOption(yes())
    .addOption(runOutput());
}

async function backUp(session: Session, service: ServiceName, options: Options): Promise<ExitCode> {
  const { provisioner } = await session.platform();
  return ofService(session, service, async () => {
    const plan = () => provisioner.planBackup(service);
    if (!(await planned(session, service, options, plan))) return exitCodes.done;
    if (!options.yes) await confirm(session, `Back up the database of ${service} on ${session.clusterName}?`);
    return followed(session, service, options, (onFailure) => provisioner.backup(service, onFailure));
  });
}

async function restore(
  session: Session,
  service: ServiceName,
  backup: string,
  options: Options,
): Promise<ExitCode> {
  const { provisioner } = await session.platform();
  return ofService(session, service, async () => {
    const plan = () => provisioner.planBackup(service, backup);
    if (!(await planned(session, service, options, plan))) return exitCodes.done;
    const confirmed = await confirmDestruction(session, {
      service,
      deed: `put ${backup} in the place of its database on ${session.clusterName}`,
      protectedStores: [`${service}-db`],
      asks: true,
      yes: options.yes,
      confirm: options.confirm,
    });
    return followed(session, service, options, (onFailure) =>
      provisioner.restore(service, backup, { ...onFailure, ...confirmed }),
    );
  });
}

async function importInto(
  session: Session,
  service: ServiceName,
  { from, ...options }: z.output<typeof importSchema>,
): Promise<ExitCode> {
  const { provisioner } = await session.platform();
  const { sourceNameSchema } = await import("../backups/import-source.ts");
  if (!sourceNameSchema.safeParse(from).success) {
    throw usageFailure(`--from ${JSON.stringify(from)} is not the name of a secret`);
  }
  if (!options.dryRun && options.confirm === undefined && (options.yes || !session.terminal.interactive)) {
    throw usageFailure(
      `an import ends the use of another database for ${service}: only who names the service does that`,
      {
        next: [`repeat the command with --confirm ${service}`, "--dry-run shows what would be done"],
      },
    );
  }
  return ofService(session, service, async () => {
    const plan = () => provisioner.planImport(service, from);
    if (!(await planned(session, service, options, plan))) return exitCodes.done;
    const confirmed = await confirmDestruction(session, {
      service,
      deed: `make the database of secret ${from} read-only and bring what it has into that of ${service} on ${session.clusterName}`,
      protectedStores: [`${service}-db`],
      asks: true,
      yes: options.yes,
      confirm: options.confirm,
    });
    return followed(session, service, options, (onFailure) =>
      provisioner.importDatabase(service, from, { ...onFailure, ...confirmed }),
    );
  });
}

/** Shows the plan. Resolves to whether to go on. */
async function planned(
  session: Session,
  service: ServiceName,
  options: Options,
  make: () => Promise<PlanWithManifests>,
): Promise<boolean> {
  const plan = await whenFree(session, service, options.wait === true && !options.dryRun, make);
  if (options.dryRun) {
    await printPlan(session, plan, options.output);
    return false;
  }
  if (options.output === "text" || (session.terminal.interactive && !options.yes)) {
    await printPlan(session, plan, "progress");
  }
  return true;
}

async function followed(
  session: Session,
  service: ServiceName,
  options: Options,
  start: (how: { readonly onFailure?: "rollback" | "hold" }) => Promise<Execution>,
): Promise<ExitCode> {
  const { provisioner, cluster } = await session.platform();
  const begin = () =>
    whenFree(session, service, options.wait === true, () =>
      start(options.onFailure === undefined ? {} : { onFailure: options.onFailure }),
    );
  return follow(session, begin, runView(session, cluster.context, options.output), {
    asked: "completion",
    detached: options.wait === false,
    ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
    rollBack: (run) => provisioner.rollback(run, { dataStores: "keep-used" }),
  });
}

function addList(database: Command, bind: Bind): void {
  bind(
    database
      .command("list")
      .alias("ls")
      .description("list the backups of a service's database: when, how large, and whether they were read")
      .argument("<service>", "the service's name")
      .addOption(listOutput()),
    async (session, args, raw) => {
      const { output } = z.object({ output: z.enum(listFormats) }).parse(raw);
      const service = serviceNameFrom(args[0]);
      const items = await ofService(session, service, () => backupsOf(session, service));
      await print(session, service, items, output);
      return exitCodes.done;
    },
  );
}

async function backupsOf(session: Session, service: ServiceName): Promise<readonly Backup[]> {
  const { cluster } = await session.platform();
  const [{ resources }, { find }, { noSuchService }, { backupsClaimName, backupsIn }] = await Promise.all([
    import("../cluster/resource.ts"),
    import("../cluster/find.ts"),
    import("../provisioning/errors.ts"),
    import("../backups/backup.ts"),
  ]);
  const namespace = namespaceOf(service);
  const found = await find(cluster, resources.applications, { name: service, namespace });
  if (found === undefined) throw noSuchService(service);
  const application = applicationOf(service, applicationSpecSchema.parse(found.spec), found.metadata.uid);
  const name = backupsClaimName(application);
  const claim = await find(cluster, resources.persistentVolumeClaims, { name, namespace });
  return claim === undefined ? [] : backupsIn(claim.metadata);
}

async function print(
  session: Session,
  service: ServiceName,
  items: readonly Backup[],
  format: ListFormat,
): Promise<void> {
  const { out, err } = session.terminal;
  if (format === "json" || format === "yaml") {
    return writeDocument(out, format, "backups", { service, items });
  }
  if (format === "name") {
    for (const { name } of items) out.write(`backup/${name}\n`);
    return;
  }
  if (items.length === 0) {
    err.write(
      `${service} has no backups; make one with: ${session.command("database", "backup", service)}\n`,
    );
    return;
  }
  out.write(table(columns(new Date()), items, { wide: format === "wide" }));
}

function columns(now: Date): readonly Column<Backup>[] {
  const known = (of: (facts: NonNullable<Backup["facts"]>) => string) => (backup: Backup) =>
    backup.facts === undefined ? "–" : of(backup.facts);
  return [
    { title: "NAME", value: ({ name }) => name },
    { title: "AGE", align: "right", value: ({ at }) => age(at, now) },
    { title: "SIZE", align: "right", value: known(({ bytes }) => size(bytes)) },
    { title: "TABLES", align: "right", value: known(({ tables }) => String(tables)) },
    { title: "ROWS", align: "right", value: known(({ rows }) => String(rows)) },
    { title: "READ", value: ({ facts }) => (facts === undefined ? "no" : "yes") },
    { title: "TIME", wide: true, value: ({ at }) => at },
    { title: "SHA-256", wide: true, value: known(({ sha256 }) => sha256) },
  ];
}

/** Bytes for a person: `812 B`, `3.4 MiB`. */
function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 2 ** (10 * power);
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}
