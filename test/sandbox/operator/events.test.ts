import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { connect } from "../../../src/cluster/connect.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { systemTiming } from "../../../src/cluster/timing.ts";
import { EventRecorder, type Subject } from "../../../src/operator/applications/events.ts";
import { createLog } from "../../../src/operator/log.ts";
import { openSandbox } from "../../../src/sandbox/open.ts";
import type { Sandbox } from "../../../src/sandbox/sandbox.ts";

let folder = "";
let sandbox: Sandbox;
let cluster: Cluster;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "events-"));
  sandbox = await openSandbox({ folder });
  const { url, token, socketPath } = sandbox;
  cluster = await connect({ kind: "endpoint", url, token, socketPath, context: "sandbox", simulated: true });
});
afterAll(async () => {
  await cluster.close();
  await sandbox.close();
  await rm(folder, { recursive: true });
});

const about: Subject = {
  apiVersion: "platform.company.com/v1",
  kind: "Application",
  namespace: "default",
  name: "ledger",
  uid: "5c9d",
};

/** A process that tells the same things of the same Application. */
async function tell(identity: string): Promise<void> {
  const log = createLog(() => {}, { level: "error", now: () => new Date() });
  const events = new EventRecorder({ cluster, timing: systemTiming, log, identity });
  const { signal } = new AbortController();
  for (let again = 0; again < 3; again++) void events.record(about, "Normal", "Repaired", "Service", signal);
  for (let kind = 0; kind < 20; kind++)
    void events.record(about, "Warning", "Broken", `in way ${kind}`, signal);
  await events.settled();
}

test("a process says the same once and few things at all; what the next one says again is counted", async () => {
  const told = async () => {
    const { items } = await cluster.list(resources.events, { namespace: about.namespace });
    const ours = items.filter(({ metadata }) => metadata.name.startsWith(`${about.name}.`));
    return ours.map(({ count }) => count);
  };
  await tell("one");
  expect(await told()).toEqual(Array(10).fill(1));
  await tell("two");
  expect(await told()).toEqual(Array(10).fill(2));
});
