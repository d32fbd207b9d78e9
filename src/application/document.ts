import { readFile, stat } from "node:fs/promises";
import { LineCounter, parseDocument } from "yaml";
import { cleanText } from "../cluster/text.ts";
import { RefusedInput } from "./refusal.ts";

export interface Position {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

/** A YAML or JSON file as plain data that still knows where each value stood. */
export interface Document {
  readonly file: string;
  readonly value: unknown;
  /** Where the value at this path stands, or its nearest parent that is there. */
  positionOf(path: readonly PropertyKey[]): Position | undefined;
}

/** Largest file that is read, in characters: these are written by hand. */
const longest = 1_000_000;

/** @throws RefusedInput with a line for everything that is not YAML. */
export function parseText(text: string, file: string): Document {
  if (text.length > longest) throw new RefusedInput([{ field: "", message: "is too large" }], file);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  // A warning is a value that is not what it seems, such as one with an unknown tag.
  const problems = [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    field: "",
    message: words(code, message),
    ...at(pos[0]),
  }));
  if (problems.length > 0) {
    // Where the parser gave up, the rest of what it says is about its giving up.
    const deep = problems.filter(({ message }) => message === tooDeep);
    throw new RefusedInput(deep.length > 0 ? deep.slice(0, 1) : problems.slice(0, mostProblems), file);
  }
  return {
    file,
    value: plain(document, file),
    positionOf(path) {
      for (let length = path.length; length > 0; length--) {
        const node: unknown = document.getIn(path.slice(0, length), true);
        const range = typeof node === "object" && node !== null && "range" in node ? node.range : undefined;
        const start: unknown = Array.isArray(range) ? range[0] : undefined;
        if (typeof start === "number") return at(start);
      }
      return undefined;
    },
  };
}

/** Syntax problems told of one file: more do not help. */
const mostProblems = 10;
const tooDeep = "is nested too deeply";

/** What the parser says, in words for whoever wrote the file. */
function words(code: string, message: string): string {
  if (code === "MULTIPLE_DOCS") return "holds more than one document";
  return /call stack|stack overflow/i.test(message) ? tooDeep : cleanText(message);
}

function plain(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // Aliases that multiply beyond measure, or that name nothing.
    const message = error instanceof Error ? error.message : String(error);
    throw new RefusedInput([{ field: "", message: words("", message) }], file);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "it may not be read",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is not a folder",
  ENAMETOOLONG: "its name is too long",
  ERR_FS_FILE_TOO_LARGE: "it is too large",
  ERR_INVALID_ARG_VALUE: "its name is not a file's",
};

/** @throws RefusedInput where the file cannot be read or is not YAML. */
export async function readDocument(path: string): Promise<Document> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > 4 * longest) throw new RefusedInput([{ field: "", message: "is too large" }], path);
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof RefusedInput) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const message = `cannot be read: ${reasons[code] ?? (code || "it is no text file")}`;
    throw new RefusedInput([{ field: "", message }], path);
  }
  return parseText(text, path);
}
