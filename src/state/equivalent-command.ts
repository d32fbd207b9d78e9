import { alertNames } from "../application/request.ts";
import { changeWords } from "./change.ts";
import { createWords } from "./command-line.ts";
import type { Session } from "./session.ts";
import { draftOf } from "./wizard.ts";

/** The command that does what the wizard would. */
export function wizardCommand(session: Pick<Session, "ui" | "facts" | "commandLine">): string {
  return session.commandLine(createWords(draftOf(session.ui().wizard, session.facts()), alertNames));
}

/** The command that does what the change on the screen would; empty while there is none. */
export function changeCommand(session: Pick<Session, "ui" | "commandLine">): string {
  const { change, dataStores } = session.ui();
  return change === undefined ? "" : session.commandLine(changeWords(change, dataStores));
}
