import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { cacheSecret, databaseSecret } from "../../src/application/credentials.ts";
import { desiredObjects } from "../../src/application/desired-objects.ts";
import { applicationFor } from "../../src/application/from-request.ts";
import { serviceRequestSchema } from "../../src/application/request.ts";
import { apply } from "../../src/cluster/cluster.ts";
import { resourceOf, resources } from "../../src/cluster/resource.ts";
import { systemTiming } from "../../src/cluster/timing.ts";
import { installDirectly } from "../../src/installation/directly.ts";
import { isInstalled } from "../../src/provisioning/installed.ts";
import { loadStandards, standardsHash } from "../../src/standards/load.ts";
import { sandboxStandards } from "../../src/standards/sandbox-standards.ts";
import { standardsName } from "../../src/standards/standards.ts";
import { embedded } from "./embedded.ts";

const cluster = embedded();

test("an installation on an empty sandbox gives the standards it was given, and a second one changes nothing", async () => {
  const standards = sandboxStandards();
  expect(await isInstalled(cluster())).toBe(false);
  await installDirectly(cluster(), { standards, clock: systemTiming });
  expect(await isInstalled(cluster(), { refresh: true })).toBe(true);
  const before = await cluster().get(resources.standards, { name: standardsName });
  await installDirectly(cluster(), { clock: systemTiming });
  expect(await cluster().get(resources.standards, { name: standardsName })).toEqual(before);
  expect(standardsHash(await loadStandards(cluster()))).toBe(standardsHash(standards));
});

test("standards may give up what they said before", async () => {
  const standards = sandboxStandards();
  const delivery = { host: "file:///srv/repositories" };
  await installDirectly(cluster(), { standards: { ...standards, delivery }, clock: systemTiming });
  expect((await loadStandards(cluster())).delivery).toEqual(delivery);
  await installDirectly(cluster(), { standards: { ...standards, delivery: {} }, clock: systemTiming });
  expect((await loadStandards(cluster())).delivery).toEqual({});
});

test("a service with everything is accepted and gets Ready, and written again nothing changes", async () => {
  const standards = sandboxStandards();
  const request = serviceRequestSchema.parse({
    name: "ledger",
    language: "go",
    replicas: 3,
    database: "postgres",
    cache: "redis",
    exposure: "public",
  });
  const application = applicationFor(request, standards);
  const { namespace, ...others } = desiredObjects(application, standards);
  const objects = [
    ...namespace,
    application,
    databaseSecret(application, "password"),
    cacheSecret(application, "password"),
    ...Object.values(others).flat(),
  ];
  const writeAll = async () => {
    const versions = new Map<string, string | undefined>();
    for (const object of objects) {
      const { metadata } = await apply(cluster(), resourceOf(object), object);
      versions.set(
        `${object.kind}/${metadata.name}`,
        metadata.generation === undefined ? "" : String(metadata.generation),
      );
    }
    return versions;
  };
  const first = await writeAll();
  const deadline = Date.now() + 30_000;
  const ready = async () => {
    const { items } = await cluster().list(resources.pods, { namespace: "app-ledger" });
    return items.filter(({ status }) => JSON.stringify(status).includes('"phase":"Running"')).length;
  };
  while ((await ready()) !== 5) {
    if (Date.now() > deadline) throw new Error(`${await ready()} of 5 pods run`);
    await setTimeout(20);
  }
  expect(await writeAll()).toEqual(first);
});
