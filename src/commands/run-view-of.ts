import type { RunFormat } from "./output/format.ts";
import { jsonRunView } from "./output/json-run-view.ts";
import { linearRunView } from "./output/linear-run-view.ts";
import type { RunView } from "./output/run-view.ts";
import type { Session } from "./session.ts";

/**
 * The view of a run that `-o` asks for.
 * @param begun - the run has a past, which was shown when it happened: only what is new is told
 */
export function runView(
  session: Session,
  context: string,
  format: RunFormat,
  { begun = false }: { readonly begun?: boolean } = {},
): RunView {
  const { terminal, command } = session;
  return format === "json" ? jsonRunView(terminal.out) : linearRunView(terminal, { context, command, begun });
}
