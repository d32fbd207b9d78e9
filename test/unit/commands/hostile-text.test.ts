import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runCommands } from "../../../src/commands/program.ts";
import { memoryTerminal, noSandbox } from "./memory-terminal.ts";

const name = "prod\u001b[2J\u202e";

async function contexts(format: string) {
  const folder = await mkdtemp(join(tmpdir(), "hostile-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const kubeconfig = join(folder, "config");
  await writeFile(
    kubeconfig,
    JSON.stringify({
      "current-context": name,
      clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
      contexts: [{ name, context: { cluster: "c" } }],
    }),
  );
  const terminal = memoryTerminal();
  const argv = ["--kubeconfig", kubeconfig, "contexts", "-o", format];
  expect(await runCommands(argv, { terminal, sandbox: noSandbox, version: "1.2.3" })).toBe(0);
  return terminal.written.out;
}

test("JSON hides and obeys nothing, and still means the same", async () => {
  const out = await contexts("json");
  expect(out).not.toMatch(/[^\P{C}\n]/u);
  expect(JSON.parse(out)).toMatchObject({ items: [{ name }] });
});
