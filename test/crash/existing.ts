import { afterAll, beforeAll, describe } from "vitest";
import { all, crashTest, onSandbox } from "./crash-test.ts";
import type { Size, Subject } from "./operations.ts";
import { type Made, makeServices, perStage } from "./stage.ts";

/**
 * Operations that begin from the same services, because those take a while to make.
 * @param most - kill points of each, where not all are asked for
 */
export function onServices(size: Size, subjects: readonly Subject[], most?: number): void {
  describe(`services: ${size}`, () => {
    let made: Made;
    beforeAll(async () => {
      made = await makeServices(size, all ? perStage : most);
    });
    afterAll(() => made?.remove());
    for (const subject of subjects) {
      crashTest(
        subject,
        onSandbox(() => made),
        most,
      );
    }
  });
}
