import { parseArgs } from "node:util";
import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";
import type { SandboxAccess } from "../connection.ts";
import { appFlagNames } from "./flags.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

/** A shell waits for these; longer, and no names are offered. */
const patienceMs = 2500;

/** Commands whose first argument is a service or a run. */
const named: Readonly<Record<string, "service" | "run">> = {
  "service get": "service",
  "service delete": "service",
  "run show": "run",
  "run watch": "run",
  "run retry": "run",
  "run rollback": "run",
};

/**
 * Adds `completion bash|zsh|fish|powershell`, and the hidden `complete` that the script it prints calls on each tab:
 * commands, flags and their values from the tree, names of services, runs and contexts from the cluster.
 */
export async function addCompletion(
  program: Command,
  argv: readonly string[],
  around: { readonly terminal: Terminal; readonly sandbox: SandboxAccess },
): Promise<void> {
  const completions = tab(program, { completionCommandName: "completion" });
  program.commands
    .find((command) => command.name() === "completion")
    ?.description("print a shell's completion script: source <(platform completion bash)");
  if (argv[0] !== "complete") return;
  const words = argv.slice(argv.indexOf("--") + 1);
  const kind =
    named[
      words
        .filter((word) => /^[a-z]+$/.test(word))
        .slice(0, 2)
        .join(" ")
    ];
  const names = kind === undefined ? [] : await orNothing(namesOf(kind, words, around));
  for (const [path, wanted] of Object.entries(named)) {
    if (wanted !== kind) continue;
    for (const argument of completions.commands.get(path)?.arguments.values() ?? []) {
      argument.handler = (complete) => {
        for (const { name, description } of names) complete(name, description);
      };
    }
  }
  if (words.includes("--context")) {
    const { listContexts } = await import("../cluster/connect.ts");
    const contexts = await orNothing(listContexts(undefined, around.terminal.env));
    for (const command of [completions, ...completions.commands.values()]) {
      const option = command.options.get("context");
      if (option === undefined) continue;
      option.handler = (complete) => {
        for (const { name, cluster } of contexts) complete(name, cluster);
      };
    }
  }
}

async function namesOf(
  kind: "service" | "run",
  words: readonly string[],
  { terminal, sandbox }: { readonly terminal: Terminal; readonly sandbox: SandboxAccess },
): Promise<readonly { readonly name: string; readonly description: string }[]> {
  const { values } = parseArgs({ args: [...words], options: appFlagNames, strict: false });
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const context = text(values.context);
  const kubeconfig = text(values.kubeconfig);
  const session = openSession(
    terminal,
    {
      sandbox: values.sandbox === true,
      ...(context === undefined ? {} : { context }),
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      debug: false,
      color: false,
    },
    sandbox,
  );
  try {
    const platform = await session.platform();
    if (kind === "run") {
      const runs = await platform.provisioner.list();
      return runs.map(({ name, phase }) => ({ name, description: phase }));
    }
    const { labels } = await import("../application/names.ts");
    const { resources } = await import("../cluster/resource.ts");
    const list = await platform.cluster.listMetadata(resources.namespaces, {
      labelSelector: `${labels.managed}=true`,
    });
    return list.items.map(({ metadata }) => ({
      name: metadata.labels?.[labels.service] ?? "",
      description: metadata.labels?.[labels.team] ?? "",
    }));
  } finally {
    await session.close();
  }
}

/** Completion never fails and never keeps a shell waiting. */
async function orNothing<T>(work: Promise<readonly T[]>): Promise<readonly T[]> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<readonly T[]>((resolve) => {
    timer = setTimeout(() => resolve([]), patienceMs);
  });
  try {
    return await Promise.race([work, patience]);
  } catch {
    return [];
  } finally {
    clearTimeout(timer);
  }
}
