import { describe, expect, test } from "vitest";
import { resources } from "../../../src/cluster/resource.ts";
import { operatorPresence } from "../../../src/provisioning/operator-presence.ts";
import type { RunEvent } from "../../../src/provisioning/runs/event.ts";
import { newEvents } from "../../../src/provisioning/runs/followed-run.ts";
import { memoryCluster } from "./memory-cluster.ts";

const line = (text: string): RunEvent => ({ type: "StepLogged", at: text, step: "verify", line: text });
const started = (attempt: number): RunEvent => ({
  type: "StepStarted",
  at: `${attempt}`,
  step: "verify",
  attempt,
});

describe("what is new in a journal", () => {
  test("everything after the last event that was told", () => {
    const before = [started(1), line("a")];
    expect(newEvents(before, [...before, line("b"), started(2)])).toEqual([line("b"), started(2)]);
    expect(newEvents([], before)).toEqual(before);
    expect(newEvents(before, before)).toEqual([]);
  });

  test("no step twice, where old log lines have left it meanwhile", () => {
    const before = [started(1), line("a")];
    expect(newEvents(before, [started(1), started(2), line("z")])).toEqual([started(2)]);
  });
});

describe("whether an operator lives", () => {
  const now = new Date("2026-11-23T05:00:00.000Z");
  const lease = (holderIdentity: string, renewTime: string) => ({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: "platform-operator", namespace: "platform-system" },
    spec: { holderIdentity, renewTime },
  });

  /** Its Lease as it is, and what happens to it while one looks. */
  async function presence(spec: readonly [string, string] | undefined, renewed?: string) {
    const cluster = memoryCluster();
    if (spec !== undefined) await cluster.create(resources.leases, lease(...spec));
    let looks = 0;
    const sleep = async () => {
      looks += 1;
      if (renewed === undefined || looks !== 3) return;
      const ref = { namespace: "platform-system", name: "platform-operator" };
      const { metadata } = await cluster.get(resources.leases, ref);
      await cluster.replace(resources.leases, { ...lease("one", renewed), metadata });
    };
    return { ...(await operatorPresence(cluster, { now: () => now, sleep })), looks };
  }

  test("it does, at once, where it renewed its Lease just now", async () => {
    const told = await presence(["one", "2026-11-23T04:59:58.000000Z"]);
    expect(told).toMatchObject({ alive: true, holder: "one", looks: 0 });
  });

  test("it does not, at once, where it has given its Lease back, or never was", async () => {
    expect(await presence(["", "2026-11-23T04:59:58.000000Z"])).toMatchObject({ alive: false, looks: 0 });
    expect(await presence(undefined)).toMatchObject({ alive: false, looks: 0 });
  });

  test("where clocks differ, it does as soon as it is seen to renew its Lease", async () => {
    const told = await presence(["one", "2026-11-23T04:58:00.000000Z"], "2026-11-23T04:58:02.000000Z");
    expect(told).toMatchObject({ alive: true, looks: 3 });
  });

  test("it does not where nobody is seen to, and it is told when it was last there", async () => {
    const told = await presence(["one", "2026-11-23T04:58:00.000000Z"]);
    expect(told).toMatchObject({ alive: false, renewedAt: "2026-11-23T04:58:00.000000Z" });
  });
});
