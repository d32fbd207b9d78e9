import { randomUUID } from "node:crypto";
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Memory that looks like a disk; not every system has it. */
const memory = "/dev/shm";

/**
 * A file that has no name any more: what is in it can be read through the descriptor by a child process that inherits
 * it, and is gone with the last who has it open. No argument, environment or disk ever holds it. Close the descriptor
 * once the child has started.
 * @param fallback - a folder that only this user may enter, for systems without memory that looks like a disk
 */
export function hiddenFile(content: string, fallback: string): number {
  for (const folder of [memory, fallback]) {
    const path = join(folder, `.platform-${randomUUID()}`);
    let writer: number;
    try {
      writer = openSync(path, "wx", 0o600);
    } catch (error) {
      if (folder === fallback) throw error;
      continue;
    }
    // Nothing can come between these: they do not wait.
    try {
      const reader = openSync(path, "r");
      unlinkSync(path);
      writeSync(writer, content);
      return reader;
    } finally {
      closeSync(writer);
    }
  }
  throw new Error("no folder takes a file");
}
