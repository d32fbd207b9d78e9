import type { Output } from "../terminal.ts";

/** Version of everything the program prints for machines; a change that breaks a reader raises it. */
export const outputVersion = "platform.company.com/cli/v1";

export const listFormats = ["table", "wide", "json", "yaml", "name"] as const;
export type ListFormat = (typeof listFormats)[number];

export const runFormats = ["text", "json"] as const;
export type RunFormat = (typeof runFormats)[number];

export const documentFormats = ["text", "json", "yaml"] as const;
export type DocumentFormat = (typeof documentFormats)[number];

/** One JSON line of a stream. */
export function writeLine(out: Output, type: string, content: Readonly<Record<string, unknown>>): void {
  out.write(`${visible(JSON.stringify({ apiVersion: outputVersion, type, ...content }))}\n`);
}

/** JSON of the same meaning, in which what a terminal would obey or hide is written as an escape. */
function visible(json: string): string {
  return json.replace(/[[\p{C}\u2028\u2029]--\n]/gv, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}

/** One whole JSON or YAML document. */
export async function writeDocument(
  out: Output,
  format: "json" | "yaml",
  type: string,
  content: Readonly<Record<string, unknown>>,
): Promise<void> {
  const document = { apiVersion: outputVersion, type, ...content };
  if (format === "json") return out.write(`${visible(JSON.stringify(document, null, 2))}\n`);
  const { toYaml } = await import("./yaml.ts");
  out.write(toYaml(document));
}

/**
 * What `-o` says in argv, read before argv is parsed, so that an error in argv itself is told in the format asked for.
 * Undefined: none, or one without its own way to tell errors.
 */
export function machineFormatIn(argv: readonly string[]): "json" | "yaml" | undefined {
  for (const [index, word] of argv.entries()) {
    if (word === "--") return undefined;
    const value =
      word === "-o" || word === "--output"
        ? argv[index + 1]
        : /^(?:-o=?|--output=)(.*)$/.exec(
            word.startsWith("-o") || word.startsWith("--output=") ? word : "",
          )?.[1];
    if (value === "json" || value === "yaml") return value;
  }
  return undefined;
}
