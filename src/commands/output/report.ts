import { inspect, styleText } from "node:util";
import { problemText } from "../../application/refusal.ts";
import type { CommandFailure } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import { writeDocument, writeLine } from "./format.ts";

/**
 * Tells why a command failed: as lines on the error stream, or in the format asked for on standard output, so that
 * what a machine reads is always one well-formed answer.
 */
export async function reportFailure(
  terminal: Terminal,
  failure: CommandFailure,
  options: { readonly format?: "json" | "yaml" | undefined; readonly debug?: boolean | undefined } = {},
): Promise<void> {
  const { message, exitCode, problems, state, next } = failure;
  if (options.format !== undefined) {
    const content = { message, exitCode, problems, state, next };
    if (options.format === "json") writeLine(terminal.out, "error", content);
    else await writeDocument(terminal.out, "yaml", "error", content);
  } else {
    const mark = terminal.err.colors ? styleText("red", "✖", { validateStream: false }) : "✖";
    const lines = [`${mark} ${message}`];
    for (const problem of problems) lines.push(`  ${problemText(problem)}`);
    if (state !== "") lines.push(`  ${state}`);
    for (const hint of next) lines.push(`  → ${hint}`);
    terminal.err.write(`${lines.join("\n")}\n`);
  }
  if (options.debug === true) terminal.err.write(`${inspect(failure.cause ?? failure, { depth: 4 })}\n`);
}
