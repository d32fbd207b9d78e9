import { type Effect, effectLabel } from "../provisioning/runs/effect.ts";
import type { EffectState, RunState, StepState } from "../provisioning/runs/run.ts";
import { clip, type Line, line, span } from "./line.ts";
import { effectLook } from "./looks.ts";
import type { Glyphs } from "./theme.ts";

/** The effects of a step: what it made or found, and what became of it. */
export function effectLines(
  step: StepState | undefined,
  height: number,
  columns: number,
  glyphs: Glyphs,
): readonly Line[] {
  if (step === undefined) return [];
  const head = line(`   Effects of ${step.title}`, "strong");
  if (step.effects.length === 0) return [head, line("   none so far", "dim")];
  const room = Math.max(1, height - 1);
  const shown = step.effects.length > room ? step.effects.slice(0, room - 1) : step.effects;
  const lines = shown.map(({ effect, state, reason, before }): Line => {
    const look = effectLook(state);
    const where = effect.kind === "object" && effect.namespace !== undefined ? ` in ${effect.namespace}` : "";
    const why = reason === undefined || reason === "" ? "" : `, ${reason}`;
    return [
      span(`   ${glyphs[look.glyph]} `, look.tone),
      span(clip(effectLabel(effect), Math.max(10, columns - 40), glyphs.ellipsis)),
      span(`  ${look.word}${why}${where}${changed(state, before)}`, "dim"),
    ];
  });
  const missing = step.effects.length - shown.length;
  return missing === 0 ? [head, ...lines] : [head, ...lines, line(`   and ${missing} more`, "dim")];
}

/** What is known of an object that was there before. */
function changed(state: EffectState["state"], before: EffectState["before"]): string {
  if (before === undefined) return "";
  if (state === "restored") return ", as it was";
  return state === "changed" || state === "deleted" ? ", what was is recorded" : "";
}

/** What exists now by a run, in one line: `namespace app-ledger, 14 objects, 1 repository`. */
export function whatExists(state: RunState): string {
  const there = state.steps
    .flatMap(({ effects }) => effects)
    .filter(({ state: of }) => of === "created" || of === "changed" || of === "unknown" || of === "kept");
  return countEffects(there.map(({ effect }) => effect));
}

/** Effects by name: the first few, and how many more; empty where there are none. */
export function effectNames(effects: readonly Effect[]): string {
  const names = effects.map((effect) => effectLabel(effect));
  const shown = names.slice(0, 6).join(", ");
  return names.length <= 6 ? shown : `${shown} and ${names.length - 6} more`;
}

/** Effects in words, each thing counted once. */
export function countEffects(effects: readonly Effect[]): string {
  const namespaces: string[] = [];
  let objects = 0;
  let repositories = 0;
  let commits = 0;
  let dataStores = 0;
  for (const effect of effects) {
    if (effect.kind === "repository") repositories += 1;
    else if (effect.kind === "commit") commits += 1;
    else if (effect.kind === "workspace") dataStores += 1;
    else if (effect.type === "Namespace") namespaces.push(effect.name);
    else objects += 1;
  }
  const parts = [
    ...namespaces.map((name) => `namespace ${name}`),
    ...counted(objects, "object"),
    ...counted(dataStores, "data store"),
    ...counted(repositories, "repository", "repositories"),
    ...counted(commits, "commit"),
  ];
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

function counted(count: number, one: string, many = `${one}s`): string[] {
  return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
}
