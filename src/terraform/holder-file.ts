import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type Holders, holderSchema } from "./holder.ts";

/** In a workspace's folder. */
export const holdersFile = "holders.json";

/** Writes who works on a workspace into its own folder: what judges processes of this machine. */
export function holderFile(folder: string): Holders {
  const path = join(folder, holdersFile);
  return {
    async read() {
      try {
        return holdersIn(await readFile(path, "utf8"));
      } catch {
        return []; // none
      }
    },
    async write(holders) {
      if (holders.length === 0) {
        await rm(path, { force: true });
        return;
      }
      const next = `${path}.next`;
      await writeFile(next, JSON.stringify(holders), { mode: 0o600 });
      await rename(next, path);
    },
  };
}

const holdersSchema = z.array(holderSchema);

/** The records in a text; none where a crash or another version left it. */
export function holdersIn(text: string): z.output<typeof holdersSchema> {
  try {
    return holdersSchema.parse(JSON.parse(text));
  } catch {
    return [];
  }
}
