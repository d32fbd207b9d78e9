import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { startProgram } from "./child.ts";
import { seeded, seedOfRun } from "./random.ts";

const seed = seedOfRun();
const random = seeded(seed);
const sandbox = ["--sandbox", "--speed", "100"];
const runsSchema = z.looseObject({ items: z.array(z.looseObject({ name: z.string(), phase: z.string() })) });

/** The API server, its controllers and the engine are one process: all of it dies at once. */
test.each(["rollback", "resume"] as const)(
  "the sandbox and its engine killed together: a new process has lost nothing, and a %s comes to its end",
  async (recovery) => {
    const folder = await mkdtemp(join(tmpdir(), "platform-embedded-"));
    const platform = (...words: readonly string[]) => startProgram(folder, [...sandbox, ...words]).ended;
    try {
      // Killed once it has told so many events.
      const events = 1 + Math.floor(random() * 25);
      const words = ["service", "create", "ledger", "--language", "go", "--database", "postgres", "--yes"];
      const { process, ended } = startProgram(folder, [...sandbox, ...words, "-o", "json"]);
      let told = 0;
      process.stdout?.on("data", (text: string) => {
        told += text.split("\n").length - 1;
        if (told >= events) process.kill("SIGKILL");
      });
      expect((await ended).signal).toBe("SIGKILL");
      const runs = async () =>
        runsSchema.parse(JSON.parse((await platform("run", "list", "-o", "json")).out)).items;
      const [run] = await runs();
      const { code, err } = await platform(
        "run",
        recovery,
        run?.name ?? "",
        ...(recovery === "rollback" ? ["--yes"] : []),
      );
      expect(code, `after ${events} events, PLATFORM_CRASH_SEED=${seed}: ${err}`).toBe(0);
      const after = recovery === "rollback" ? "RolledBack" : "Succeeded";
      expect(await runs()).toEqual([expect.objectContaining({ phase: after })]);
      const { out } = await platform("service", "list", "-o", "name");
      expect(out).toBe(recovery === "rollback" ? "" : "service/ledger\n");
      const left = await readdir(join(folder, "repositories"), { recursive: true }).catch(() => []);
      // Neither a repository, nor what is aside while one is made or removed.
      const expected = recovery === "rollback" ? [] : ["ledger.git"];
      expect(left.filter((path) => /\.git$/.test(path)).map((path) => basename(path))).toEqual(expected);
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  },
);
