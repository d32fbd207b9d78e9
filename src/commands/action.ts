import type { Command } from "commander";
import type { ExitCode } from "./exit-code.ts";
import type { Session } from "./session.ts";

/** What a command does; `options` are as the parser gives them, parsed by the command's own schema. */
export type Action = (
  session: Session,
  args: readonly string[],
  options: Readonly<Record<string, unknown>>,
) => Promise<ExitCode>;

/** Ties an action to a command of the tree. */
export type Bind = (command: Command, action: Action) => Command;
