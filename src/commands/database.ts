import type { Command } from "commander";
import { z } from "zod";
import type { Application } from "../application/application.ts";
import type { ServiceName } from "../application/names.ts";
import type { Backup } from "../backups/backup.ts";
import type { Restored } from "../provisioning/provisioner.ts";
import type { Execution } from "../provisioning/runs/run.ts";
import type { Bind } from "./action.ts";
import { applicationOfService } from "./application-of-service.ts";
import { confirm, confirmDestruction } from "./confirm.ts";
import { instancesOf, printInstances } from "./database-instances.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import { serviceNameFrom } from "./names.ts";
import { ofService } from "./nearest-name.ts";
import { confirmation, listOutput } from "./options.ts";
import { age } from "./output/age.ts";
import { type ListFormat, listFormats, writeDocument } from "./output/format.ts";
import { type Column, table } from "./output/table.ts";
import { failing, followServiceRun, serviceRunSchema, shownPlan, withRunOptions } from "./service-run.ts";
import type { Session } from "./session.ts";
import { whenFree } from "./waiting.ts";

const optionsSchema = serviceRunSchema.extend({ confirm: z.string().optional() });
type Options = z.output<typeof optionsSchema>;

const restoreSchema = optionsSchema.extend({ toTime: z.string().optional() });

const importSchema = optionsSchema.extend({ from: z.string() });

/** `platform database backup|list|restore|import`. */
export function addDatabase(program: Command, bind: Bind): void {
  const database = program
    .command("database")
    .description(
      "back up a service's database, restore it from a backup or to a moment, import another database",
    );
  bind(
    withRunOptions(
      database
        .command("backup")
        .description("dump a service's database, read the dump, and keep it beside the database")
        .argument("<service>", "the service's name"),
    ),
    async (session, args, raw) => backUp(session, serviceNameFrom(args[0]), optionsSchema.parse(raw)),
  );
  addList(database, bind);
  bind(
    withRunOptions(
      database
        .command("restore")
        .description(
          "bring a service's database back: from a backup, or, where it is Cloud SQL, to a moment; what was written since is not in it then",
        )
        .argument("<service>", "the service's name")
        .argument("[backup]", "the backup's name, as the list shows it: of a database in the cluster")
        .option("--to-time <time>", "of a Cloud SQL database: the moment, like 2026-01-02T03:04:05Z")
        .addOption(confirmation()),
    ).addHelpText(
      "after",
      `
A backup takes the place of what there is, which is backed up first. To a moment, another instance is made, and the old
one stays until somebody removes it.

Example:
  platform database list api-gateway
  platform database restore api-gateway backup-7k2mp
  platform database restore api-gateway --to-time 2026-01-02T03:04:05Z`,
    ),
    async (session, args, raw) => {
      const { toTime, ...options } = restoreSchema.parse(raw);
      return restore(session, serviceNameFrom(args[0]), restoredFrom(args[1], toTime), options);
    },
  );
  addImport(database, bind);
}

function addImport(database: Command, bind: Bind): void {
  bind(
    withRunOptions(
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

async function backUp(session: Session, service: ServiceName, options: Options): Promise<ExitCode> {
  const { provisioner } = await session.platform();
  return ofService(session, service, async () => {
    const plan = await shownPlan(session, service, options, () => provisioner.planBackup(service));
    if (plan === undefined) return exitCodes.done;
    if (!options.yes) await confirm(session, `Back up the database of ${service} on ${session.clusterName}?`);
    return followed(session, service, options, (onFailure) => provisioner.backup(service, onFailure));
  });
}

/** @throws CommandFailure (2) where the command line names neither a backup nor a moment, or both */
function restoredFrom(backup: string | undefined, toTime: string | undefined): Restored {
  if ((backup === undefined) === (toTime === undefined)) {
    throw usageFailure(
      backup === undefined
        ? "it does not say what to restore: the name of a backup, or a moment by --to-time"
        : "a restore is from a backup, or to a moment by --to-time: not both",
      { next: ["platform database list SERVICE shows what there is"] },
    );
  }
  if (toTime === undefined) return backup ?? "";
  const parsed = z.iso.datetime({ offset: true }).safeParse(toTime);
  if (!parsed.success) {
    throw usageFailure(
      `--to-time ${JSON.stringify(toTime)} is no time like 2026-01-02T03:04:05Z, or with an offset like +01:00`,
    );
  }
  return { toTime: new Date(parsed.data).toISOString() };
}

async function restore(
  session: Session,
  service: ServiceName,
  restored: Restored,
  options: Options,
): Promise<ExitCode> {
  const { provisioner } = await session.platform();
  return ofService(session, service, async () => {
    const plan = await shownPlan(session, service, options, () => provisioner.planBackup(service, restored));
    if (plan === undefined) return exitCodes.done;
    const confirmed = await confirmDestruction(session, {
      service,
      deed:
        typeof restored === "string"
          ? `put ${restored} in the place of its database on ${session.clusterName}`
          : `have it use its database as it was at ${restored.toTime} on ${session.clusterName}`,
      protectedStores: [`${service}-db`],
      asks: true,
      yes: options.yes,
      confirm: options.confirm,
    });
    return followed(session, service, options, (onFailure) =>
      provisioner.restore(service, restored, { ...onFailure, ...confirmed }),
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
    const plan = await shownPlan(session, service, options, () => provisioner.planImport(service, from));
    if (plan === undefined) return exitCodes.done;
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

async function followed(
  session: Session,
  service: ServiceName,
  options: Options,
  start: (how: ReturnType<typeof failing>) => Promise<Execution>,
): Promise<ExitCode> {
  const begin = () => whenFree(session, { service }, options.wait === true, () => start(failing(options)));
  return followServiceRun(session, options, begin);
}

function addList(database: Command, bind: Bind): void {
  bind(
    database
      .command("list")
      .alias("ls")
      .description(
        "list what a service's database can be brought back to: its backups, or since when any moment",
      )
      .argument("<service>", "the service's name")
      .addOption(listOutput()),
    async (session, args, raw) => {
      const { output } = z.object({ output: z.enum(listFormats) }).parse(raw);
      const service = serviceNameFrom(args[0]);
      await ofService(session, service, async () => {
        const application = await applicationOfService(session, service);
        const instances = await instancesOf(session, application);
        if (instances !== undefined) return printInstances(session, service, instances, output);
        await print(session, application, await backupsOf(session, application), output);
      });
      return exitCodes.done;
    },
  );
}

async function backupsOf(session: Session, application: Application): Promise<readonly Backup[]> {
  const { cluster } = await session.platform();
  const [{ resources }, { find }, { backupsClaimName, backupsIn }] = await Promise.all([
    import("../cluster/resource.ts"),
    import("../cluster/find.ts"),
    import("../backups/backup.ts"),
  ]);
  const { namespace } = application.metadata;
  const name = backupsClaimName(application);
  const claim = await find(cluster, resources.persistentVolumeClaims, { name, namespace });
  return claim === undefined ? [] : backupsIn(claim.metadata);
}

async function print(
  session: Session,
  application: Application,
  items: readonly Backup[],
  format: ListFormat,
): Promise<void> {
  const { out, err } = session.terminal;
  if (format === "json" || format === "yaml") {
    return writeDocument(out, format, "backups", { service: application.metadata.name, items });
  }
  if (format === "name") {
    for (const { name } of items) out.write(`backup/${name}\n`);
    return;
  }
  if (items.length === 0) {
    err.write(`${await whyNone(session, application)}\n`);
    return;
  }
  out.write(table(columns(new Date()), items, { wide: format === "wide" }));
}

/** What a service that has no backups can do about it. */
async function whyNone(session: Session, { metadata: { name }, spec }: Application): Promise<string> {
  const { providerOf } = await import("../application/store-provider.ts");
  const provider = providerOf(spec, "database");
  if (provider === undefined) return `${name} has no database`;
  if (provider === "in-cluster") {
    return `${name} has no backups; make one with: ${session.command("database", "backup", name)}`;
  }
  return provider === "cloudnative-pg"
    ? `CloudNativePG backs up the database of ${name} where its Cluster says so: a platform engineer knows`
    : `the database of ${name} is not the platform's: whoever runs it knows which backups there are`;
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
