import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { SandboxAccess } from "./connection.ts";
import type { Sandbox, SandboxOptions } from "./sandbox/sandbox.ts";

enableCompileCache();

/** Where the sandbox and its repositories live: `PLATFORM_STATE_DIR`, else the user's data folder. */
async function stateFolder(): Promise<string> {
  const chosen = process.env.PLATFORM_STATE_DIR;
  if (chosen !== undefined && chosen !== "") return chosen;
  const { default: envPaths } = await import("env-paths");
  return envPaths("platform", { suffix: "" }).data;
}

/** @throws ProvisioningError where the folder, the disk or the port do not allow it */
async function openedSandbox(state: string, options: SandboxOptions): Promise<Sandbox> {
  const { openSandbox } = await import("./sandbox/open.ts");
  try {
    return await openSandbox(options);
  } catch (error) {
    const { ProvisioningError } = await import("./provisioning/errors.ts");
    const why = error instanceof Error ? error.message : String(error);
    const prefix = "the sandbox in ";
    throw new ProvisioningError(
      "unreachable",
      why.startsWith(prefix) ? why : `${prefix}${options.folder} could not be opened: ${why}`,
      why.includes("EADDRINUSE")
        ? "--port names another port; without it any free one is taken"
        : `see that ${state} is a folder with room that you may write, or set PLATFORM_STATE_DIR to another; \`platform sandbox reset\` begins anew`,
      error,
    );
  }
}

async function sandboxAccess(): Promise<SandboxAccess> {
  const state = await stateFolder();
  const folder = join(state, "sandbox");
  return {
    folder,
    repositories: join(state, "repositories"),
    onPush: { node: process.execPath, entry: fileURLToPath(import.meta.url), state },
    async open(options) {
      return openedSandbox(state, { folder, ...options });
    },
    async serve(options) {
      const { writeKubeconfig } = await import("./sandbox/kubeconfig.ts");
      const sandbox = await openedSandbox(state, { folder, ...options });
      const kubeconfig = join(state, "sandbox.kubeconfig");
      await writeKubeconfig(kubeconfig, sandbox);
      return { url: sandbox.served?.url ?? sandbox.url, kubeconfig, close: () => sandbox.close() };
    },
  };
}

/** From package.json, which is beside the folder of this file in a checkout and in the bundle alike. */
function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return String(JSON.parse(text).version);
}

/** Runs the face that argv asks for and answers with the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const { appFlagsOf, commandLine } = await import("./commands/flags.ts");
  const flags = appFlagsOf(argv, parseArgs);
  const sandbox = await sandboxAccess();
  const { stdin, stdout, stderr, env } = process;
  const onTerminal = stdin.isTTY === true && stdout.isTTY === true;
  const commands = () =>
    Promise.all([import("./commands/program.ts"), import("./commands/process-terminal.ts")]);
  if (flags === undefined || !onTerminal || env.TERM === "dumb") {
    const [{ runCommands }, { processTerminal }] = await commands();
    const terminal = processTerminal(process, { color: !argv.includes("--no-color") });
    const linear = flags !== undefined && onTerminal;
    if (linear) stderr.write("This terminal is dumb: no app. platform --help lists the commands.\n");
    return runCommands(linear ? [...argv, "service", "list"] : argv, {
      terminal,
      sandbox,
      version: version(),
    });
  }
  try {
    const { openApp } = await import("./app.ts");
    return await openApp({ flags, sandbox, env, stdin, stdout, stderr });
  } catch (error) {
    const [{ tellFailure }, { processTerminal }] = await commands();
    return tellFailure(error, processTerminal(process, { color: flags.color }), {
      debug: flags.debug,
      cluster: flags.sandbox ? "the sandbox" : (flags.context ?? "the current context"),
      command: (...words) => commandLine(flags, env, words),
    });
  }
}

/** A pipe takes what its reader has room for: the rest is lost where the process ends before it was written. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) return resolve();
    stream.once("close", resolve);
    stream.write("", () => resolve());
  });
}

const code = await main(process.argv.slice(2));
await Promise.all([written(process.stdout), written(process.stderr)]);
// Lost output counts where all else is well.
if (code !== 0 || process.exitCode === undefined) process.exitCode = code;
process.exit();
