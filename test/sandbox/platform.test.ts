import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { resources } from "../../src/cluster/resource.ts";
import { connectCluster, type Where } from "../../src/connection.ts";
import { openPlatform } from "../../src/platform.ts";
import { openSandbox } from "../../src/sandbox/open.ts";

async function sandboxAt(): Promise<Where> {
  const state = await mkdtemp(join(tmpdir(), "platform-"));
  onTestFinished(() => rm(state, { recursive: true }));
  const folder = join(state, "sandbox");
  return {
    kind: "sandbox",
    access: {
      folder,
      repositories: join(state, "repositories"),
      open: (options) => openSandbox({ folder, ...options }),
      serve: () => Promise.reject(new Error("not served here")),
    },
  };
}

test("a first start of the sandbox that was cut off is finished by the next", async () => {
  const where = await sandboxAt();
  const first = await openPlatform(await connectCluster(where), where);
  onTestFinished(() => first.close());
  // As a kill between the CRDs and the standards leaves it.
  await first.cluster.delete(resources.standards, { name: "platform" });
  const second = await openPlatform(await connectCluster(where), where);
  onTestFinished(() => second.close());
  expect(second.standards).toEqual(first.standards);
});

test("several first starts at once do not get in each other's way", async () => {
  const where = await sandboxAt();
  const platforms = await Promise.all(
    Array.from({ length: 3 }, async () => openPlatform(await connectCluster(where), where)),
  );
  onTestFinished(async () => {
    await Promise.all(platforms.map((platform) => platform.close()));
  });
  for (const { provisioner } of platforms) expect(await provisioner.list()).toEqual([]);
});

test("requests come from whom the sandbox is told, as an API server has it of who impersonates", async () => {
  const where = await sandboxAt();
  if (where.kind !== "sandbox") throw new Error("not a sandbox");
  const connection = await connectCluster({ ...where, as: "system:serviceaccount:app-shop:pipeline" });
  onTestFinished(() => connection.close());
  expect(await connection.cluster.whoAmI()).toEqual({
    username: "system:serviceaccount:app-shop:pipeline",
    groups: ["system:serviceaccounts", "system:serviceaccounts:app-shop", "system:authenticated"],
  });
});
