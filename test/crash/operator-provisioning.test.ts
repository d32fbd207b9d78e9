import pLimit from "p-limit";
import { describe, expect, onTestFinished, test } from "vitest";
import { conditionsOf } from "../../src/cluster/conditions.ts";
import { find } from "../../src/cluster/find.ts";
import { resources } from "../../src/cluster/resource.ts";
import { standardsObject } from "../../src/installation/objects.ts";
import { recordedStores } from "../../src/provisioning/data-stores/known-store.ts";
import { write } from "../../src/provisioning/engine/write.ts";
import { readRun } from "../../src/provisioning/runs/run-record.ts";
import { application, eventually, manage } from "../operator/stage.ts";
import { cloudStage, cloudStandards } from "../provisioning/cloud-stage.ts";
import { operating } from "../provisioning/operating.ts";
import { terraform } from "../terraform/stage.ts";
import { all } from "./crash-test.ts";
import { type KillPoint, Mortal } from "./mortal.ts";
import { sampleOf, seeded, seedOfRun } from "./random.ts";

const namespace = "shared";
const name = "ledger";
const standards = {
  ...cloudStandards,
  operator: { image: "registry.example.internal/platform/platform:1" },
};

/**
 * An Application that leaves it to the standards who runs its database, and an operator that dies at a write; another one
 * comes. What is wrong in the end, and the first one's writes.
 */
async function suffered(kill?: KillPoint) {
  await using stage = await cloudStage();
  const { cluster } = stage;
  const decided = standardsObject(standards);
  await write(cluster, decided, await find(cluster, resources.standards, { name: decided.metadata.name }));
  await manage(cluster, namespace, standards);
  const life = new Mortal(name, kill);
  const first = await operating(life.cluster(cluster), stage.made, {
    ...{ name: "one", applications: true },
    cloud: life.cloud(stage.stores),
  });
  const asked = application(namespace, name, { database: { type: "postgres" } });
  await cluster.create(resources.applications, asked);
  const isReady = async () => {
    const live = await cluster.get(resources.applications, { namespace, name });
    expect(conditionsOf(live).find(({ type }) => type === "Ready")).toMatchObject({ status: "True" });
  };
  const ready = () => eventually("it is Ready", isReady);
  // Which writes there are is not the same each time: one that does not come kills nobody.
  const died = await Promise.race([life.died.then(() => true), ready().then(() => false)]);
  const second = died
    ? await operating(cluster, stage.made, { name: "two", applications: true, cloud: stage.stores })
    : undefined;
  await ready();
  const { items } = await cluster.list(resources.runs, { namespace: "platform-system" });
  const phases = items.map(
    (item) => readRun({ ...item, apiVersion: "platform.company.com/v1", kind: "Run" }).state.phase,
  );
  const recorded = await recordedStores(cluster, namespace, [`${name}-db`]);
  const work = { run: "test", signal: AbortSignal.timeout(60_000), log: () => {} };
  const plans = await Promise.all(recorded.map((store) => stage.stores.compare(store, work)));
  const live = await cluster.get(resources.applications, { namespace, name });
  const problems = [
    ...(phases.join() === "Succeeded" ? [] : [`runs: ${phases.join()}`]),
    ...(stage.instances().length === 1 ? [] : [`instances: ${stage.instances().join()}`]),
    ...(recorded.length === 1 ? [] : [`${recorded.length} are recorded`]),
    ...(plans.some(({ changes }) => changes) ? ["not as planned"] : []),
    ...(JSON.stringify(live.spec).includes('"provider":"cloudsql"') ? [] : ["nobody chose a provider"]),
    ...(await stage.passwordsTold()),
  ];
  await second?.stop();
  // One that is dead in this process would wait for ever for what it has in hand.
  if (!died) await first.stop();
  return { writes: life.writes, died, problems };
}

/** Writes in which an Application whose data store a run makes differs from any other. */
const ofProvisioning = /runs|journal|cloudsql|(patch|status) applications|(secrets|configmaps) shared/;

describe.skipIf(terraform === undefined)("an operator that provisions for an applied Application", () => {
  test("dies at any write, and the next one asks for no second run and makes no second database", async () => {
    const seed = seedOfRun();
    const { writes, problems } = await suffered();
    expect(problems).toEqual([]);
    const points = writes
      .flatMap((names) => names.slice(0, 1))
      .filter((each) => ofProvisioning.test(each))
      .flatMap((each): readonly KillPoint[] => [
        { write: each, time: "before" },
        { write: each, time: "after" },
      ]);
    const isAsked = ({ write: each }: KillPoint) => each.startsWith("create runs");
    expect(points.filter(isAsked)).toHaveLength(2);
    const others = points.filter((point) => !isAsked(point));
    const chosen = [...points.filter(isAsked), ...(all ? others : sampleOf(others, 6, seeded(seed)))];
    onTestFinished(() =>
      console.log(`provisioning: ${chosen.length} of ${points.length} (PLATFORM_CRASH_SEED=${seed})`),
    );
    const limit = pLimit(4);
    const ends = await Promise.all(
      chosen.map((point) => limit(async () => ({ point, end: await suffered(point) }))),
    );
    expect(ends.filter(({ end }) => end.died).length).toBeGreaterThan(chosen.length / 2);
    const told = ends.map(({ point, end }) =>
      end.problems.map((each) => `${point.time} ${point.write}: ${each}`),
    );
    expect(told.flat(), `PLATFORM_CRASH_SEED=${seed}`).toEqual([]);
  });
});
