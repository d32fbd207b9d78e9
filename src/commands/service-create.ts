import { type Command, Option } from "commander";
import { z } from "zod";
import { parseText, readDocument } from "../application/document.ts";
import { type PositionOf, parseRequest, type RawRequest, requestOf } from "../application/parse-request.ts";
import { dnsLabelPattern } from "../application/patterns.ts";
import { flagOf, type Problem } from "../application/refusal.ts";
import {
  alertNames,
  cacheTypes,
  databaseTypes,
  exposures,
  languages,
  maxReplicas,
  type ServiceRequest,
} from "../application/request.ts";
import { type Standards, standardsSchema } from "../standards/standards.ts";
import type { Bind } from "./action.ts";
import { exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import { follow } from "./follow.ts";
import { externalHelp, timeout, yes } from "./options.ts";
import { printPlan } from "./output/plan.ts";
import { noWait, onFailure, onFailureChoices, wait } from "./run-options.ts";
import { runView } from "./run-view-of.ts";
import { readAll, type Terminal } from "./terminal.ts";
import { whenFree } from "./waiting.ts";

const formats = ["text", "json", "yaml"] as const;

const optionsSchema = z.object({
  file: z.string().optional(),
  dryRun: z.boolean().default(false),
  output: z.enum(formats),
  onFailure: z.enum(onFailureChoices),
  wait: z.boolean().optional(),
  timeout: z.number().optional(),
  language: z.string().optional(),
  replicas: z.string().optional(),
  database: z.string().optional(),
  cache: z.string().optional(),
  databaseSecret: z.string().optional(),
  databaseAddress: z.string().optional(),
  cacheSecret: z.string().optional(),
  cacheAddress: z.string().optional(),
  exposure: z.string().optional(),
  alerts: z.string().optional(),
  image: z.string().optional(),
  team: z.string().optional(),
});
type Options = z.output<typeof optionsSchema>;

/** `platform service create`. */
export function addServiceCreate(service: Command, bind: Bind): void {
  bind(
    service
      .command("create")
      .description("create a service: everything from its namespace to its dashboard, or nothing")
      .argument("[name]", "the service's name: lower-case letters, digits and hyphens")
      // No `choices`: the request is checked in one place, which tells all problems at once.
      .addOption(new Option("-l, --language <language>", oneOf(languages)))
      .addOption(new Option("-r, --replicas <number>", `1 to ${maxReplicas} (default: 2)`))
      .addOption(new Option("--database <type>", `${oneOf(databaseTypes)} (default: none)`))
      .addOption(new Option("--cache <type>", `${oneOf(cacheTypes)} (default: none)`))
      .addOption(new Option("--database-secret <name>", externalHelp.secret("database")))
      .addOption(new Option("--database-address <host:port>", externalHelp.address))
      .addOption(new Option("--cache-secret <name>", externalHelp.secret("cache")))
      .addOption(new Option("--cache-address <host:port>", externalHelp.address))
      .addOption(new Option("--exposure <kind>", `${oneOf(exposures)} (default: internal)`))
      .addOption(new Option("--alerts <names>", `${alertNames.join(",")} or none (default: all)`))
      .addOption(
        new Option(
          "--image <reference>",
          "container image (default: the starter until the pipeline has pushed one)",
        ),
      )
      .addOption(new Option("--team <name>", "owning team (default: the only one of the standards)"))
      .addOption(
        new Option(
          "-f, --file <file>",
          "read the request from YAML or JSON, - for standard input; flags come first",
        ),
      )
      .addOption(new Option("--dry-run", "show the complete plan and all manifests, write nothing"))
      .addOption(onFailure())
      .addOption(wait())
      .addOption(noWait())
      .addOption(timeout())
      .addOption(yes())
      .addOption(
        new Option("-o, --output <format>", "text, or json: one object a line; yaml for --dry-run")
          .choices(formats)
          .default("text"),
      )
      .addHelpText(
        "after",
        `
Examples:
  platform service create api-gateway --language go --replicas 3 --database postgres --cache redis
  platform service create ledger -l typescript --exposure public --dry-run
  platform service create ledger -l go --database postgres --database-secret ledger-login --database-address db.acme.example:5432
  platform service create -f spec.yaml -o json`,
      ),
    async (session, args, raw) => {
      const options = optionsSchema.parse(raw);
      if (options.output === "yaml" && !options.dryRun) {
        throw usageFailure(
          "-o yaml prints manifests and goes with --dry-run; -o json prints a run as it happens",
        );
      }
      const input = await inputOf(args[0], options, session.terminal);
      // Before a cluster is asked, so that a slip of the fingers is told at once, and even without a cluster.
      refuse(input, lenientStandards(input.values));
      const { provisioner, standards, cluster } = await session.platform({ preview: options.dryRun });
      const request = refuse(input, standards);
      if (options.dryRun) {
        await printPlan(session, await provisioner.planCreate(request), options.output);
        return exitCodes.done;
      }
      const view = runView(session, cluster.context, options.output === "json" ? "json" : "text");
      const begin = () =>
        whenFree(session, { service: request.name }, options.wait === true, () =>
          provisioner.create(request, { onFailure: options.onFailure }),
        );
      return follow(session, begin, view, {
        asked: "completion",
        detached: options.wait === false,
        ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
        rollBack: (run) => provisioner.rollback(run, { dataStores: "keep-used" }),
      });
    },
  );
}

/** What was typed and what the file says, not yet checked. */
interface Input {
  readonly values: RawRequest;
  readonly positionOf: PositionOf;
  readonly file: string | undefined;
}

/** Flags come before what the file says. @throws RefusedInput for a file that cannot be read */
async function inputOf(name: string | undefined, options: Options, terminal: Terminal): Promise<Input> {
  const { language, replicas, database, cache, exposure, alerts, image, team, file } = options;
  const { databaseSecret, databaseAddress, cacheSecret, cacheAddress } = options;
  const external = { databaseSecret, databaseAddress, cacheSecret, cacheAddress };
  const typed = { name, language, replicas, database, cache, ...external, exposure, alerts, image, team };
  const given = Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== undefined));
  if (file === undefined) return { values: given, positionOf: () => undefined, file };
  const document =
    file === "-" ? parseText(await readAll(terminal.stdin), "standard input") : await readDocument(file);
  const { values, positionOf } = requestOf(document);
  return {
    values: { ...values, ...given },
    positionOf: (field) => (field in given ? undefined : positionOf(field)),
    file: document.file,
  };
}

/** @throws CommandFailure (2) with every problem */
function refuse(input: Input, standards: Standards): ServiceRequest {
  const parsed = parseRequest(input.values, standards, input.positionOf);
  if (parsed.ok) return parsed.request;
  const { problems } = parsed;
  throw usageFailure(
    `${problems.length === 1 ? "one thing is" : `${problems.length} things are`} wrong with the request`,
    { problems: problems.map((problem) => named(problem, input)), next: ["platform service create --help"] },
  );
}

/** Problems are told in the words in which the value was given: a flag, or a field of the file. */
function named(problem: Problem, { file }: Input): Problem {
  if (problem.line !== undefined && file !== undefined) return { ...problem, file };
  return problem.field === "name" || problem.field === ""
    ? problem
    : { ...problem, field: `--${flagOf(problem.field)}` };
}

/** Standards that allow everything only real standards can refuse: team, image. */
function lenientStandards({ team }: RawRequest): Standards {
  const name = typeof team === "string" && team.length <= 63 && dnsLabelPattern.test(team) ? team : "any";
  return standardsSchema.parse({ teams: { [name]: { groups: ["any"] } }, images: { starter: "any" } });
}

function oneOf(values: readonly string[]): string {
  return values.join(" or ");
}
