import type { RunFormat } from "./output/format.ts";
import { jsonRunView } from "./output/json-run-view.ts";
import { linearRunView } from "./output/linear-run-view.ts";
import type { RunView } from "./output/run-view.ts";
import type { Session } from "./session.ts";

/** The view of a run that `-o` asks for. */
export function runView(session: Session, context: string, format: RunFormat): RunView {
  const { terminal, command } = session;
  return format === "json" ? jsonRunView(terminal.out) : linearRunView(terminal, { context, command });
}
