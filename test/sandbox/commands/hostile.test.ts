import { readdir } from "node:fs/promises";
import type { Command } from "commander";
import { expect, test } from "vitest";
import { resources } from "../../../src/cluster/resource.ts";
import { commandTree } from "../../../src/commands/program.ts";
import { commandsOnSandbox } from "./commands.ts";

/** What somebody means to be code: of Terraform, SQL, a shell, psql, and YAML in a second line. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is what Terraform would evaluate
const hostile = "${1+1}'\"; DROP TABLE account; -- $(reboot) \\! reboot\nx: y";

/** Servers do not end; the sandbox's faults refuse what comes after, in whatever words; its hook takes what Git gives it. */
const apart = ["operator", "sandbox serve", "starter", "sandbox fault add", "sandbox pipeline"];

/** One place in a command line that takes a word. */
interface Slot {
  readonly told: string;
  readonly words: readonly string[];
}

/** What stands in the other places, so that the one is what is wrong. */
const usual: Readonly<Record<string, string>> = {
  "--replicas": "3",
  "--image": `registry.example.internal/shop@sha256:${"a".repeat(64)}`,
  "--from": "old-shop",
  "--key": "STRIPE_KEY",
  "--repository": "/nowhere",
  secret: "database",
  file: "platform.yaml",
};

/** Every option and argument of every command, with the text in it. */
function slotsOf(run: string): readonly Slot[] {
  const slots: Slot[] = [];
  const visit = (command: Command, path: readonly string[]) => {
    for (const child of command.commands) visit(child, [...path, child.name()]);
    if (command.commands.length > 0 || apart.includes(path.join(" "))) return;
    const value = (name: string) =>
      usual[name] ?? (name === "run" ? run : path.includes("secret") && name === "name" ? "stripe" : "shop");
    const needed = command.registeredArguments.filter(({ required }) => required).map((each) => each.name());
    const options = command.options.filter(({ required, optional }) => required || optional);
    const mandatory = options.filter((option) => option.mandatory).flatMap(({ long }) => long ?? []);
    const rest = command.options.some(({ long }) => long === "--yes") ? ["--yes"] : [];
    const told = path.join(" ");
    const filled = mandatory.flatMap((long) => [long, value(long)]);
    for (const [index, argument] of command.registeredArguments.entries()) {
      const words = needed.map(value);
      words[index] = hostile;
      slots.push({
        told: `${told} ${argument.name()}`,
        words: [...path, ...filled, ...rest, "--", ...words],
      });
    }
    for (const { long = "" } of options) {
      const others = mandatory.filter((each) => each !== long).flatMap((each) => [each, value(each)]);
      slots.push({
        told: `${told} ${long}`,
        words: [...path, ...others, ...rest, long, hostile, "--", ...needed.map(value)],
      });
    }
  };
  visit(
    commandTree((command) => command, "1"),
    [],
  );
  return slots;
}

test("text that is meant to be code is refused in every place of every command line, and reaches nothing", {
  timeout: 300_000,
}, async () => {
  const { run, given, cluster, repositories } = await commandsOnSandbox();
  const create = [
    "service",
    "create",
    "shop",
    "--language",
    "go",
    "--database",
    "postgres",
    "--cache",
    "redis",
  ];
  expect(await run(...create)).toMatchObject({ code: 0 });
  const [first] = (await cluster.list(resources.runs, {})).items;
  const slots = slotsOf(first?.metadata.name ?? "");
  expect(slots.length).toBeGreaterThan(120);
  const taken: string[] = [];
  for (const { told, words } of slots) {
    const { code } = await given("a value\n", ...words);
    expect(code, told).not.toBe(70);
    if (code === 0) taken.push(told);
  }
  expect(taken).toEqual([]);
  const { applications, configMaps, deployments, jobs, namespaces, networkPolicies, runs } = resources;
  const { secrets, standards, statefulSets } = resources;
  for (const resource of [
    ...[applications, configMaps, deployments, jobs, namespaces, networkPolicies, runs],
    ...[secrets, standards, statefulSets],
  ]) {
    const { items } = await cluster.list(resource, {});
    expect(JSON.stringify(items), resource.plural).not.toContain("DROP TABLE");
  }
  expect((await readdir(repositories, { recursive: true })).filter((name) => name.includes("DROP"))).toEqual(
    [],
  );
});
