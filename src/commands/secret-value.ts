import { exitCodes } from "./exit-code.ts";
import { CommandFailure, usageFailure } from "./failure.ts";
import type { Session } from "./session.ts";
import { askHidden, type Terminal } from "./terminal.ts";

/** Longest variable that Linux starts a program with, `NAME=value` and a zero byte, in bytes (MAX_ARG_STRLEN). */
const longestVariable = 131_072;

/** Longest value of a variable, in bytes. Pure. */
export function longestValue(key: string): number {
  return longestVariable - Buffer.byteLength(key) - 2;
}

/**
 * A secret's value: asked for without showing it, or all of standard input. Never from arguments, which every process
 * on the machine and the shell's history could read.
 * @throws CommandFailure (2) where it can be no variable's value, and (130) where a person left
 */
export async function secretValue(session: Session, key: string, question: string): Promise<string> {
  const { terminal } = session;
  const bytes = terminal.interactive
    ? Buffer.from(await typed(terminal, question), "utf8")
    : oneLine(await upTo(terminal.stdin, key));
  return checkedValue(bytes, key);
}

async function typed(terminal: Terminal, question: string): Promise<string> {
  const stop = new AbortController();
  const unlisten = terminal.onStop(() => stop.abort());
  try {
    const answer = await askHidden(terminal, question, stop.signal);
    if (answer === undefined) throw new CommandFailure(exitCodes.interrupted, "left");
    const [line = "", ...more] = answer.lines;
    if (more.length === 0) return line;
    throw usageFailure("what was pasted has several lines, of which a prompt takes one", {
      next: ["give it by standard input: … < FILE"],
    });
  } finally {
    unlisten();
  }
}

/** @throws CommandFailure (2) as soon as it is too long: what cannot end is not read to its end */
async function upTo(stream: Terminal["stdin"], key: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > longestVariable) throw tooLong(key);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** `echo` ends what it prints with a line break, which is no part of the value; text of several lines is as it is. */
function oneLine(bytes: Buffer): Buffer {
  const end = bytes.indexOf("\n");
  if (end === -1 || end !== bytes.length - 1) return bytes;
  return bytes.subarray(0, bytes.at(end - 1) === 0x0d ? end - 1 : end);
}

/** @throws CommandFailure (2), without any of the value in its words */
function checkedValue(bytes: Buffer, key: string): string {
  if (bytes.length === 0) {
    throw usageFailure("the value is empty", {
      next: ["type it where it is asked for, or give it by standard input: … < FILE"],
    });
  }
  if (bytes.length > longestValue(key)) throw tooLong(key);
  if (bytes.includes(0)) throw usageFailure("the value has a zero byte, which no variable can hold");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw usageFailure("the value is not text in UTF-8, which a variable has to be", {
      next: ["encode it first, for example: base64 < FILE | platform secret set …"],
    });
  }
}

function tooLong(key: string): CommandFailure {
  return usageFailure(
    `the value is longer than a variable of Linux can be: ${key} has room for ${longestValue(key)} bytes`,
    { next: ["keep what is longer in a volume or an object store, and the key to it here"] },
  );
}
