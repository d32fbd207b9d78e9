import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { isKubeObject } from "../../../src/cluster/json.ts";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { isOver } from "../../../src/provisioning/engine/decide.ts";
import { eventVersion } from "../../../src/provisioning/runs/event.ts";
import { readRun } from "../../../src/provisioning/runs/run-record.ts";
import { reduce } from "../../../src/provisioning/runs/run-reducer.ts";
import { verbsOf } from "../../../src/provisioning/verbs/verbs.ts";
import { essence } from "../../provisioning/essence.ts";

/**
 * Runs as real engines recorded them, a folder a version of the events, each with what the program that wrote it
 * said of it. They are never changed: what was recorded once is readable for ever. `test/provisioning/record-journals.ts`
 * records those of a new version.
 */
const folder = new URL("../../journals/", import.meta.url);
const recordings = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".json"))
  .sort();

const recordingSchema = z.strictObject({
  run: z.custom<KubeObject>(isKubeObject),
  expected: z.looseObject({ phase: z.string(), steps: z.array(z.unknown()) }),
});

function recording(path: string) {
  return recordingSchema.parse(JSON.parse(readFileSync(new URL(path, folder), "utf8")));
}

test("every version of the events has recordings", () => {
  const versions = new Set(recordings.map((path) => path.split("/")[0]));
  expect([...versions].sort()).toEqual(Array.from({ length: eventVersion }, (_, index) => `v${index + 1}`));
});

test.each(recordings)("%s means today what it meant when it was recorded", (path) => {
  const { run, expected } = recording(path);
  const { state, events } = readRun(run);
  expect(essence(state)).toEqual(expected);
  // What has deleted data is done for good.
  if (!isOver(state)) expect(verbsOf(state)).not.toEqual([]);
  // Whoever takes it now finds every effect again.
  const taken = reduce(state, {
    type: "RunTaken",
    at: "2027-01-01T00:00:00.000Z",
    epoch: state.epoch + 1,
    holder: "eve@later:1",
    by: "eve",
  });
  expect(taken.steps.map(({ effects }) => effects)).toEqual(state.steps.map(({ effects }) => effects));
  expect(events.length === 0).toBe(state.phase === "Pending");
});
