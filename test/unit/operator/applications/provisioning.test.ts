import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ProvisionRun } from "../../../../src/operator/applications/provision-runs.ts";
import { verdictOn } from "../../../../src/operator/applications/provisioning.ts";

const wanted = { uid: "u1", generation: 2, standards: "abc" };
const now = Date.parse("2026-01-05T10:00:00Z");
const minute = 60_000;

function run(over: Partial<ProvisionRun> = {}): ProvisionRun {
  return {
    name: "ledger-provision-aaaaa",
    application: "shop/ledger",
    phase: "Succeeded",
    message: "",
    ...wanted,
    finishedAt: now - 10 * minute,
    ...over,
  };
}

const phases = ["Pending", "Running", "RollingBack", "Held", "Interrupted", "RollbackFailed"];

describe("whether a run is asked for that makes data stores", () => {
  test("one is where there was none, or where what it was asked for has changed since", () => {
    expect(verdictOn([], wanted, now)).toEqual({ kind: "ask", attempt: 0 });
    const earlier = { generation: 1 };
    for (const phase of ["RolledBack", "Refused", "Succeeded"]) {
      expect(verdictOn([run({ phase, ...earlier })], wanted, now), phase).toEqual({
        kind: "ask",
        attempt: 0,
      });
    }
  });

  test("none is beside one that is not over, whatever it was asked for", () => {
    const any = fc.record({
      phase: fc.constantFrom(...phases),
      generation: fc.nat(3),
    });
    const older = fc.array(fc.constantFrom("Succeeded", "RolledBack", "Refused"));
    fc.assert(
      fc.property(any, older, (newest, others) => {
        const runs = [run({ ...newest, finishedAt: undefined }), ...others.map((phase) => run({ phase }))];
        expect(verdictOn(runs, wanted, now).kind).toBe("wait");
      }),
    );
  });

  test("what rests of an earlier Application of the name does not keep this one waiting; what is at work does", () => {
    const earlier = { uid: "u0", finishedAt: undefined };
    for (const phase of ["Held", "Interrupted", "RollbackFailed"]) {
      expect(verdictOn([run({ phase, ...earlier })], wanted, now), phase).toEqual({
        kind: "ask",
        attempt: 0,
      });
    }
    expect(verdictOn([run({ phase: "Running", ...earlier })], wanted, now).kind).toBe("wait");
  });

  test("what a person has rolled back is not begun again", () => {
    const verdict = verdictOn([run({ phase: "RolledBack", message: "Database: no room" })], wanted, now);
    expect(verdict).toMatchObject({
      kind: "wait",
      state: {
        state: "broken",
        reason: "ProvisioningRolledBack",
        message: expect.stringContaining("no room"),
      },
    });
  });

  test("a refusal is asked about again, each time after twice as long, and at least once an hour", () => {
    const refused = (finishedAt: number) => run({ phase: "Refused", finishedAt, message: "no project" });
    expect(verdictOn([refused(now - minute / 2)], wanted, now)).toMatchObject({
      kind: "wait",
      againMs: minute / 2,
      state: { reason: "ProvisioningRefused", message: "run ledger-provision-aaaaa was refused: no project" },
    });
    expect(verdictOn([refused(now - minute)], wanted, now)).toEqual({ kind: "ask", attempt: 1 });
    const twice = [refused(now - minute), refused(now - 2 * minute)];
    expect(verdictOn(twice, wanted, now)).toMatchObject({ kind: "wait", againMs: minute });
    const often = Array.from({ length: 40 }, () => refused(now - 60 * minute));
    expect(verdictOn(often, wanted, now)).toEqual({ kind: "ask", attempt: 40 });
  });

  test("a Secret that is gone long after its run succeeded is made again, one just made is looked for first", () => {
    expect(verdictOn([run({ finishedAt: now - 1_000 })], wanted, now)).toMatchObject({
      kind: "wait",
      state: { state: "progressing" },
    });
    expect(verdictOn([run()], wanted, now)).toEqual({ kind: "ask", attempt: 1 });
  });
});
