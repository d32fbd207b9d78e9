import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findTerraform } from "../../../src/terraform/binary.ts";

/** An environment whose PATH has these programs and no others, each saying its version. */
async function machine(programs: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), "platform-programs-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, says] of Object.entries(programs)) {
    await writeFile(
      join(folder, name),
      `#!/bin/sh\nwhile read -r line; do echo "$line"; done <<'EOF'\n${says}\nEOF\n`,
    );
    await chmod(join(folder, name), 0o755);
  }
  return { PATH: folder };
}

test("Terraform is used where it is there, and OpenTofu where that alone is", async () => {
  const both = await machine({ terraform: "Terraform v1.11.4\non linux_amd64", tofu: "OpenTofu v1.12.6" });
  expect(await findTerraform(both)).toEqual({ path: "terraform", product: "Terraform", version: "1.11.4" });
  const one = await machine({ tofu: "OpenTofu v1.12.6\non linux_amd64" });
  expect(await findTerraform(one)).toEqual({ path: "tofu", product: "OpenTofu", version: "1.12.6" });
});

test.each([
  [{}, "neither terraform nor tofu was found on this machine"],
  [{ terraform: "Terraform v1.10.5" }, "Terraform 1.10.5 is too old"],
  [{ terraform: "an inventory of lands" }, "the program terraform is neither Terraform nor OpenTofu"],
])("what is there of it is told: %o", async (programs, message) => {
  await expect(findTerraform(await machine(programs))).rejects.toMatchObject({
    problem: "no-terraform",
    message: expect.stringContaining(message),
    mend: expect.stringContaining("1.11 or later"),
  });
});
