import type { ParseArgsOptionsConfig } from "node:util";

/** The flags every command takes, as the person typed them. */
export interface GlobalFlags {
  /** Use the embedded, simulated cluster. */
  readonly sandbox: boolean;
  readonly context?: string;
  readonly kubeconfig?: string;
  /** A standards file, in place of those in the cluster: for the sandbox, a preview or an installation. */
  readonly standards?: string;
  /** Speed of the sandbox's simulated controllers; 1 is believable. */
  readonly speed?: string;
  readonly debug: boolean;
  /** False: `--no-color`. */
  readonly color: boolean;
}

/** The same flags for `util.parseArgs`: decides, before anything is loaded, whether argv asks for the app. */
export const appFlagNames = {
  sandbox: { type: "boolean" },
  context: { type: "string" },
  kubeconfig: { type: "string" },
  standards: { type: "string" },
  speed: { type: "string" },
  debug: { type: "boolean" },
  "no-color": { type: "boolean" },
} as const satisfies ParseArgsOptionsConfig;

/** What a valid `--speed` is. */
export function speedProblem(speed: string): string | undefined {
  const value = Number(speed);
  return speed.trim() !== "" && value >= 0.1 && value <= 10_000
    ? undefined
    : "--speed is a number from 0.1 to 10000";
}

/**
 * The flags where argv holds nothing but flags, so that the app can open without loading the command parser.
 * Undefined: argv holds a command, or something wrong that the parser explains.
 */
export function appFlagsOf(
  argv: readonly string[],
  parseArgs: typeof import("node:util").parseArgs,
): GlobalFlags | undefined {
  try {
    const { values } = parseArgs({ args: [...argv], options: appFlagNames, allowPositionals: false });
    if (values.sandbox && (values.context !== undefined || values.kubeconfig !== undefined)) return undefined;
    if (!values.sandbox && (values.standards !== undefined || values.speed !== undefined)) return undefined;
    if (values.speed !== undefined && speedProblem(values.speed) !== undefined) return undefined;
    return {
      sandbox: values.sandbox ?? false,
      ...(values.context === undefined ? {} : { context: values.context }),
      ...(values.kubeconfig === undefined ? {} : { kubeconfig: values.kubeconfig }),
      ...(values.standards === undefined ? {} : { standards: values.standards }),
      ...(values.speed === undefined ? {} : { speed: values.speed }),
      debug: values.debug ?? false,
      color: !(values["no-color"] ?? false),
    };
  } catch {
    return undefined;
  }
}

/** A word for a POSIX shell, quoted where it needs to be. */
export function shellWord(word: string): string {
  return /^[-\w./:=@,+]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * The command line that reaches the same cluster again, for example `platform --sandbox run show x`: every hint
 * the program prints can be typed as it stands.
 */
export function commandLine(
  flags: GlobalFlags,
  env: Readonly<Record<string, string | undefined>>,
  words: readonly string[],
): string {
  const npm = env.npm_lifecycle_event === "start";
  const parts = npm ? ["npm", "start", "--"] : ["platform"];
  if (flags.sandbox && !npm) parts.push("--sandbox");
  if (flags.context !== undefined) parts.push("--context", flags.context);
  if (flags.kubeconfig !== undefined) parts.push("--kubeconfig", flags.kubeconfig);
  return [...parts, ...words].map(shellWord).join(" ");
}
