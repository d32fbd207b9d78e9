import { parseArgs } from "node:util";
import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";
import { serviceNameSchema } from "../application/names.ts";
import type { SandboxAccess } from "../connection.ts";
import { type Verb, verbs, verbsOf } from "../provisioning/verbs/verbs.ts";
import { rotatable } from "../secrets/rotation.ts";
import { appFlagNames } from "./flags.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

/** A shell waits for these; longer, and no names are offered. */
const patienceMs = 2500;

/** What is completed: a command's first argument, or the value of its flag. */
type Kind =
  /** `sharing`: those that share a namespace too, by `NAMESPACE/NAME`. */
  | { readonly kind: "service"; readonly sharing?: true }
  /** Only runs that take the verb, where there is one. */
  | { readonly kind: "run"; readonly verb?: Verb }
  | { readonly kind: "release"; readonly service: string };

/** Commands whose first argument is a service or a run. */
const named: Readonly<Record<string, Kind>> = {
  ...Object.fromEntries(
    ["scale", "deploy", "set", "rollback", "releases"].map((command) => [
      `service ${command}`,
      { kind: "service" } as const,
    ]),
  ),
  ...Object.fromEntries(
    ["get", "logs", "open", "delete"].map((command) => [
      `service ${command}`,
      { kind: "service", sharing: true } as const,
    ]),
  ),
  ...Object.fromEntries(verbs.map((verb) => [`run ${verb}`, { kind: "run", verb } as const])),
  "database backup": { kind: "service" },
  "database list": { kind: "service" },
  "database restore": { kind: "service" },
  "database import": { kind: "service" },
  "secret list": { kind: "service" },
  "secret set": { kind: "service" },
  "secret remove": { kind: "service" },
  "secret rotate": { kind: "service" },
  "run show": { kind: "run" },
  "run watch": { kind: "run" },
  "run logs": { kind: "run" },
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
  const { positionals } = parseArgs({
    args: [...words],
    options: appFlagNames,
    strict: false,
    allowPositionals: true,
  });
  const path = positionals.slice(0, 2).join(" ");
  const command = completions.commands.get(path);
  const wanted = named[path];
  if (command !== undefined && wanted !== undefined) {
    const to = path === "service rollback" && words.includes("--to") ? command.options.get("to") : undefined;
    const kind: Kind = to === undefined ? wanted : { kind: "release", service: positionals[2] ?? "" };
    const names = await orNothing(namesOf(kind, words, around));
    const [first, ...more] = to === undefined ? command.arguments.values() : [to];
    // What else `secret rotate` asks for.
    for (const argument of path === "secret rotate" ? more : []) {
      argument.handler = (complete) => {
        for (const store of rotatable) complete(store, `the password of the ${store}`);
      };
    }
    for (const completed of first === undefined ? [] : [first]) {
      completed.handler = (complete) => {
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
  wanted: Kind,
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
    if (wanted.kind === "run") {
      const { verb } = wanted;
      const runs = await platform.provisioner.list();
      return runs
        .filter((run) => verb === undefined || verbsOf(run).includes(verb))
        .map(({ name, phase }) => ({ name, description: phase }));
    }
    if (wanted.kind === "release") {
      const releases = await platform.provisioner.releases(serviceNameSchema.parse(wanted.service));
      return releases.map(({ number, spec }) => ({ name: String(number), description: spec.image }));
    }
    const { labels } = await import("../application/names.ts");
    const { resources } = await import("../cluster/resource.ts");
    const list = await platform.cluster.listMetadata(resources.namespaces, {
      labelSelector: `${labels.managed}=true`,
    });
    const own = list.items.flatMap(({ metadata }) => {
      const { [labels.service]: name, [labels.team]: team = "" } = metadata.labels ?? {};
      return name === undefined ? [] : [{ name, description: team }];
    });
    if (wanted.sharing !== true) return own;
    const { sharingServices } = await import("../services/locate.ts");
    const sharing = await sharingServices(platform.cluster);
    return [
      ...own,
      ...sharing.map(({ name, namespace }) => ({ name: `${namespace}/${name}`, description: namespace })),
    ];
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
