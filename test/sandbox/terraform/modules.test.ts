import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { terraformEnvironment } from "../../../src/terraform/environment.ts";
import { setStage, terraform } from "../../terraform/stage.ts";

const folder = fileURLToPath(new URL("../../../terraform/", import.meta.url));

describe.skipIf(terraform === undefined)("the shipped modules", () => {
  test("are formatted as Terraform formats", async () => {
    const { stdout } = await execa(terraform?.path ?? "", ["fmt", "-check", "-recursive", "-diff", folder], {
      env: terraformEnvironment(process.env),
      extendEnv: false,
      reject: false,
    });
    expect(stdout).toBe("");
  });

  test("pin one version of each provider", async () => {
    for (const name of await readdir(`${folder}modules`)) {
      const versions = await readFile(`${folder}modules/${name}/versions.tf`, "utf8");
      expect(versions).toMatch(/source {2}= "hashicorp\/google"\n +version = "\d+\.\d+\.\d+"/);
    }
  });

  test.each(["cloudsql-postgres", "memorystore-redis"])("keep their promises: %s", async (name) => {
    await using stage = await setStage();
    const copy = join(stage.root, name);
    await cp(`${folder}modules/${name}`, copy, { recursive: true });
    const options = {
      cwd: copy,
      env: terraformEnvironment(process.env, stage.provider.environment),
      extendEnv: false,
      all: true,
      reject: false,
    } as const;
    const prepared = await execa(terraform?.path ?? "", ["init", "-backend=false", "-input=false"], options);
    expect(prepared.exitCode, prepared.all).toBe(0);
    const tested = await execa(terraform?.path ?? "", ["test", "-no-color"], options);
    expect(tested.exitCode, tested.all).toBe(0);
    expect(tested.all).toMatch(/Success! [1-9]\d* passed, 0 failed\./);
  });

  test.each(["sql", "redis"] as const)("are valid: %s", async (which) => {
    await using stage = await setStage();
    const workspace = await stage[which]();
    await workspace.prepare();
    const { stdout } = await execa(terraform?.path ?? "", ["validate", "-json"], {
      cwd: workspace.folder,
      env: { ...terraformEnvironment(process.env, stage.provider.environment), TF_DATA_DIR: ".terraform" },
      extendEnv: false,
      reject: false,
    });
    expect(JSON.parse(stdout)).toMatchObject({ valid: true, warning_count: 0, diagnostics: [] });
  });
});
