import { z } from "zod";
import { labels } from "../../src/application/names.ts";
import type { KubeObject } from "../../src/cluster/object.ts";
import { objectEffect } from "../../src/provisioning/objects/objects.ts";
import { effectKey } from "../../src/provisioning/runs/effect.ts";
import { readRun } from "../../src/provisioning/runs/run-record.ts";
import { inPlay } from "../../src/provisioning/runs/run-reducer.ts";
import { objectsOf, runsOf, type Survey } from "./survey.ts";

/** What `-o json` says of runs and services, as far as it is compared with the journal. */
export interface Told {
  readonly runs: readonly { readonly name: string; readonly phase: string }[];
  readonly services: readonly ToldService[];
}

const toldServiceSchema = z.looseObject({
  name: z.string(),
  verdict: z.string(),
  reason: z.string(),
  lastRun: z.looseObject({ name: z.string(), phase: z.string() }).optional(),
});
type ToldService = z.output<typeof toldServiceSchema>;

/** Reads `run list -o json` and `service list -o json`. */
export function toldBy(runs: string, services: string): Told {
  const items = <T extends z.ZodType>(item: T) => z.looseObject({ items: z.array(item) });
  return {
    runs: items(z.looseObject({ name: z.string(), phase: z.string() })).parse(JSON.parse(runs)).items,
    services: items(toldServiceSchema).parse(JSON.parse(services)).items,
  };
}

/** Where the journal of a service's runs contradicts the cluster, or what people are told contradicts the journal. */
export function contradictions(service: string, found: Survey, told: Told): readonly string[] {
  const runs = runsOf(service, found).map((object) => readRun(object).state);
  const objects = objectsOf(service, found).map(([, object]) => object);
  const effects = new Map(
    runs.flatMap((run) =>
      run.steps.flatMap((step) =>
        step.effects.map((effect) => [`${run.name} ${effectKey(effect.effect)}`, effect]),
      ),
    ),
  );
  const problems: string[] = [];

  for (const object of objects) {
    const maker = object.metadata.labels?.[labels.run];
    if (maker === undefined || isDependent(object)) continue;
    const key = `${maker} ${effectKey(objectEffect(object))}`;
    const effect = effects.get(key);
    if (effect === undefined) problems.push(`${key} is there, and its run never intended it`);
    else if (!inPlay(effect) && effect.state !== "kept" && effect.state !== "restored")
      problems.push(`${key} is there, and recorded ${effect.state}`);
  }

  const there = new Map(objects.map((object) => [effectKey(objectEffect(object)), object.metadata.uid]));
  for (const run of runs) {
    // What is being undone is taken away before it is said to be.
    if (run.rollback !== undefined) continue;
    const others = runs.filter(({ name }) => name !== run.name);
    for (const { effect, state, uid } of run.steps.flatMap((step) => step.effects)) {
      if (effect.kind !== "object" || state !== "created") continue;
      // What another run had a hand in is that run's to account for.
      if (others.some(({ name }) => effects.has(`${name} ${effectKey(effect)}`))) continue;
      const found = there.get(effectKey(effect));
      if (found === undefined) problems.push(`${run.name} recorded ${effectKey(effect)}, which is not there`);
      else if (uid !== undefined && found !== uid)
        problems.push(`${effectKey(effect)} is another than ${run.name} made`);
    }
  }

  for (const run of runs) {
    const shown = told.runs.find(({ name }) => name === run.name);
    if (shown?.phase !== run.phase)
      problems.push(`run list says ${shown?.phase} of ${run.name}, which is ${run.phase}`);
  }
  const row = told.services.find(({ name }) => name === service);
  const namespace = objects.find(({ kind }) => kind === "Namespace");
  if (namespace === undefined && row !== undefined)
    problems.push(`service list has ${service}, which is gone`);
  // One that was being deleted may have gone before the list was asked for.
  if (namespace !== undefined && namespace.metadata.deletionTimestamp === undefined && row === undefined)
    problems.push(`service list leaves ${service} out`);
  if (row?.lastRun !== undefined) {
    const run = runs.find(({ name }) => name === row.lastRun?.name);
    if (run?.phase !== row.lastRun.phase) {
      problems.push(`service list says ${row.lastRun.phase} of ${row.lastRun.name}, which is ${run?.phase}`);
    }
    const busy = run?.phase === "Running" || run?.phase === "RollingBack" || run?.phase === "Pending";
    if (busy && row.verdict === "healthy")
      problems.push(`service list calls ${service} healthy while ${run?.phase}`);
  }
  return problems.map((problem) => `${service}: ${problem}`);
}

/** Made by a controller for something that carries the label, not by a run. */
function isDependent({ metadata, kind }: KubeObject): boolean {
  return (metadata.ownerReferences ?? []).length > 0 || kind === "PersistentVolumeClaim";
}
