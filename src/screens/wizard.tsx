import { wizardCommand } from "../state/equivalent-command.ts";
import { bodyLines } from "../state/lists.ts";
import type { PlanPreview } from "../state/stores.ts";
import {
  answerOf,
  chosenIndex,
  optionsOf,
  type Problem,
  problemOf,
  type Question,
  questionsFor,
  type WizardFacts,
  type WizardState,
} from "../state/wizard.ts";
import { useApp, useStored } from "./components/context.ts";
import { entrySpans, Frame } from "./components/frame.tsx";
import { Rows } from "./components/rows.tsx";
import { type Line, line, span, wrap } from "./line.ts";
import { reviewLines } from "./review.ts";
import { termsLines } from "./store-terms.ts";
import type { Glyphs } from "./theme.ts";

/** The wizard: one question at a time, everything answered so far in view. */
export function Wizard() {
  const { session, theme } = useApp();
  const ui = useStored((stores) => stores.ui);
  const plan = useStored((stores) => stores.plan);
  useStored(
    (stores) => stores.fleet,
    (state) => state.services,
  );
  useStored((stores) => stores.connection);
  const facts = session.facts();
  const { wizard } = ui;
  const asked = questionsFor(facts);
  const height = bodyLines(ui);
  const lines = wizardView({
    wizard,
    facts,
    plan,
    command: wizardCommand(session),
    columns: ui.columns,
    height,
    glyphs: theme.glyphs,
  });
  return (
    <Frame summary={[span(`${asked.indexOf(wizard.question) + 1} of ${asked.length}`, "dim")]}>
      <Rows height={height} lines={lines} />
    </Frame>
  );
}

const titles: Readonly<Record<Question, string>> = {
  name: "Name",
  team: "Team",
  language: "Language",
  replicas: "Replicas",
  database: "Database",
  cache: "Cache",
  exposure: "Exposure",
  alerts: "Alerts",
  review: "Review",
};

const explanations: Readonly<Record<Question, string>> = {
  name: "Lower-case letters, digits and hyphens. The service owns the namespace app-<name>.",
  team: "The team that owns it and may change it.",
  language: "A skeleton that builds, answers /healthz and /metrics, and has tests that pass.",
  replicas: "1 to 50. Three survive the loss of a node and a rollout at once.",
  database:
    "Comes with its credentials and a way opened to it; choose it to see its size, price and protection.",
  cache:
    "Comes with its credentials and a way opened to it; choose it to see its size, price and protection.",
  exposure: "Who reaches it. Everything else stays closed.",
  alerts: "space turns one on or off. They watch from the first deployment on.",
  review: "",
};

/** The body of the wizard. */
export function wizardView(view: {
  readonly wizard: WizardState;
  readonly facts: WizardFacts;
  readonly plan: PlanPreview;
  readonly command: string;
  readonly columns: number;
  readonly height: number;
  readonly glyphs: Glyphs;
}): readonly Line[] {
  const { wizard, facts, columns, glyphs, height } = view;
  if (wizard.question === "review") return reviewLines(view);
  const problem = problemOf(wizard, wizard.question, facts);
  const lines: Line[] = [];
  for (const question of questionsFor(facts)) {
    if (question === "review") continue;
    lines.push(questionLine(view, question, problem));
    if (question === wizard.question) lines.push(...optionLines(wizard, question, facts, glyphs));
  }
  lines.push([]);
  const telling = problemLines(wizard, problem, columns, glyphs);
  lines.push(...(telling.length > 0 ? telling : explanation(wizard, facts, columns)));
  lines.push([]);
  lines.push(...wrap(view.command, columns - 6, 3).map((text) => line(`   ${text}`, "accent")));
  return lines.slice(0, height);
}

/** What a question is about; where a data store is chosen, what the standards make of it. */
function explanation(
  { question, ...chosen }: WizardState,
  { offers }: WizardFacts,
  columns: number,
): readonly Line[] {
  const isStore = question === "database" || question === "cache";
  if (isStore && offers !== undefined && chosen[question] !== "none") {
    return termsLines(offers[question], columns);
  }
  return wrap(explanations[question], columns - 6, 2).map((text) => line(`   ${text}`, "dim"));
}

function questionLine(
  {
    wizard,
    facts,
    glyphs,
  }: { readonly wizard: WizardState; readonly facts: WizardFacts; readonly glyphs: Glyphs },
  question: Question,
  problem: Problem | undefined,
): Line {
  const current = question === wizard.question;
  const answered = wizard.answered.has(question);
  const typedHere = current && (question === "name" || question === "replicas");
  const bad = typedHere && problem !== undefined && (question !== "name" || wizard.name.text !== "");
  const answer = answerOf(wizard, question, facts);
  const value: Line = typedHere
    ? entrySpans(question === "name" ? wizard.name : wizard.replicas, true).map((each) =>
        bad && each.tone === "plain" ? span(each.text, "warn") : each,
      )
    : current
      ? []
      : [span(answer, answered ? "plain" : "dim")];
  const namespace =
    question === "name" && !bad && answer !== ""
      ? [span(`   app-${answer.replaceAll("\n", glyphs.newline)}`, "dim")]
      : [];
  return [
    span(current ? ` ${glyphs.bar} ` : "   ", "accent"),
    span(titles[question].padEnd(12), current ? "strong" : answered ? "plain" : "dim"),
    ...value,
    ...(problem === undefined || !typedHere ? namespace : []),
  ];
}

function optionLines(
  wizard: WizardState,
  question: Question,
  facts: WizardFacts,
  glyphs: Glyphs,
): readonly Line[] {
  const options = optionsOf(question, facts);
  if (options === undefined) return [];
  const marked = chosenIndex(wizard, question, facts);
  const width = Math.max(...options.map(({ label }) => label.length));
  const many = question === "alerts";
  return options.map(({ value, label, about }, index) => {
    const on = many ? wizard.alerts.some((alert) => alert === value) : index === marked;
    return [
      span(index === marked ? `      ${glyphs.bar} ` : "        ", "accent"),
      span(`${on ? glyphs.full : glyphs.empty} `, on ? "accent" : "dim"),
      span(label.padEnd(width), on ? "strong" : "plain"),
      span(about === "" ? "" : `   ${about}`, "dim"),
      ...(many ? [span(on ? "   on" : "   off", "dim")] : []),
    ];
  });
}

function problemLines(
  wizard: WizardState,
  problem: Problem | undefined,
  columns: number,
  glyphs: Glyphs,
): readonly Line[] {
  if (problem === undefined || (wizard.question === "name" && wizard.name.text === "")) return [];
  const said = wrap(problem.text, columns - 8, 2).map(
    (text, index): Line => [
      span(index === 0 ? `   ${glyphs.warning} ` : "     ", "warn"),
      span(text, "warn"),
    ],
  );
  if (problem.suggestion === undefined) return said;
  return [
    ...said,
    [span(`   ${glyphs.arrow} `, "dim"), span(problem.suggestion, "strong"), span("   tab takes it", "dim")],
  ];
}
