import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { removeUnused } from "../../../src/terraform/workspace-folder.ts";

test("folders that nobody has worked in for an hour go; work in hand and states that could not be saved stay", async () => {
  const root = await mkdtemp(join(tmpdir(), "workspaces-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const now = new Date("2026-05-01T12:00:00Z");
  const long = new Date(now.getTime() - 2 * 60 * 60_000);
  const make = async (name: string, file: string, at: Date) => {
    await mkdir(join(root, name));
    await writeFile(join(root, name, file), "{}");
    await utimes(join(root, name), at, at);
  };
  await make("unused", "main.tf", long);
  await make("fresh", "main.tf", now);
  await make("at-work", "holders.json", long);
  await make("unsaved", "errored.tfstate", long);
  await removeUnused(root, { now: () => now });
  expect((await readdir(root)).sort()).toEqual(["at-work", "fresh", "unsaved"]);
  await removeUnused(join(root, "nowhere"), { now: () => now });
});
