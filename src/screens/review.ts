import type { StoreTerms } from "../provisioning/data-stores/terms.ts";
import type { Operation, PlannedStep } from "../provisioning/plan.ts";
import type { Effect } from "../provisioning/runs/effect.ts";
import { serviceText } from "../provisioning/runs/service-of-run.ts";
import type { PlanPreview } from "../state/stores.ts";
import { countEffects, effectNames } from "./effects.ts";
import { fieldChangeLines } from "./field-changes.ts";
import { clip, type Line, line, span, widthOf, wrap, wrapCommand } from "./line.ts";
import { termsBlock, termsText } from "./store-terms.ts";
import type { Glyphs, Tone } from "./theme.ts";

/** What a last page is drawn from. */
export interface ReviewView {
  readonly plan: PlanPreview;
  readonly command: string;
  readonly columns: number;
  readonly height: number;
  readonly glyphs: Glyphs;
}

/** The last page of a wizard or a form: the plan, what it makes, what to know, and the command that does the same. */
export function reviewLines(view: ReviewView, foot: readonly Line[] = []): readonly Line[] {
  const { plan, command, columns, height, glyphs } = view;
  const commandLines = wrapCommand(command, columns - 6).map((text) => line(`   ${text}`, "accent"));
  const tail = [...foot, [], line("   The same from a shell:", "dim"), ...commandLines];
  const room = height - tail.length;
  return [...body(plan, columns, room, glyphs).slice(0, room), ...tail];
}

function body(preview: PlanPreview, columns: number, room: number, glyphs: Glyphs): readonly Line[] {
  const { status, plan, problem = "", mend = "" } = preview;
  if (status === "refused") {
    return [
      line(`   ${glyphs.failed} This cannot be done.`, "bad"),
      [],
      ...wrap(problem, columns - 6, 4).map((text) => line(`   ${text}`)),
      ...wrap(mend, columns - 6, 3).map((text) => line(`   ${text}`, "dim")),
      [],
      line("   Nothing was written. shift-tab goes back.", "dim"),
    ];
  }
  if (status === "none") return [line("   The plan follows as soon as the cluster answers.", "dim")];
  if (plan === undefined)
    return [line(`   Making the plan${glyphs.ellipsis} nothing is written yet.`, "dim")];
  const { steps, operation } = plan;
  const { stores } = preview;
  const notes = steps.flatMap((step) => step.notes);
  const head =
    operation === "create"
      ? createHead(preview, columns)
      : changeHead(preview, columns, room - steps.length - 6, glyphs);
  const width = Math.min(28, Math.max(...steps.map(({ title }) => widthOf(title))));
  const noteRoom = Math.max(0, room - steps.length - head.length - 3);
  const shownNotes = notes.length > noteRoom ? notes.slice(0, Math.max(0, noteRoom - 1)) : notes;
  // What a small terminal has no room for was told where the data store was chosen, and is in --dry-run.
  const terms = stores.flatMap((store) => [...termsBlock(store, columns), []]);
  const gap: readonly Line[] = shownNotes.length === 0 ? [] : [[]];
  const fits = shownNotes.length + gap.length + terms.length - 1 <= noteRoom;
  return [
    line(`   enter ${verbOf(operation)} ${serviceText(plan)} in ${steps.length} steps:`, "strong"),
    ...head,
    [],
    ...steps.map((step) => stepLine(step, stores, width, columns, glyphs)),
    [],
    ...shownNotes.map((note) =>
      line(`   ${glyphs.warning} ${clip(note, columns - 6, glyphs.ellipsis)}`, "warn"),
    ),
    ...(shownNotes.length < notes.length
      ? [line(`   and ${notes.length - shownNotes.length} more notes: --dry-run shows all`, "dim")]
      : []),
    ...(fits && stores.length > 0 ? [...gap, ...terms.slice(0, -1)] : []),
  ];
}

/** What enter does, in the third person. */
function verbOf(operation: Operation): string {
  return {
    create: "creates",
    scale: "scales",
    deploy: "deploys",
    set: "changes",
    rollback: "takes back",
    delete: "deletes",
    cleanup: "cleans up",
    rotate: "gives new credentials",
    backup: "backs up",
    restore: "restores",
    provision: "provisions",
    import: "imports data into",
    install: "installs",
    uninstall: "uninstalls",
  }[operation];
}

function createHead({ plan }: PlanPreview, columns: number): readonly Line[] {
  const effects = (plan?.steps ?? []).flatMap((step) => step.effects.map(({ effect }) => effect));
  return wrap(countEffects(effects), columns - 6, 2).map((text) => line(`   ${text}`));
}

/** What differs field by field, then what is changed, made and deleted outside. */
function changeHead(
  { plan, diff }: PlanPreview,
  columns: number,
  room: number,
  glyphs: Glyphs,
): readonly Line[] {
  const effects = (plan?.steps ?? []).flatMap((step) => step.effects);
  const of = (title: string, action: "create" | "change" | "delete", tone: Tone): readonly Line[] => {
    const named = effects.filter((each) => each.action === action).map(({ effect }) => effect);
    const names = effectNames([...named.filter(weighs), ...named.filter((effect) => !weighs(effect))]);
    if (names === "") return [];
    return wrap(names, columns - 16, 2).map((text, index) => [
      span(`   ${(index === 0 ? title : "").padEnd(10)}`, tone),
      span(text),
    ]);
  };
  const objects = [
    ...of("Changes", "change", "dim"),
    ...of("Creates", "create", "good"),
    ...of("Deletes", "delete", "bad"),
  ];
  const fields =
    plan?.operation === "delete"
      ? []
      : fieldChangeLines(diff, { columns, most: Math.max(2, room - objects.length), glyphs });
  return [...(fields.length === 0 ? [] : [[], ...fields]), ...(objects.length === 0 ? [] : [[], ...objects])];
}

/** What a person must not miss among many: namespaces, and what holds data. */
function weighs(effect: Effect): boolean {
  return effect.kind !== "object" || /^(Namespace|StatefulSet|PersistentVolumeClaim)$/.test(effect.type);
}

function stepLine(
  step: PlannedStep,
  stores: readonly StoreTerms[],
  width: number,
  columns: number,
  glyphs: Glyphs,
): Line {
  const what = countEffects(step.effects.map(({ effect }) => effect));
  const made = stores.find(({ store }) => step.id === `provision_${store}`);
  const text =
    made !== undefined
      ? termsText(made)
      : what !== "nothing"
        ? what
        : step.id === "preflight" || step.id === "verify"
          ? "only looks"
          : "";
  return [
    span(`   ${glyphs.dot} `, "dim"),
    span(step.title.padEnd(width)),
    span(`   ${clip(text, columns - width - 10, glyphs.ellipsis)}`, "dim"),
  ];
}
