import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { ensureDataStore, planOfDataStore } from "../../../src/terraform/data-store.ts";
import { terraformEnvironment } from "../../../src/terraform/environment.ts";
import { memorystoreAuth } from "../../../src/terraform/memorystore.ts";
import { cache, database, password, setStage, terraform, workspace } from "../../terraform/stage.ts";

const variables = database();
const secretForms = [password, Buffer.from(password).toString("base64")];

function holdsSecret(text: string): boolean {
  return secretForms.some((form) => text.includes(form));
}

/** Paths below a folder whose files hold the password. */
async function filesWithSecret(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && holdsSecret(await readFile(path, "latin1"))) found.push(path);
  }
  return found;
}

/** Arguments and environments of all processes of this machine that hold the password. */
async function processesWithSecret(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    for (const what of ["cmdline", "environ"]) {
      const text = await readFile(`/proc/${pid}/${what}`, "latin1").catch(() => "");
      if (holdsSecret(text)) found.push(`${pid} ${what}`);
    }
  }
  return found;
}

describe.skipIf(terraform === undefined)("the password of a database", () => {
  test("stands nowhere: no file, plan, state, output, event, error, argument or environment", async () => {
    await using stage = await setStage();
    const sql = await stage.sql();
    const told: string[] = [];
    const seen: string[] = [];
    let failed = false;
    stage.meet(async ({ rpc, type, action }) => {
      if (process.platform === "linux" && (rpc === "PlanResourceChange" || action === "create")) {
        seen.push(...(await processesWithSecret()), ...(await filesWithSecret(stage.root)));
      }
      if (failed || action !== "create" || type !== "google_sql_user") return undefined;
      failed = true;
      // A provider that tells what it was given.
      return { at: "before", message: `googleapi: Error 500: cannot set password ${password}` };
    });
    const options = {
      variables,
      hidden: { password },
      onEvent: (event: unknown) => void told.push(JSON.stringify(event)),
      review: async (plan: unknown) => {
        told.push(JSON.stringify(plan));
        const shown = await execa(terraform?.path ?? "", ["show", "-json", "next.tfplan"], {
          cwd: sql.folder,
          env: {
            ...terraformEnvironment(process.env, stage.provider.environment),
            TF_DATA_DIR: ".terraform",
          },
          extendEnv: false,
        });
        told.push(shown.stdout);
      },
    };
    const error = await ensureDataStore(sql, options).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: expect.stringContaining("cannot set password (hidden)") });
    told.push(String(error), JSON.stringify(error));
    told.push(JSON.stringify(await ensureDataStore(sql, options)));
    await planOfDataStore(sql, options);
    expect(stage.cloud.login("demo-1", "app_demo", password)).toBe(true);
    expect(told.filter(holdsSecret)).toEqual([]);
    expect(seen).toEqual([]);
    expect(await filesWithSecret(stage.root)).toEqual([]);
  });

  test("that Google makes for a cache is in the state alone", async () => {
    await using stage = await setStage();
    const redis = await stage.redis();
    const told: string[] = [];
    const options = {
      variables: cache(),
      onEvent: (event: unknown) => void told.push(JSON.stringify(event)),
    };
    told.push(JSON.stringify(await ensureDataStore(redis, options)));
    const auth = await redis.secret(memorystoreAuth.address, memorystoreAuth.attribute);
    expect(auth).toMatch(/^[0-9a-f]{36}$/);
    expect(told.filter((text) => text.includes(auth ?? ""))).toEqual([]);
    const holding: string[] = [];
    for (const entry of await readdir(stage.root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const text = await readFile(join(entry.parentPath, entry.name), "latin1");
      if (text.includes(auth ?? "")) holding.push(entry.name);
    }
    expect(holding).toEqual([`${workspace}.tfstate`]);
  });
});

const hostile = [
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what Terraform would evaluate
  "${1+1}",
  "%{ if true }x%{ endif }",
  `"quoted" 'twice'`,
  "'; DROP TABLE users; --",
  "line\nbreak",
];

describe.skipIf(terraform === undefined)("what somebody means to be code", () => {
  test("is taken literally as a user, a database and a password", async () => {
    await using stage = await setStage();
    const sql = await stage.sql();
    const text = hostile.join(" ").slice(0, 63);
    await ensureDataStore(sql, {
      variables: database({ user: text, database: text }),
      hidden: { password: hostile.join(" ") },
    });
    expect([...stage.cloud.of("google_sql_user").keys()]).toEqual([`demo-1/${text}`]);
    expect([...stage.cloud.of("google_sql_database").keys()]).toEqual([`demo-1/${text}`]);
    expect(stage.cloud.login("demo-1", text, hostile.join(" "))).toBe(true);
    expect(await sql.outputs()).toMatchObject({ username: text, database: text });
  });

  test.each(hostile)("is refused in every other field: %j", async (text) => {
    await using stage = await setStage();
    const labels = { [text]: "x", service: text };
    const common = { project: text, region: text, name: text, network: text };
    const cases = [
      {
        workspace: await stage.sql(),
        hidden: { password },
        // Each validation tells once; labels and their names have one together, as a clone's source and moment have.
        refused: 10,
        variables: {
          ...variables,
          ...common,
          ...{ tier: text, edition: text, database_version: text, labels },
          backups: { start_time: text },
          clone: { source_instance: text, point_in_time: "2026-01-02T03:04:05Z" },
        },
      },
      {
        workspace: await stage.redis({ name: "demo-0123456789-cache" }),
        refused: 6,
        variables: { ...cache(), ...common, redis_version: text, labels },
      },
    ];
    for (const { workspace, refused, ...input } of cases) {
      const errors: string[] = [];
      await workspace.prepare();
      await expect(
        workspace.plan(input, {
          onEvent: (event) => {
            if (event.type === "diagnostic") errors.push(event.summary);
          },
        }),
      ).rejects.toMatchObject({ problem: "invalid", class: "invalid" });
      expect(errors).toEqual(Array.from({ length: refused }, () => "Invalid value for variable"));
    }
    // What is a number, a choice or a moment.
    const sql = await stage.sql();
    for (const wrong of [
      { disk_gb: text },
      { highly_available: text },
      { final_backup_days: text },
      { password_version: text },
      { maintenance: { day: text } },
      { adopt: { user: text } },
      { clone: { source_instance: "demo-0", point_in_time: text } },
    ]) {
      const plan = sql.plan({ variables: { ...variables, ...wrong }, hidden: { password } });
      await expect(plan, JSON.stringify(wrong)).rejects.toMatchObject({ class: "invalid" });
    }
    expect(stage.cloud.resources.size).toBe(0);
  });
});
