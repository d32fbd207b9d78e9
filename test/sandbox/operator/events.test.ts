import { expect, test } from "vitest";
import { resources } from "../../../src/cluster/resource.ts";
import { systemTiming } from "../../../src/cluster/timing.ts";
import { EventRecorder, type Subject } from "../../../src/operator/applications/events.ts";
import { createLog } from "../../../src/operator/log.ts";
import { embedded } from "../embedded.ts";

const cluster = embedded();

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
  const events = new EventRecorder({ cluster: cluster(), timing: systemTiming, log, identity });
  const { signal } = new AbortController();
  for (let again = 0; again < 3; again++) void events.record(about, "Normal", "Repaired", "Service", signal);
  for (let kind = 0; kind < 20; kind++)
    void events.record(about, "Warning", "Broken", `in way ${kind}`, signal);
  await events.settled();
}

test("a process says the same once and few things at all; what the next one says again is counted", async () => {
  const told = async () => {
    const { items } = await cluster().list(resources.events, { namespace: about.namespace });
    const ours = items.filter(({ metadata }) => metadata.name.startsWith(`${about.name}.`));
    return ours.map(({ count }) => count);
  };
  await tell("one");
  expect(await told()).toEqual(Array(10).fill(1));
  await tell("two");
  expect(await told()).toEqual(Array(10).fill(2));
});
