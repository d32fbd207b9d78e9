import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { resources } from "../../../src/cluster/resource.ts";
import { externalValues, personsSecret } from "../../provisioning/external-secret.ts";
import { commandsOnSandbox } from "./commands.ts";

const create = ["service", "create", "shop", "--language", "go"];
const theirs = ["--database-secret", "their-login", "--database-address", "db.acme.example:5432"];

async function standardsFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "platform-standards-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "platform.yaml");
  await writeFile(
    file,
    `images: { starter: "registry.example.internal/platform/starter:0.1.0" }
dataStores: { external: { ranges: [10.30.0.0/16] } }
`,
  );
  return file;
}

test("what is wrong with flags of a database that exists already is told in their words, before a cluster is asked", async () => {
  const { run } = await commandsOnSandbox();
  const refused = async (words: readonly string[], problem: string) => {
    const { code, err } = await run(...words);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(problem) });
  };
  await refused([...create, ...theirs], "--database-secret: is for a database: say which kind it is");
  await refused(
    [...create, "--database", "postgres", "--database-secret", "their-login"],
    "--database-address: where is it?",
  );
  await refused(
    [...create, "--cache", "redis", "--cache-secret", "Their.Login", "--cache-address", "redis://x"],
    "--cache-secret: must be a Secret's name",
  );
  await refused(
    [...create, "--cache", "redis", "--cache-secret", "login", "--cache-address", "redis://x"],
    "--cache-address: must be HOST:PORT",
  );
});

test("a service gets a database that exists already, and its Secret is listed as somebody else's", async () => {
  const standards = await standardsFile();
  const { run, cluster } = await commandsOnSandbox();
  const made = await run("--standards", standards, ...create);
  expect(made, made.err).toMatchObject({ code: 0 });
  const set = ["--standards", standards, "service", "set", "shop", "--yes"];
  expect(await run(...set, ...theirs)).toMatchObject({
    code: 2,
    err: expect.stringContaining("say --database and its kind too"),
  });
  const values = externalValues("database");
  await cluster.create(resources.secrets, personsSecret("app-shop", "their-login", values));
  const added = await run(...set, "--database", "postgres", ...theirs);
  expect(added, added.err).toMatchObject({ code: 0 });
  expect(added.err).toContain("database.external.host");
  expect(added.out + added.err).not.toContain(values.password);

  const listed = await run("--standards", standards, "secret", "list", "shop");
  expect(listed.out).toMatch(/their-login +database \(external\) +– +\d+s +deployment\/shop/);
  const rotated = await run("--standards", standards, "secret", "rotate", "shop", "database", "--yes");
  expect(rotated).toMatchObject({
    code: 2,
    err: expect.stringContaining("service set shop --database-secret NAME"),
  });
  const ofDatabase = (...words: string[]) => run("--standards", standards, "database", ...words);
  expect(await ofDatabase("list", "shop")).toMatchObject({
    code: 0,
    err: "the database of shop is not the platform's: whoever runs it knows which backups there are\n",
  });
  expect(await ofDatabase("import", "shop", "--from", "their-login", "--confirm", "shop")).toMatchObject({
    code: 2,
    err: expect.stringContaining("the database of shop is not the platform's"),
  });
  const services = JSON.parse((await run("--standards", standards, "service", "list", "-o", "json")).out);
  expect(services.items).toEqual([expect.objectContaining({ database: { type: "postgres", ready: true } })]);

  const dropped = await run(...set, "--database", "none", "--data-stores", "delete");
  expect(dropped, dropped.err).toMatchObject({ code: 0 });
  expect(dropped.err).not.toContain("Last snapshot");
  const kept = await cluster.get(resources.secrets, { namespace: "app-shop", name: "their-login" });
  expect(kept.data).toEqual(personsSecret("app-shop", "their-login", values).data);
});
