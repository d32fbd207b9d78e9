import { InvalidArgumentError, Option } from "commander";
import { documentFormats, listFormats, runFormats } from "./output/format.ts";

/** `-o` of commands that list or get. */
export function listOutput(): Option {
  return new Option("-o, --output <format>", "how to print").choices(listFormats).default("table");
}

/** `-o` of commands that execute or follow a run. */
export function runOutput(): Option {
  return new Option("-o, --output <format>", "text, or one JSON object a line")
    .choices(runFormats)
    .default("text");
}

/** `-o` of commands with one result. */
export function documentOutput(): Option {
  return new Option("-o, --output <format>", "how to print").choices(documentFormats).default("text");
}

/** `--yes`. */
export function yes(): Option {
  return new Option("-y, --yes", "do not ask");
}

/** `--confirm`. */
export function confirmation(): Option {
  return new Option(
    "--confirm <service>",
    "the service's name, in place of typing it: destroys data stores that are protected against deletion",
  );
}

/** What flags of a data store say that exists already. */
export const externalHelp = {
  secret: (store: "database" | "cache") =>
    `a ${store} that exists already: the Secret in the service's namespace with its credentials`,
  address: "where it is, the same as in that Secret",
} as const;

/** `--timeout`: kept in milliseconds. */
export function timeout(): Option {
  return new Option(
    "--timeout <duration>",
    "stop after this time, such as 90s, 10m or 1h, and leave the run resumable",
  ).argParser(milliseconds);
}

/** Length of a duration such as `90s`, in milliseconds. */
export function milliseconds(text: string): number {
  const match = /^(\d{1,6})(ms|s|m|h)?$/.exec(text);
  const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? "s"];
  const value = Number(match?.[1]) * (factor ?? Number.NaN);
  if (!(value > 0 && value <= 86_400_000))
    throw new InvalidArgumentError("It is a time up to 24h, such as 90s.");
  return value;
}
