import { afterAll, beforeAll, describe } from "vitest";
import { all, crashTest, onSandbox } from "./crash-test.ts";
import { deletion, deployment, rollback, type Size, type Subject, scaling, setting } from "./operations.ts";
import { type Made, makeServices } from "./stage.ts";

/** Operations that begin from the same services, because those take a while to make. */
function onServices(size: Size, subjects: readonly Subject[]): void {
  describe(`services with ${size}`, () => {
    let made: Made;
    beforeAll(async () => {
      made = await makeServices(size);
    });
    afterAll(() => made?.remove());
    for (const subject of subjects)
      crashTest(
        subject,
        onSandbox(() => made),
      );
  });
}

onServices("bare", [scaling, deployment]);
onServices("database", [rollback, deletion]);
if (all) onServices("all", [setting]);
