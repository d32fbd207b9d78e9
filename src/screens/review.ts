import type { PlannedStep } from "../provisioning/plan.ts";
import type { PlanPreview } from "../state/stores.ts";
import { countEffects } from "./effects.ts";
import { clip, type Line, line, span, widthOf, wrap } from "./line.ts";
import type { Glyphs } from "./theme.ts";

/** The wizard's last page: the plan, what it makes, what to know, and the command that does the same. */
export function reviewLines({
  plan,
  command,
  columns,
  height,
  glyphs,
}: {
  readonly plan: PlanPreview;
  readonly command: string;
  readonly columns: number;
  readonly height: number;
  readonly glyphs: Glyphs;
}): readonly Line[] {
  const commandLines = wrap(command, columns - 6, 3).map((text) => line(`   ${text}`, "accent"));
  const tail = [[], line("   The same from a shell:", "dim"), ...commandLines];
  const room = height - tail.length;
  return [...body(plan, columns, room, glyphs).slice(0, room), ...tail];
}

function body(plan: PlanPreview, columns: number, room: number, glyphs: Glyphs): readonly Line[] {
  if (plan.status === "refused") {
    return [
      line(`   ${glyphs.failed} This cannot be created.`, "bad"),
      [],
      ...wrap(plan.problem ?? "", columns - 6, 4).map((text) => line(`   ${text}`)),
      ...wrap(plan.mend ?? "", columns - 6, 3).map((text) => line(`   ${text}`, "dim")),
      [],
      line("   Nothing was written. shift-tab goes back.", "dim"),
    ];
  }
  if (plan.status === "none") {
    return [line("   The plan follows as soon as the cluster answers.", "dim")];
  }
  if (plan.plan === undefined)
    return [line(`   Making the plan${glyphs.ellipsis} nothing is written yet.`, "dim")];
  const { steps } = plan.plan;
  const notes = steps.flatMap((step) => step.notes);
  const width = Math.min(28, Math.max(...steps.map(({ title }) => widthOf(title))));
  const effects = steps.flatMap((step) => step.effects.map(({ effect }) => effect));
  const noteRoom = Math.max(0, room - steps.length - 5);
  const shownNotes = notes.length > noteRoom ? notes.slice(0, Math.max(0, noteRoom - 1)) : notes;
  return [
    line(`   enter creates ${plan.plan.service} in ${steps.length} steps:`, "strong"),
    ...wrap(countEffects(effects), columns - 6, 2).map((text) => line(`   ${text}`)),
    [],
    ...steps.map((step) => stepLine(step, width, columns, glyphs)),
    [],
    ...shownNotes.map((note) =>
      line(`   ${glyphs.warning} ${clip(note, columns - 6, glyphs.ellipsis)}`, "warn"),
    ),
    ...(shownNotes.length < notes.length
      ? [line(`   and ${notes.length - shownNotes.length} more notes: --dry-run shows all`, "dim")]
      : []),
  ];
}

function stepLine(step: PlannedStep, width: number, columns: number, glyphs: Glyphs): Line {
  const what = countEffects(step.effects.map(({ effect }) => effect));
  const text =
    what === "nothing" ? (step.id === "preflight" || step.id === "verify" ? "only looks" : "") : what;
  return [
    span(`   ${glyphs.dot} `, "dim"),
    span(step.title.padEnd(width)),
    span(`   ${clip(text, columns - width - 10, glyphs.ellipsis)}`, "dim"),
  ];
}
