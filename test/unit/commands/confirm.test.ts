import { expect, test } from "vitest";
import { confirmDestruction, confirmName } from "../../../src/commands/confirm.ts";
import { openSession } from "../../../src/commands/session.ts";
import { memoryTerminal, noSandbox } from "./memory-terminal.ts";

const answering = (stdin: string | undefined, interactive = true) =>
  openSession(
    memoryTerminal({ interactive, ...(stdin === undefined ? {} : { stdin }) }),
    { sandbox: true, debug: false, color: false },
    noSandbox,
  );

test("only the service's own name lets something be destroyed", async () => {
  await confirmName(answering("ledger\n"), "ledger", "delete ledger");
  await expect(confirmName(answering("y\n"), "ledger", "delete ledger")).rejects.toMatchObject({
    exitCode: 2,
    state: "Nothing was deleted.",
  });
  await expect(confirmName(answering(undefined), "ledger", "delete ledger")).rejects.toMatchObject({
    exitCode: 130,
  });
});

test("without a terminal nobody can be asked: --yes must say so", async () => {
  await expect(confirmName(answering("ledger\n", false), "ledger", "delete ledger")).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining("--yes"),
  });
});

test("--confirm NAME is an answer, --yes alone is none to what protects data, and another name is wrong", async () => {
  const session = answering(undefined, false);
  const destruction = { service: "ledger", deed: "delete", protectedStores: ["ledger-db"], asks: true };
  const answer = (yes: boolean, confirm?: string) =>
    confirmDestruction(session, { ...destruction, yes, confirm });
  expect(await answer(false, "ledger")).toEqual({ confirmed: "ledger" });
  await expect(answer(true, "ledgers")).rejects.toMatchObject({ exitCode: 2 });
  for (const yes of [true, false]) {
    await expect(answer(yes)).rejects.toMatchObject({
      exitCode: 2,
      next: expect.arrayContaining([expect.stringContaining("--confirm ledger")]),
    });
  }
  expect(await confirmDestruction(session, { ...destruction, protectedStores: [], yes: true })).toEqual({});
});
