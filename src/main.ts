import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { SandboxAccess } from "./platform.ts";

enableCompileCache();

/** Where the sandbox and its repositories live: `PLATFORM_STATE_DIR`, else the user's data folder. */
async function stateFolder(): Promise<string> {
  const chosen = process.env.PLATFORM_STATE_DIR;
  if (chosen !== undefined && chosen !== "") return chosen;
  const { default: envPaths } = await import("env-paths");
  return envPaths("platform", { suffix: "" }).data;
}

async function sandboxAccess(): Promise<SandboxAccess> {
  const state = await stateFolder();
  const folder = join(state, "sandbox");
  return {
    folder,
    repositories: join(state, "repositories"),
    async open(options) {
      const { openSandbox } = await import("./sandbox/open.ts");
      return openSandbox({ folder, ...options });
    },
    async serve(options) {
      const { openSandbox } = await import("./sandbox/open.ts");
      const { writeKubeconfig } = await import("./sandbox/kubeconfig.ts");
      const sandbox = await openSandbox({ folder, ...options });
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

process.exitCode = await main(process.argv.slice(2));
process.exit();
