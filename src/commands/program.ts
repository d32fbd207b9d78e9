import { Command, CommanderError, Option } from "commander";
import { z } from "zod";
import type { SandboxAccess } from "../connection.ts";
import type { Bind } from "./action.ts";
import { addCompletion } from "./completion.ts";
import { addContexts } from "./contexts.ts";
import { addDatabase } from "./database.ts";
import { addDoctor } from "./doctor.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { CommandFailure, type FailureSurroundings, failureOf, usageFailure } from "./failure.ts";
import { commandLine, type GlobalFlags, speedProblem } from "./flags.ts";
import { addInstall } from "./install.ts";
import { addNamespace } from "./namespace.ts";
import { addOperator } from "./operator.ts";
import { addOrphans } from "./orphans.ts";
import { machineFormatIn } from "./output/format.ts";
import { reportFailure } from "./output/report.ts";
import { addRun } from "./run.ts";
import { addSandbox } from "./sandbox.ts";
import { addSecret } from "./secret.ts";
import { addService } from "./service.ts";
import { openSession, type Session } from "./session.ts";
import { addStandards } from "./standards.ts";
import { addStarter } from "./starter.ts";
import type { Terminal } from "./terminal.ts";
import { addUninstall } from "./uninstall.ts";

const globalFlags = z
  .object({
    sandbox: z.boolean().default(false),
    context: z.string().optional(),
    kubeconfig: z.string().optional(),
    standards: z.string().optional(),
    speed: z.string().optional(),
    debug: z.boolean().default(false),
    color: z.boolean().default(true),
  })
  .transform(
    ({ context, kubeconfig, standards, speed, ...rest }): GlobalFlags => ({
      ...rest,
      ...(context === undefined ? {} : { context }),
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      ...(standards === undefined ? {} : { standards }),
      ...(speed === undefined ? {} : { speed }),
    }),
  );

const introduction = `One command, or one guided wizard, makes a production-grade service: namespace and guardrails, database,
cache, monitoring, repository, pipeline, network. Without arguments, on a terminal, it opens the app.`;

const examples = `
Examples:
  platform                                  open the app on the current kubeconfig context
  platform --sandbox                        open it on an embedded, simulated cluster
  platform service create api-gateway --language go --replicas 3 --database postgres --cache redis
  platform service list
  platform service scale api-gateway --replicas 5
  platform service deploy api-gateway --image REPOSITORY@sha256:…
  platform service rollback api-gateway
  platform run list
  platform run rollback RUN

Exit codes:
  0    done
  1    failed and rolled back: nothing remains but what the preview called kept
  2    wrong input; nothing was written
  3    held, roll back failed or timed out: effects remain
  4    refused by rights, credentials or a guardrail; nothing was written
  5    the cluster does not answer; nothing was written
  70   a defect of platform
  74   the output could not be written
  130  interrupted; a run stays resumable`;

/** The command tree without any action, for completion and tests; `bind` ties actions to it. */
export function commandTree(bind: Bind, version: string): Command {
  const program = new Command("platform")
    .description(introduction)
    .version(version, "-V, --version", "print the version")
    .option("--sandbox", "use the embedded, simulated cluster")
    .option("--context <name>", "kubeconfig context (default: the current one)")
    .option("--kubeconfig <file>", "kubeconfig (default: KUBECONFIG, else ~/.kube/config)")
    .option("--standards <file>", "standards file: for the sandbox, a preview, an installation")
    .option("--speed <factor>", "speed of the sandbox's simulated cluster (default: 1)")
    .option("--debug", "show stacks of errors")
    .addOption(new Option("--no-color", "no colours"))
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", examples)
    .exitOverride();
  addService(program, bind);
  addRun(program, bind);
  addDatabase(program, bind);
  addOrphans(program, bind);
  addSecret(program, bind);
  addNamespace(program, bind);
  addInstall(program, bind, version);
  addOperator(program, bind);
  addUninstall(program, bind, version);
  addDoctor(program, bind, version);
  addStandards(program, bind);
  addSandbox(program, bind);
  addContexts(program, bind);
  addStarter(program, bind);
  return program;
}

/** What `main.ts` gives to the commands. */
export interface Surroundings {
  readonly terminal: Terminal;
  readonly sandbox: SandboxAccess;
  readonly version: string;
}

/** Parses argv (without node and script), does what it asks and tells what went wrong. Never throws. */
export async function runCommands(
  argv: readonly string[],
  { terminal, sandbox, version }: Surroundings,
): Promise<ExitCode> {
  const format = machineFormatIn(argv);
  let debug = argv.includes("--debug");
  let code: ExitCode = exitCodes.done;
  let session: Session | undefined;
  let helpText = "";
  const program: Command = commandTree(
    (command, action) =>
      command.action(async () => {
        const flags = globalFlags.parse(program.opts());
        debug = flags.debug;
        checkFlags(flags);
        session = openSession(terminal, flags, sandbox);
        code = await action(session, command.args, z.record(z.string(), z.unknown()).parse(command.opts()));
      }),
    version,
  );
  program.configureOutput({
    writeOut: (text) => terminal.out.write(text),
    writeErr: (text) => {
      helpText += text;
    },
    outputError: () => undefined,
    getOutHasColors: () => terminal.out.colors,
    getErrHasColors: () => terminal.err.colors,
  });
  inheritOutput(program);
  try {
    await addCompletion(program, argv, { terminal, sandbox });
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
    const wrongFlags = error instanceof CommanderError ? flagFailure(program) : undefined;
    if (
      error instanceof CommanderError &&
      error.code === "commander.help" &&
      format === undefined &&
      wrongFlags === undefined
    ) {
      terminal.err.write(helpText);
      return exitCodes.usage;
    }
    const failure =
      error instanceof CommanderError
        ? (wrongFlags ?? argvFailure(error, argv))
        : failureOf(error, {
            cluster: session?.clusterName ?? "the cluster",
            contact: session?.contact(),
            command: session?.command ?? ((...words) => `platform ${words.join(" ")}`),
          });
    await reportFailure(terminal, failure, { format, debug });
    code = failure.exitCode;
  } finally {
    await session?.close();
  }
  return code;
}

/** Tells an error from outside the commands as they tell theirs; answers with its exit code. */
export async function tellFailure(
  error: unknown,
  terminal: Terminal,
  surroundings: FailureSurroundings & { readonly debug: boolean },
): Promise<ExitCode> {
  const failure = failureOf(error, surroundings);
  await reportFailure(terminal, failure, { debug: surroundings.debug });
  return failure.exitCode;
}

/** Subcommands copy their parent's output when they are made, which is before it is set. */
function inheritOutput(command: Command): void {
  for (const child of command.commands) {
    child.configureOutput(command.configureOutput());
    inheritOutput(child);
  }
}

function checkFlags(flags: GlobalFlags): void {
  if (flags.sandbox && (flags.context !== undefined || flags.kubeconfig !== undefined)) {
    throw usageFailure("--sandbox is a cluster of its own: --context and --kubeconfig do not go with it");
  }
  if (flags.speed !== undefined) {
    const problem = speedProblem(flags.speed);
    if (problem !== undefined) throw usageFailure(problem);
    if (!flags.sandbox) throw usageFailure("--speed is for --sandbox only");
  }
}

/** What is wrong with the flags alone, which matters more than that no command follows them. */
function flagFailure(program: Command): CommandFailure | undefined {
  try {
    checkFlags(globalFlags.parse(program.opts()));
    return undefined;
  } catch (error) {
    return error instanceof CommandFailure ? error : undefined;
  }
}

function argvFailure(error: CommanderError, argv: readonly string[]): CommandFailure {
  if (error.code === "commander.help") {
    return usageFailure("a command is missing", { next: ["platform --help"] });
  }
  const message = error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ");
  const known = error.code === "commander.unknownCommand" ? 1 : 2;
  const path = argv.filter((word) => /^[a-z]+$/.test(word)).slice(0, known);
  return usageFailure(message, { next: [commandLine(noFlags, {}, [...path, "--help"])] });
}

const noFlags: GlobalFlags = { sandbox: false, debug: false, color: true };
