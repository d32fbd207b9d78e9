import { expect, test } from "vitest";
import { ClusterError } from "../../../src/cluster/errors.ts";
import { failureOf } from "../../../src/commands/failure.ts";

const surroundings = {
  cluster: "prod",
  command: (...words: readonly string[]) => `platform ${words.join(" ")}`,
};
const forbidden = new ClusterError("forbidden", "runs is forbidden", { request: "create runs" });

test("who lacks a right is told whom to ask: the contact of the standards, else the cluster's administrators", () => {
  const contact = "#platform-help";
  expect(failureOf(forbidden, { ...surroundings, contact })).toMatchObject({
    exitCode: 4,
    next: ["ask #platform-help for that right"],
  });
  expect(failureOf(forbidden, surroundings)).toMatchObject({
    exitCode: 4,
    next: ["ask whoever administers prod for that right"],
  });
});
