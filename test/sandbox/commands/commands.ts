import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { runCommands } from "../../../src/commands/program.ts";
import type { SandboxAccess } from "../../../src/connection.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";
import { type MemoryTerminal, memoryTerminal } from "../../unit/commands/memory-terminal.ts";

/** What a command that has ended came to. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command that runs. */
export interface Running {
  readonly terminal: MemoryTerminal;
  readonly ended: Promise<Ended>;
  /** Resolves once `text` has been printed. */
  printed(text: string): Promise<void>;
}

/** The program's commands in this process, on one sandbox that is opened once and is fast. */
export interface Commands {
  /** Words after `platform --sandbox`. */
  run(...words: readonly string[]): Promise<Ended>;
  start(...words: readonly string[]): Running;
  /** The same, with something to read on standard input. */
  given(stdin: string | Uint8Array, ...words: readonly string[]): Promise<Ended>;
  /** The sandbox's API, for what others do to it meanwhile. */
  readonly cluster: Cluster;
  /** Folder of the repositories. */
  readonly repositories: string;
}

/** Goes when the test has ended. @param cloud - see {@link SandboxAccess.cloud} */
export async function commandsOnSandbox(cloud?: SandboxAccess["cloud"]): Promise<Commands> {
  const folder = await mkdtemp(join(tmpdir(), "platform-commands-"));
  const { sandbox, cluster, close } = await sandboxStage(join(folder, "sandbox"), 200);
  onTestFinished(async () => {
    await close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const access: SandboxAccess = {
    folder: join(folder, "sandbox"),
    repositories: join(folder, "repositories"),
    ...(cloud === undefined ? {} : { cloud }),
    open: async () => ({ ...sandbox, close: async () => undefined }),
    serve: () => Promise.reject(new Error("not served here")),
  };
  const begin = (terminal: MemoryTerminal, words: readonly string[]): Running => {
    const ended = runCommands(["--sandbox", ...words], { terminal, sandbox: access, version: "1.2.3" }).then(
      (code) => ({ code, ...terminal.written }),
    );
    return {
      terminal,
      ended,
      printed: (text) => printed(terminal, text),
    };
  };
  return {
    start: (...words) => begin(memoryTerminal(), words),
    given: (stdin, ...words) => begin(memoryTerminal({ stdin }), words).ended,
    cluster,
    repositories: access.repositories,
    run: (...words) => begin(memoryTerminal(), words).ended,
  };
}

async function printed({ written }: MemoryTerminal, text: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!`${written.out}${written.err}`.includes(text)) {
    if (Date.now() > deadline)
      throw new Error(`waited for ${text}; last seen:\n${written.out}${written.err}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
