import { afterAll, beforeAll } from "vitest";
import { crashTest } from "./crash-test.ts";
import { deletion, deployment, rollback, scaling, setting } from "./operations.ts";
import { type Made, makeServices } from "./stage.ts";

let made: Made;
beforeAll(async () => {
  made = await makeServices();
});
afterAll(() => made?.remove());

// In one file, because they begin from the same services, which take a while to make.
for (const subject of [scaling, deployment, setting, rollback, deletion]) crashTest(subject, () => made);
