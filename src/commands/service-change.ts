import { type Command, Option } from "commander";
import { z } from "zod";
import { alertNames, cacheTypes, databaseTypes, maxReplicas } from "../application/request.ts";
import type { Bind } from "./action.ts";
import { type ChangeOptions, changeService } from "./change-flow.ts";
import { usageFailure } from "./failure.ts";
import { serviceNameFrom } from "./names.ts";
import { demandService } from "./nearest-name.ts";
import { confirmation, externalHelp } from "./options.ts";
import { serviceRunSchema, withRunOptions } from "./service-run.ts";
import type { Session } from "./session.ts";

function common(raw: Readonly<Record<string, unknown>>): ChangeOptions {
  return { ...serviceRunSchema.parse(raw), dataStores: "keep" };
}

/** What every change takes. */
const withCommon = (command: Command) =>
  withRunOptions(command, "show what would change, with all manifests, write nothing");

/** `platform service scale|deploy|set|rollback`: changes of a service that exists. */
export function addServiceChange(service: Command, bind: Bind): void {
  bind(
    withCommon(
      service
        .command("scale")
        .description("change how many pods a service has")
        .argument("<name>", "the service's name")
        .addOption(new Option("-r, --replicas <number>", `1 to ${maxReplicas}`).makeOptionMandatory()),
    ).addHelpText("after", "\nExample:\n  platform service scale api-gateway --replicas 5"),
    async (session, args, raw) => {
      const { replicas } = z.object({ replicas: z.string() }).parse(raw);
      const typed = { operation: "scale", raw: { replicas } } as const;
      return changeService(session, serviceNameFrom(args[0]), typed, common(raw));
    },
  );
  bind(
    withCommon(
      service
        .command("deploy")
        .description("run a new image; a rollout that does not get healthy goes back by itself")
        .argument("<name>", "the service's name")
        .addOption(new Option("--image <reference>", "by digest: REPOSITORY@sha256:…").makeOptionMandatory())
        .addOption(new Option("--commit <hash>", "the commit that the image was built from")),
    ).addHelpText(
      "after",
      `
A tag is refused, because what it names can change; a registry tells its digest:
  docker buildx imagetools inspect REPOSITORY:TAG --format '{{.Manifest.Digest}}'`,
    ),
    async (session, args, raw) => {
      const { image, commit } = z.object({ image: z.string(), commit: z.string().optional() }).parse(raw);
      const typed = { operation: "deploy", raw: { image, commit } } as const;
      return changeService(session, serviceNameFrom(args[0]), typed, common(raw));
    },
  );
  addSet(service, bind);
  addRollback(service, bind);
}

function addSet(service: Command, bind: Bind): void {
  const schema = z.object({
    requests: z.string().optional(),
    limits: z.string().optional(),
    alerts: z.string().optional(),
    database: z.string().optional(),
    cache: z.string().optional(),
    databaseSecret: z.string().optional(),
    databaseAddress: z.string().optional(),
    cacheSecret: z.string().optional(),
    cacheAddress: z.string().optional(),
    migrate: z.string().optional(),
    dataStores: z.enum(["keep", "delete"]),
    confirm: z.string().optional(),
  });
  bind(
    withCommon(
      service
        .command("set")
        .description("change resources, alerts, database, cache or migration; what is not named stays")
        .argument("<name>", "the service's name")
        .addOption(
          new Option("--requests <amounts>", "set aside for each pod, such as cpu=200m,memory=256Mi"),
        )
        .addOption(new Option("--limits <amounts>", "the most a pod may use, likewise"))
        .addOption(new Option("--alerts <names>", `${alertNames.join(",")} or none`))
        .addOption(new Option("--database <type>", databaseTypes.join(" or ")))
        .addOption(new Option("--cache <type>", cacheTypes.join(" or ")))
        .addOption(new Option("--database-secret <name>", externalHelp.secret("database")))
        .addOption(new Option("--database-address <host:port>", externalHelp.address))
        .addOption(new Option("--cache-secret <name>", externalHelp.secret("cache")))
        .addOption(new Option("--cache-address <host:port>", externalHelp.address))
        .addOption(
          new Option(
            "--migrate <command>",
            "program that migrates the database before each new image; or none",
          ),
        )
        .addOption(
          new Option(
            "--data-stores <choice>",
            "what becomes of a database or cache that is taken away; delete destroys its data",
          )
            .choices(["keep", "delete"])
            .default("keep"),
        )
        .addOption(confirmation()),
    ).addHelpText(
      "after",
      `
Examples:
  platform service set api-gateway --limits memory=1Gi --requests cpu=200m,memory=512Mi
  platform service set api-gateway --cache redis --alerts high-error-rate
  platform service set api-gateway --migrate "/bin/api-gateway migrate up"
  platform service set api-gateway --database postgres --database-secret gateway-login --database-address db.acme.example:5432`,
    ),
    async (session, args, options) => {
      const { dataStores, confirm, ...raw } = schema.parse(options);
      const typed = { operation: "set", raw } as const;
      return changeService(session, serviceNameFrom(args[0]), typed, {
        ...common(options),
        dataStores,
        confirm,
      });
    },
  );
}

function addRollback(service: Command, bind: Bind): void {
  bind(
    withCommon(
      service
        .command("rollback")
        .description("go back to an earlier release: its image and settings; replicas and data stay")
        .argument("<name>", "the service's name")
        .addOption(new Option("--to <release>", "its number (default: the one before the current one)")),
    ).addHelpText(
      "after",
      `
Example:
  platform service releases api-gateway
  platform service rollback api-gateway --to 3

To undo one run of a service instead: platform run rollback RUN`,
    ),
    async (session, args, raw) => {
      const name = serviceNameFrom(args[0]);
      const { to } = z.object({ to: z.string().optional() }).parse(raw);
      const release = to ?? (await releaseBefore(session, name));
      const typed = { operation: "rollback", raw: { release }, flags: { release: "to" } } as const;
      return changeService(session, name, typed, common(raw));
    },
  );
}

/** @throws CommandFailure (2) where the service has no earlier release */
async function releaseBefore(session: Session, name: ReturnType<typeof serviceNameFrom>): Promise<string> {
  const { provisioner } = await session.platform();
  const [current, before] = await provisioner.releases(name);
  if (before !== undefined) return String(before.number);
  await demandService(session, name);
  const state =
    current === undefined ? "no release is recorded" : `release ${current.number} is its only one`;
  throw usageFailure(`${name} has nothing to go back to: ${state}`, {
    next: [session.command("service", "releases", name)],
  });
}
