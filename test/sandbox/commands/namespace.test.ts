import { expect, test } from "vitest";
import { commandsOnSandbox } from "./commands.ts";

test("a namespace is managed after a look, and managed no longer", async () => {
  const { run } = await commandsOnSandbox();
  const look = await run("namespace", "manage", "shop", "--dry-run", "-o", "json");
  expect(look.code, look.err).toBe(0);
  const { items, ...plan } = JSON.parse(look.out);
  expect(plan).toMatchObject({
    type: "namespace",
    name: "shop",
    team: "platform",
    tier: "standard",
    dryRun: true,
  });
  expect(items[0]).toEqual({ kind: "Namespace", name: "shop", outcome: "created" });
  expect(await run("namespace", "unmanage", "shop")).toMatchObject({ code: 2 });

  const managed = await run("namespace", "manage", "shop", "--tier", "production");
  expect(managed.code, managed.err).toBe(0);
  expect(managed.out).toContain("shop is managed, for team platform, tier production");
  const again = await run("namespace", "manage", "shop");
  expect(again.err).toContain("shop is managed as it should be: nothing was written");

  const gone = await run("namespace", "unmanage", "shop");
  expect(gone.code, gone.err).toBe(0);
  expect(await run("namespace", "unmanage", "shop")).toMatchObject({ code: 2 });
});

test("a service's own namespace changes its tier, and nothing else", async () => {
  const { run } = await commandsOnSandbox();
  const created = await run("service", "create", "ledger", "--language", "go");
  expect(created.code, created.err).toBe(0);
  const same = await run("namespace", "manage", "app-ledger");
  expect(same.err).toContain("app-ledger is managed as it should be: nothing was written");
  const look = await run("namespace", "manage", "app-ledger", "--tier", "production", "-o", "json");
  const changed = JSON.parse(look.out).items.filter(
    ({ outcome }: { readonly outcome: string }) => outcome !== "unchanged",
  );
  expect(changed.map(({ kind }: { readonly kind: string }) => kind)).toEqual(["Guardrails", "Namespace"]);
});

test("what cannot be managed is refused with the reason, and so is what the standards do not know", async () => {
  const { run } = await commandsOnSandbox();
  for (const [words, reason] of [
    [["kube-system"], "is a namespace of the system"],
    [["monitoring"], "is a namespace of the system"],
    [["app-shop"], "platform --sandbox service create shop"],
    [["No_Name"], "cannot be a namespace's name"],
    [["shop", "--team", "nobody"], "the standards know no team nobody"],
    [["shop", "--tier", "gold"], "the standards know no tier gold"],
  ] as const) {
    const refused = await run("namespace", "manage", ...words);
    expect(refused.code, words.join(" ")).toBe(2);
    expect(refused.err).toContain(reason);
  }
  expect(await run("namespace", "unmanage", "platform-system")).toMatchObject({ code: 2 });
});
