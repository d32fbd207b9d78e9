import { afterAll, beforeAll, describe } from "vitest";
import { all, crashTest, onSandbox } from "./crash-test.ts";
import type { Size, Subject } from "./operations.ts";
import { type Made, makeServices, perStage } from "./stage.ts";

/** An operation, and how many of its kill points where not all are asked for; left out: all of them. */
export interface Sampled {
  readonly subject: Subject;
  readonly most?: number;
}

/** Operations that begin from the same services, because those take a while to make. */
export function onServices(size: Size, subjects: readonly Sampled[]): void {
  describe(`services: ${size}`, () => {
    let made: Made;
    beforeAll(async () => {
      const most = Math.max(...subjects.map((sampled) => sampled.most ?? perStage));
      made = await makeServices(size, all ? perStage : Math.min(most, perStage));
    });
    afterAll(() => made?.remove());
    for (const { subject, most } of subjects) {
      crashTest(
        subject,
        onSandbox(() => made),
        most,
      );
    }
  });
}
