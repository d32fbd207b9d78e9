import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  ownerOf,
  pushedHead,
  simulatedImage,
  simulationOf,
} from "../../../src/delivery/simulated-pipeline.ts";

const [before, after, none] = ["a", "b", "0"].map((digit) => digit.repeat(40));

test("only a new head of main is deployed", () => {
  expect(pushedHead(`${before} ${after} refs/heads/main\n`)).toBe(after);
  expect(pushedHead(`${none} ${before} refs/heads/x\n${before} ${after} refs/heads/main\n`)).toBe(after);
  expect(pushedHead(`${before} ${none} refs/heads/main\n`)).toBeUndefined();
  expect(pushedHead(`${before} ${after} refs/heads/main-2\n`)).toBeUndefined();
  expect(pushedHead(`${before} ${after} refs/tags/main\n`)).toBeUndefined();
  expect(pushedHead("")).toBeUndefined();
});

test("a digest follows from service and commit, a behaviour is the image's tag", () => {
  const owner = { team: "payments", service: "ledger" };
  const of = (hash: string, simulation = {}) => simulatedImage("r.example", owner, { hash, simulation });
  expect(of("b".repeat(40))).toMatch(/^r\.example\/payments\/ledger@sha256:[0-9a-f]{64}$/);
  expect(of("b".repeat(40))).toBe(of("b".repeat(40)));
  expect(of("b".repeat(40))).not.toBe(of("a".repeat(40)));
  expect(of("b".repeat(40), simulationOf("# not ready\n\nunready\n"))).toContain("/ledger:unready@sha256:");
});

test("a word that is not known is refused with the nearest", () => {
  expect(simulationOf("test-fails\noom\n")).toEqual({ fails: "test", image: "oom" });
  expect(() => simulationOf("unredy")).toThrow("did you mean unready?");
  expect(() => simulationOf("\u001b[2Jx")).toThrow(/unknown word [^\u001b]*$/);
});

test("a folder that is no service's repository below the root has no owner", async () => {
  const folder = await mkdtemp(join(tmpdir(), "owner-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const root = join(folder, "repositories");
  for (const path of ["payments/ledger.git", "payments/deep/ledger.git", "payments/Ledger.git"]) {
    await mkdir(join(root, path), { recursive: true });
  }
  await mkdir(join(folder, "other", "ledger.git"), { recursive: true });
  expect(await ownerOf(root, join(root, "payments", "ledger.git"))).toEqual({
    team: "payments",
    service: "ledger",
  });
  for (const path of ["payments/deep/ledger.git", "payments/Ledger.git", "payments", "../other/ledger.git"]) {
    await expect(ownerOf(root, join(root, path)), path).rejects.toThrow("no repository of the sandbox");
  }
});
