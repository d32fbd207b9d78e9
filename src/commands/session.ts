import type { Cluster } from "../cluster/cluster.ts";
import type { Connected, SandboxAccess, Where } from "../connection.ts";
import type { Platform } from "../platform.ts";
import { usageFailure } from "./failure.ts";
import { commandLine, type GlobalFlags } from "./flags.ts";
import type { Terminal } from "./terminal.ts";

/** What every command is given: its surroundings, the global flags, and the cluster they name, opened when asked for. */
export interface Session {
  readonly terminal: Terminal;
  readonly flags: GlobalFlags;
  readonly where: Where;
  readonly sandbox: SandboxAccess;
  /** Name of the cluster for a person: `sandbox`, or the context. */
  readonly clusterName: string;
  /** Whom the standards name for questions of rights, once they have been read. */
  contact(): string | undefined;
  /** Completes words to a command line that reaches the same cluster. */
  command(...words: readonly string[]): string;
  /** Connects without asking whether the platform is installed there. */
  connect(): Promise<Cluster>;
  /** @throws CommandFailure where `platform install` has not been run. */
  platform(options?: { readonly preview?: boolean }): Promise<Platform>;
  close(): Promise<void>;
}

/** Opens nothing yet. */
export function openSession(
  terminal: Terminal,
  flags: GlobalFlags,
  sandbox: SandboxAccess,
  /** Whom the sandbox takes requests to come from. */
  { as }: { readonly as?: string } = {},
): Session {
  const where: Where = flags.sandbox
    ? {
        kind: "sandbox",
        access: sandbox,
        ...(flags.speed === undefined ? {} : { speed: Number(flags.speed) }),
        ...(as === undefined ? {} : { as }),
      }
    : {
        kind: "kubeconfig",
        ...(flags.kubeconfig === undefined ? {} : { path: flags.kubeconfig }),
        ...(flags.context === undefined ? {} : { context: flags.context }),
      };
  let connected: Promise<Connected> | undefined;
  let opened: Promise<Platform> | undefined;
  let contact: string | undefined;
  const connect = () => {
    connected ??= import("../connection.ts").then(({ connectCluster }) => connectCluster(where));
    return connected;
  };
  return {
    terminal,
    flags,
    where,
    sandbox,
    clusterName: flags.sandbox ? "sandbox" : (flags.context ?? "the current context"),
    contact: () => contact,
    command: (...words) => commandLine(flags, terminal.env, words),
    connect: async () => (await connect()).cluster,
    platform: ({ preview = false } = {}) => {
      if (flags.standards !== undefined && !flags.sandbox && !preview) {
        throw usageFailure("--standards cannot replace the standards of a cluster", {
          next: [
            `${commandLine(flags, terminal.env, ["install", "--standards", flags.standards])} writes them there, for those who may`,
            "--dry-run previews with them, --sandbox tries them out",
          ],
        });
      }
      opened ??= Promise.all([connect(), import("../platform.ts")]).then(([connection, { openPlatform }]) =>
        openPlatform(connection, where, {
          ...(flags.standards === undefined ? {} : { standardsFile: flags.standards }),
        }).then((platform) => {
          contact = platform.standards.contact;
          return platform;
        }),
      );
      return opened;
    },
    close: async () => {
      if (connected !== undefined)
        await connected.then((connection) => connection.close()).catch(() => undefined);
    },
  };
}
