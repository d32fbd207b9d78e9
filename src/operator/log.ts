import { isClusterError } from "../cluster/errors.ts";
import { cleanText } from "../cluster/text.ts";

/** How much is told; each level holds those before it. */
export const logLevels = ["error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * What a line may carry besides its message: names, counts and times. No objects, so that no Secret and no journal
 * gets into a log by being passed along.
 */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Tells what happens, a line of JSON each: `time`, `level`, `msg`, and the fields. */
export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** The same log, with fields that every line carries. */
  with(fields: LogFields): Log;
}

/** Longest text of one field, in characters: messages of admission policies can be pages. */
const longestText = 2_000;

/** @param write - takes one line, its line break included */
export function createLog(
  write: (line: string) => void,
  { level, now }: { readonly level: LogLevel; readonly now: () => Date },
  always: LogFields = {},
): Log {
  const most = logLevels.indexOf(level);
  const tell =
    (at: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (logLevels.indexOf(at) > most) return;
      const line: Record<string, string | number | boolean> = {
        time: now().toISOString(),
        level: at,
        msg: clean(message),
      };
      for (const [name, value] of Object.entries({ ...always, ...fields })) {
        if (value !== undefined) line[name] = typeof value === "string" ? clean(value) : value;
      }
      write(`${JSON.stringify(line)}\n`);
    };
  return {
    error: tell("error"),
    warn: tell("warn"),
    info: tell("info"),
    debug: tell("debug"),
    with: (fields) => createLog(write, { level, now }, { ...always, ...fields }),
  };
}

/** An error as fields of a line: what was asked, and what came of it. */
export function errorFields(error: unknown): LogFields {
  if (isClusterError(error)) {
    return {
      error: error.message,
      kind: error.kind,
      ...(error.request === "" ? {} : { request: error.request }),
    };
  }
  return { error: error instanceof Error ? error.message : String(error) };
}

function clean(text: string): string {
  const cleaned = cleanText(text);
  return cleaned.length > longestText ? `${cleaned.slice(0, longestText)}…` : cleaned;
}
