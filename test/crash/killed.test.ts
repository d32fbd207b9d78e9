import { afterAll, beforeAll, describe, test } from "vitest";
import { all, killProcesses } from "./crash-test.ts";
import type { Arena } from "./kills.ts";
import { creation, deletion, deployment, rollback } from "./operations.ts";
import { inProcesses } from "./processes.ts";
import { type Made, makeServices, withGround } from "./stage.ts";

/** Kills of each operation on what exists, where not all are asked for. */
const sampled = 4;

function onSandbox(made?: Made): Arena {
  return (work) => withGround(made, (ground) => work(inProcesses(ground)));
}

describe("the program, ended by SIGKILL at a request, and another one going on", () => {
  test("create, at every step's borders and elsewhere", async () => {
    await killProcesses(creation, { borders: "all", elsewhere: sampled }, onSandbox());
  });

  describe("on a service that exists", () => {
    let made: Made;
    beforeAll(async () => {
      made = await makeServices("database", all ? undefined : sampled);
    });
    afterAll(() => made?.remove());

    test.each([deployment, rollback, deletion])("$title, here and there", async (subject) => {
      await killProcesses(subject, { borders: sampled / 2, elsewhere: sampled / 2 }, onSandbox(made));
    });
  });
});
