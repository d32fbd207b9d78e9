import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { type Commands, commandsOnSandbox } from "./commands.ts";

async function standardsFile(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "platform-standards-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "platform.yaml");
  await writeFile(file, text);
  return file;
}

const upgraded = `
organization: beta
images: { starter: registry.example.internal/platform/starter:0.1.0 }
`;

/** A sandbox that has been used before, so that it is installed. */
async function used(): Promise<Commands> {
  const commands = await commandsOnSandbox();
  expect((await commands.run("service", "list")).code).toBe(0);
  return commands;
}

async function organization(commands: Commands): Promise<string> {
  const { out } = await commands.run("standards", "show", "-o", "json");
  return /"organization": "(\w+)"/.exec(out)?.[1] ?? "";
}

async function newestRun(commands: Commands): Promise<string> {
  const { out } = await commands.run("run", "list", "-o", "name");
  return out.split("\n")[0]?.replace("run/", "") ?? "";
}

test("an upgrade shows what differs, is a run, and its rollback brings back what was", async () => {
  const commands = await used();
  const file = await standardsFile(upgraded);
  // On the sandbox --standards means what it starts with, so that the file is named where the cluster is asked.
  const preview = await commands.run("--standards", file, "install", "--dry-run");
  expect(preview, preview.err).toMatchObject({ code: 0 });
  expect(preview.out).toMatch(/Standards +platform +changed/);
  expect(preview.out).toContain('~ spec.organization: "sandbox" → "beta"');
  expect(preview.err).toContain("Nothing was written");
  expect(await organization(commands)).toBe("sandbox");

  const done = await commands.run("--standards", file, "install", "--yes");
  expect(done.code, done.err).toBe(0);
  expect(done.err).toContain("✔ Standards");
  expect(await organization(commands)).toBe("beta");
  const again = await commands.run("--standards", file, "install");
  expect(again.err).toContain("nothing was written");
  expect(again.code).toBe(0);

  const back = await commands.run("run", "rollback", await newestRun(commands), "--yes");
  expect(back.code, back.err).toBe(0);
  expect(back.err).toContain("Standards platform is as it was");
  expect(await organization(commands)).toBe("sandbox");
});

test("an uninstallation removes rights, keeps services and standards, and can be taken back", async () => {
  const commands = await used();
  for (const words of [
    ["service", "create", "shop", "--language", "go", "--yes"],
    ["install", "--yes"],
  ]) {
    const made = await commands.run(...words);
    expect(made.code, made.err).toBe(0);
  }
  const refused = await commands.run("uninstall");
  expect(refused.code).toBe(2);
  expect(refused.err).toContain("--yes");

  const gone = await commands.run("uninstall", "--yes");
  expect(gone.code, gone.err).toBe(0);
  expect(gone.err).toContain("Kept: every service");
  expect((await commands.run("service", "list", "-o", "name")).out).toContain("shop");
  const sick = await commands.run("doctor", "-o", "json");
  expect(sick.code).toBe(1);
  expect(finding(sick.out, "rights", "platform")).toMatchObject({
    state: "fail",
    mend: expect.stringContaining("platform install"),
  });
  const wrong = documentSchema
    .parse(JSON.parse(sick.out))
    .items.filter(({ state }) => /warn|fail/.test(state));
  expect(wrong.map(({ name }) => name)).toContain("guardrails");
  expect(wrong.filter(({ mend }) => mend === undefined)).toEqual([]);

  const back = await commands.run("run", "rollback", await newestRun(commands), "--yes");
  expect(back.code, back.err).toBe(0);
  const well = await commands.run("doctor", "-o", "json");
  expect(well.code, well.out).toBe(0);
  expect(finding(well.out, "rights", "platform")).toMatchObject({ state: "ok" });
  expect(finding(well.out, "code host", "surroundings")).toMatchObject({ state: "ok" });
});

test("what nobody can use is refused before anything is written", async () => {
  const commands = await commandsOnSandbox();
  expect(await commands.run("install", "--operator-image", "Not An Image")).toMatchObject({ code: 2 });
  expect((await commands.run("install", "--print", "everything")).code).toBe(2);
  const printed = await commands.run("install", "--print", "types");
  expect(printed.out).toContain("kind: CustomResourceDefinition");
});

const documentSchema = z.object({
  ok: z.boolean(),
  items: z.array(
    z.object({ area: z.string(), name: z.string(), state: z.string(), mend: z.string().optional() }),
  ),
});

function finding(text: string, name: string, area: string) {
  return documentSchema
    .parse(JSON.parse(text))
    .items.find((item) => item.name === name && item.area === area);
}
