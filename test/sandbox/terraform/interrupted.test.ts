import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ensureDataStore, planOfDataStore } from "../../../src/terraform/data-store.ts";
import { holderFile } from "../../../src/terraform/holder-file.ts";
import { holdTheAnswer, killTerraform } from "../../terraform/interruption.ts";
import { database, password, type Stage, setStage, terraform } from "../../terraform/stage.ts";

const wanted = { variables: database(), hidden: { password } };

async function oneInstance(stage: Stage): Promise<void> {
  const creations = stage.provider.calls.filter(
    ({ action, type }) => action === "create" && type === "google_sql_database_instance",
  );
  expect([...stage.cloud.of("google_sql_database_instance").keys()]).toEqual(["demo-1"]);
  expect(creations.length).toBeLessThanOrEqual(2);
  expect(stage.provider.calls.filter(({ action }) => action === "delete")).toEqual([]);
  const sql = await stage.sql();
  expect(await planOfDataStore(sql, wanted)).toMatchObject({ changes: false, drift: [] });
}

describe.skipIf(terraform === undefined)("a database whose making is interrupted", () => {
  test("by who asked for it: Terraform ends in good order, and the next attempt goes on", async () => {
    await using stage = await setStage();
    const cancel = new AbortController();
    stage.meet(async (call, stopped) => {
      if (call.action !== "create" || call.type !== "google_sql_database_instance") return undefined;
      cancel.abort();
      // Until Terraform, asked once, asks its provider to stop.
      await new Promise<void>((resolve) =>
        stopped.addEventListener("abort", () => resolve(), { once: true }),
      );
      return undefined;
    });
    const sql = await stage.sql();
    await expect(ensureDataStore(sql, { ...wanted, signal: cancel.signal })).rejects.toMatchObject({
      problem: "interrupted",
      message: expect.stringContaining("ended in good order"),
    });
    // What it was at is done, and in the state.
    expect(await sql.contents()).toEqual(["google_sql_database_instance.this"]);
    stage.meet(undefined);
    await ensureDataStore(sql, wanted);
    await oneInstance(stage);
  });

  test("and that does not stop in time: it is left to finish, and waited for", async () => {
    await using stage = await setStage();
    const cancel = new AbortController();
    const { made, answer } = holdTheAnswer(stage);
    const sql = await stage.sql({ patience: 50 });
    const first = ensureDataStore(sql, { ...wanted, signal: cancel.signal });
    const refused = expect(first).rejects.toMatchObject({
      problem: "interrupted",
      message: expect.stringContaining("still works"),
      mend: expect.stringContaining("do not kill it"),
    });
    await made;
    cancel.abort();
    await refused;
    const next = ensureDataStore(await stage.sql(), wanted);
    answer();
    await next;
    await oneInstance(stage);
  });

  test("by the death of Terraform: what it made without saying so is found and taken over", async () => {
    await using stage = await setStage();
    const { made, answer } = holdTheAnswer(stage);
    const sql = await stage.sql();
    const first = expect(ensureDataStore(sql, wanted)).rejects.toMatchObject({
      problem: "died",
      class: "transient",
    });
    await made;
    const [holder] = await holderFile(sql.folder).read();
    expect(holder).toMatchObject({ run: "demo-create-1", operation: "the application of the plan" });
    await killTerraform(sql);
    await first;
    answer();
    expect(await sql.contents()).toEqual([]);
    await ensureDataStore(sql, wanted);
    await oneInstance(stage);
  });

  test("by the death of who started it: Terraform finishes alone, and the next one waits for it", async () => {
    await using stage = await setStage();
    const { made, answer } = holdTheAnswer(stage);
    const engine = spawn(
      process.execPath,
      [
        fileURLToPath(new URL("../../terraform/engine.ts", import.meta.url)),
        JSON.stringify({ root: stage.root, environment: stage.provider.environment }),
      ],
      { stdio: ["ignore", "inherit", "inherit"] },
    );
    await made;
    engine.kill("SIGKILL");
    await once(engine, "exit");
    const next = ensureDataStore(await stage.sql(), wanted);
    answer();
    await next;
    await oneInstance(stage);
    expect(
      stage.provider.calls.filter(
        ({ action, type }) => action === "create" && type === "google_sql_database_instance",
      ),
    ).toHaveLength(1);
  });
});
