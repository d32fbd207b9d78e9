import type { StoreOffers } from "../provisioning/data-stores/terms.ts";
import {
  type ChangeForm,
  type Field,
  fieldProblem,
  fieldValue,
  formProblem,
  isChanged,
} from "../state/change.ts";
import { changeCommand } from "../state/equivalent-command.ts";
import { bodyLines } from "../state/lists.ts";
import type { Place } from "../state/place.ts";
import { asksAboutDataStores, nameToType } from "../state/reviews.ts";
import type { PlanPreview, Stores } from "../state/stores.ts";
import type { TextEntry } from "../state/text-entry.ts";
import { placeOf } from "../state/ui.ts";
import { useApp, useStored } from "./components/context.ts";
import { entrySpans, Frame, message } from "./components/frame.tsx";
import { Rows } from "./components/rows.tsx";
import { destruction } from "./destruction.ts";
import { clip, type Line, line, span, widthOf, wrap, wrapCommand } from "./line.ts";
import { reviewLines } from "./review.ts";
import { termsBlock } from "./store-terms.ts";
import type { Glyphs } from "./theme.ts";

/** The form of a change to a service, and its last page: what differs and what is written. */
export function Change({ place }: { readonly place: Place & { readonly screen: "change" } }) {
  const { session, theme } = useApp();
  const ui = useStored((stores) => stores.ui);
  const plan = useStored((stores) => stores.plan);
  const error = useStored(
    (stores) => stores.subject,
    (state) => (state.of === place.service ? state.error : undefined),
  );
  const { glyphs } = theme;
  const { change, columns } = ui;
  const offers = useStored(
    (stores) => stores.connection,
    (state) => state.offers,
  );
  const height = bodyLines(ui);
  const command = changeCommand(session);
  const lines = () => {
    if (error !== undefined) {
      return message(`${glyphs.failed} ${error}`, "Nothing was written. esc goes back.", columns);
    }
    if (change === undefined) return message(`Reading ${place.service}${glyphs.ellipsis}`);
    if (!change.review) return formLines({ form: change, offers, command, columns, height, glyphs });
    return reviewLines({ plan, command, columns, height, glyphs }, foot(session.stores, plan, glyphs));
  };
  const page = change?.review === true ? "2 of 2" : "1 of 2";
  return (
    <Frame summary={[span(page, "dim")]}>
      <Rows height={height} lines={lines()} />
    </Frame>
  );
}

/** What a deletion deletes and keeps, before anything is touched. */
export function Delete({ place }: { readonly place: Place & { readonly screen: "delete" } }) {
  const { session, theme } = useApp();
  const ui = useStored((stores) => stores.ui);
  const plan = useStored((stores) => stores.plan);
  const height = bodyLines(ui);
  const words = ["service", "delete", place.service, "--data-stores", ui.dataStores];
  const lines = reviewLines(
    { plan, command: session.commandLine(words), columns: ui.columns, height, glyphs: theme.glyphs },
    foot(session.stores, plan, theme.glyphs),
  );
  return (
    <Frame>
      <Rows height={height} lines={lines} />
    </Frame>
  );
}

/** What is still to be chosen or typed before enter does it. */
function foot(stores: Stores, plan: PlanPreview, glyphs: Glyphs): readonly Line[] {
  if (plan.status !== "ready") return [];
  const ui = stores.ui.getState();
  const name = nameToType(stores);
  const loses = ui.dataStores === "delete";
  const data: readonly Line[] = asksAboutDataStores(ui)
    ? [
        [],
        [
          span("   Data stores  ", "dim"),
          span(
            ui.dataStores === "delete" ? "delete them, with what is in them" : "keep them, and their data",
          ),
          span("   tab changes it", "dim"),
        ],
      ]
    : [];
  if (name === undefined) return data;
  const deed = placeOf(ui).screen === "delete" ? "delete it" : "go on";
  const { protectedStores } = plan;
  return [
    ...data,
    [],
    ...destruction({ name, deed, protectedStores, typed: ui.confirmation, glyphs, loses }),
  ];
}

/** The form: every field, what the service has now, and what is wrong or what the field is about. */
export function formLines({
  form,
  offers,
  command,
  columns,
  height,
  glyphs,
}: {
  readonly form: ChangeForm;
  /** The data stores that the standards choose; undefined until they are known. */
  readonly offers: StoreOffers | undefined;
  readonly command: string;
  readonly columns: number;
  readonly height: number;
  readonly glyphs: Glyphs;
}): readonly Line[] {
  const width = Math.max(...form.fields.map(({ title }) => widthOf(title)));
  const field = form.fields[form.cursor];
  const problem = field === undefined ? undefined : fieldProblem(field);
  const elsewhere = formProblem(form);
  const told: readonly Line[] =
    problem !== undefined
      ? wrap(problem.text, columns - 8, 2).map((text) => line(`   ${glyphs.warning} ${text}`, "warn"))
      : explanation(field, offers, columns);
  const suggestion: readonly Line[] =
    problem?.suggestion === undefined
      ? []
      : [
          [
            span(`   ${glyphs.arrow} `, "dim"),
            span(problem.suggestion, "strong"),
            span("   tab takes it", "dim"),
          ],
        ];
  const wrong: readonly Line[] =
    problem === undefined && elsewhere !== undefined && elsewhere.field !== form.cursor
      ? [line(`   ${glyphs.warning} ${elsewhere.text}`, "warn")]
      : [];
  return [
    ...form.fields.map((each, index) => fieldLine(each, index === form.cursor, width, columns, glyphs)),
    [],
    ...told,
    ...suggestion,
    ...wrong,
    [],
    ...wrapCommand(command, columns - 6).map((text) => line(`   ${text}`, "accent")),
  ].slice(0, height);
}

/** What a field is about; of a data store that the service would get, what the standards choose. */
function explanation(
  field: Field | undefined,
  offers: StoreOffers | undefined,
  columns: number,
): readonly Line[] {
  const store = field?.id === "database" || field?.id === "cache" ? field.id : undefined;
  if (store !== undefined && offers !== undefined && field?.was === "none" && fieldValue(field) !== "none") {
    return termsBlock(offers[store], columns);
  }
  return wrap(field?.about ?? "", columns - 6, 2).map((text) => line(`   ${text}`, "dim"));
}

/** A text entry in so many columns: the part with the cursor where not all of it fits. */
function entryIn(entry: TextEntry, room: number, glyphs: Glyphs): Line {
  const before = [...entry.text.slice(0, entry.cursor)];
  if (widthOf(entry.text) < room) return entrySpans(entry, true);
  const shown = before.slice(Math.max(0, before.length - room + 3)).join("");
  const lead = shown.length < entry.cursor ? [span(glyphs.ellipsis, "dim")] : [];
  const text = shown + entry.text.slice(entry.cursor);
  return [...lead, ...entrySpans({ text, cursor: shown.length }, true)];
}

function fieldLine(field: Field, current: boolean, width: number, columns: number, glyphs: Glyphs): Line {
  const bad = fieldProblem(field) !== undefined;
  const changed = isChanged(field);
  const tone = bad ? "warn" : changed ? "strong" : "plain";
  const said = fieldValue(field);
  const room = columns - width - 8;
  const value: Line =
    field.kind === "text" && current
      ? entryIn(field.entry, room, glyphs).map((each) =>
          bad && each.tone === "plain" ? span(each.text, "warn") : each,
        )
      : said !== ""
        ? [span(clip(said, room, glyphs.ellipsis), tone)]
        : [span(/^(requests|limits)\./.test(field.id) ? "as the standards say" : glyphs.none, "dim")];
  const was = field.was === "" ? "" : `   now ${field.was}`;
  const beside = width + 8 + widthOf(said) + widthOf(was) < columns;
  const turn = field.kind === "choice" && current ? "   space changes it" : "";
  return [
    span(current ? ` ${glyphs.bar} ` : "   ", "accent"),
    span(field.title.padEnd(width + 3), current ? "strong" : "plain"),
    ...value,
    span(changed && beside ? was : turn, "dim"),
  ];
}
