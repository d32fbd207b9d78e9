import fc from "fast-check";
import { expect, test } from "vitest";
import type { ApplicationStatus } from "../../../../src/application/schema.ts";
import { applicationStatusSchema } from "../../../../src/application/schema.ts";
import type { PartState, partNames } from "../../../../src/operator/applications/part-state.ts";
import {
  conditionIn,
  type Findings,
  sameStatus,
  statusOf,
  statusPatch,
} from "../../../../src/operator/applications/status.ts";

const said = { reason: fc.constantFrom("RollingOut", "Conflict", "OOMKilled"), message: fc.string() };
const part: fc.Arbitrary<PartState> = fc.oneof(
  fc.constant<PartState>({ state: "notRequested" }),
  fc.record({ state: fc.constantFrom("ready", "progressing", "broken"), ...said }),
);
const findings: fc.Arbitrary<Findings> = fc.oneof(
  fc.record({ kind: fc.constant("unmade" as const), ...said }),
  fc.tuple(part, part, part, part, part).map(([workload, database, cache, monitoring, network]) => ({
    kind: "made" as const,
    parts: { workload, database, cache, monitoring, network },
    outcomes: [],
  })),
);
const early = { generation: 1, now: new Date("2026-01-01T00:00:00.123Z") };
const late = { generation: 1, now: new Date("2026-01-02T00:00:00.456Z") };

test("the same findings told twice are no news, whatever time it is", () => {
  fc.assert(
    fc.property(findings, findings, (before, now) => {
      const first = statusOf(now, statusOf(before, {}, early), early);
      expect(sameStatus(statusOf(now, first, late), first)).toBe(true);
    }),
  );
});

test("a condition's time moves when its status does, and only then", () => {
  fc.assert(
    fc.property(findings, findings, (before, after) => {
      const [one, other] = [statusOf(before, {}, early), statusOf(after, statusOf(before, {}, early), late)];
      for (const condition of other.conditions ?? []) {
        const earlier = conditionIn(one, condition.type);
        expect(condition.lastTransitionTime).toBe(
          earlier?.status === condition.status ? "2026-01-01T00:00:00Z" : "2026-01-02T00:00:00Z",
        );
      }
    }),
  );
});

test("every status is one that the API server takes, and always has the same conditions", () => {
  fc.assert(
    fc.property(findings, (found) => {
      const status = applicationStatusSchema.parse(statusOf(found, {}, early));
      expect(status.conditions?.map(({ type }) => type)).toEqual([
        ...["Ready", "Progressing", "Degraded", "WorkloadReady", "DatabaseReady", "CacheReady"],
        ...["MonitoringReady", "NetworkReady"],
      ]);
      expect(status.conditions?.every(({ reason }) => /^[A-Z][A-Za-z]*$/.test(reason))).toBe(true);
    }),
  );
});

test("Ready is True where every part is ready or not asked for, and names what is broken before what takes its time", () => {
  const of = (states: Partial<Record<(typeof partNames)[number], PartState>>) => {
    const none: PartState = { state: "notRequested" };
    const ready: PartState = { state: "ready", reason: "Ready", message: "" };
    const parts = {
      workload: ready,
      database: none,
      cache: none,
      monitoring: ready,
      network: ready,
      ...states,
    };
    return conditionIn(statusOf({ kind: "made", parts, outcomes: [] }, {}, early), "Ready");
  };
  const slow: PartState = { state: "progressing", reason: "RollingOut", message: "1 of 2 replicas ready" };
  const broken: PartState = { state: "broken", reason: "Conflict", message: "Service ledger …" };
  expect(of({})).toMatchObject({ status: "True", reason: "Ready" });
  expect(of({ workload: slow })).toMatchObject({ status: "False", reason: "RollingOut" });
  expect(of({ workload: slow, network: broken })).toMatchObject({ status: "False", reason: "Conflict" });
});

test("the patch takes out what is said no more", () => {
  const before: ApplicationStatus = { observedGeneration: 1, replicas: 2, conflicts: [] };
  expect(statusPatch(before, { observedGeneration: 2 })).toEqual({
    observedGeneration: 2,
    replicas: null,
    conflicts: null,
  });
});
