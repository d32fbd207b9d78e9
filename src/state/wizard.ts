import { maxServiceNameLength, serviceNameProblem, suggestServiceName } from "../application/names.ts";
import {
  alertNames,
  cacheTypes,
  databaseTypes,
  exposures,
  languages,
  maxReplicas,
  type ServiceRequest,
  serviceRequestSchema,
} from "../application/request.ts";
import type { StoreOffers, StoreTerms } from "../provisioning/data-stores/terms.ts";
import type { Key } from "./key.ts";
import { emptyEntry, entryOf, press, type TextEntry } from "./text-entry.ts";

/** The wizard's questions, in the order they are asked; `team` only where the standards name several. */
export const questions = [
  "name",
  "team",
  "language",
  "replicas",
  "database",
  "cache",
  "exposure",
  "alerts",
  "review",
] as const;
export type Question = (typeof questions)[number];

/** Everything typed and chosen so far. Going back, leaving and coming back change none of it. */
export interface WizardState {
  readonly question: Question;
  /** Questions that were answered at least once. */
  readonly answered: ReadonlySet<Question>;
  readonly name: TextEntry;
  readonly team: string | undefined;
  readonly language: ServiceRequest["language"];
  readonly replicas: TextEntry;
  /** Whether the number is still the default: the first digit typed takes its place. */
  readonly replicasOffered: boolean;
  readonly database: ServiceRequest["database"];
  readonly cache: ServiceRequest["cache"];
  readonly exposure: ServiceRequest["exposure"];
  readonly alerts: readonly (typeof alertNames)[number][];
  /** Option that the cursor is on where several may be chosen. */
  readonly alertCursor: number;
}

/** What the answers are checked against. */
export interface WizardFacts {
  readonly teams: readonly string[];
  /** Names that services have already, as far as they are known here. */
  readonly services: ReadonlySet<string>;
  /** The data stores that the standards choose; undefined until they are known. */
  readonly offers?: StoreOffers | undefined;
}

export const newWizard: WizardState = {
  question: "name",
  answered: new Set(),
  name: emptyEntry,
  team: undefined,
  language: "go",
  replicas: entryOf("2"),
  replicasOffered: true,
  database: "none",
  cache: "none",
  exposure: "internal",
  alerts: alertNames,
  alertCursor: 0,
};

/** One answer a person can choose. */
export interface Option {
  readonly value: string;
  readonly label: string;
  readonly about: string;
}

const labelled = {
  go: ["Go", "net/http, distroless image, 12 MB"],
  typescript: ["TypeScript", "Node 24, types stripped, no bundler"],
  postgres: ["PostgreSQL", "a volume and credentials of its own, made once and never overwritten"],
  redis: ["Redis", "with a password, kept on a volume"],
  internal: ["internal", "other services in the cluster reach it, nobody else"],
  public: ["public", "a route, a certificate and a DNS name too"],
  "high-error-rate": ["high-error-rate", "more than 5 % of requests fail"],
  "high-latency": ["high-latency", "the 99th percentile is slow"],
} as const satisfies Record<string, readonly [label: string, about: string]>;

const without: Partial<Record<Question, string>> = {
  database: "the service keeps nothing",
  cache: "nothing is cached",
  exposure: "it takes no requests: a worker",
};

/** A choice of a data store with who will run it. */
function offered(option: Option, terms: StoreTerms | undefined): Option {
  return option.value === "none" || terms === undefined ? option : { ...option, about: terms.runs };
}

/** The answers of a question with choices; undefined where text is typed. */
export function optionsOf(question: Question, facts: WizardFacts): readonly Option[] | undefined {
  const named = (values: readonly (keyof typeof labelled | "none")[]): readonly Option[] =>
    values.map((value) =>
      value === "none"
        ? { value, label: "none", about: without[question] ?? "" }
        : { value, label: labelled[value][0], about: labelled[value][1] },
    );
  switch (question) {
    case "team":
      return facts.teams.map((value) => ({ value, label: value, about: "" }));
    case "language":
      return named(languages);
    case "database":
      return named(databaseTypes).map((option) => offered(option, facts.offers?.database));
    case "cache":
      return named(cacheTypes).map((option) => offered(option, facts.offers?.cache));
    case "exposure":
      return named(exposures);
    case "alerts":
      return named(alertNames);
    default:
      return undefined;
  }
}

/** The questions asked under these standards. */
export function questionsFor(facts: WizardFacts): readonly Question[] {
  return questions.filter((question) => question !== "team" || facts.teams.length > 1);
}

/** The answer as it stands in view: what was typed or the label chosen. */
export function answerOf(state: WizardState, question: Question, facts: WizardFacts): string {
  switch (question) {
    case "name":
      return state.name.text;
    case "replicas":
      return state.replicas.text;
    case "team":
      return state.team ?? facts.teams[0] ?? "";
    case "alerts":
      return state.alerts.length === 0 ? "none" : state.alerts.join(", ");
    case "review":
      return "";
    default:
      return optionsOf(question, facts)?.find(({ value }) => value === state[question])?.label ?? "";
  }
}

/** Index of the chosen option, or of the one under the cursor for `alerts`. */
export function chosenIndex(state: WizardState, question: Question, facts: WizardFacts): number {
  if (question === "alerts") return state.alertCursor;
  const value = question === "team" ? (state.team ?? facts.teams[0]) : chosenValue(state, question);
  return Math.max(0, optionsOf(question, facts)?.findIndex((option) => option.value === value) ?? 0);
}

function chosenValue(state: WizardState, question: Question): string {
  switch (question) {
    case "language":
    case "database":
    case "cache":
    case "exposure":
      return state[question];
    default:
      return "";
  }
}

/** What is wrong with an answer, and the mended one where there is one. */
export interface Problem {
  readonly text: string;
  readonly suggestion?: string;
}

/** Checks one answer, as it stands while it is being typed. */
export function problemOf(state: WizardState, question: Question, facts: WizardFacts): Problem | undefined {
  if (question === "name") return nameProblem(state.name.text, facts);
  if (question === "replicas") return replicasProblem(state.replicas.text);
  return undefined;
}

function nameProblem(name: string, facts: WizardFacts): Problem | undefined {
  const text = serviceNameProblem(name);
  if (text !== undefined) {
    const suggestion = suggestServiceName(name);
    return suggestion === undefined || serviceNameProblem(suggestion) !== undefined
      ? { text }
      : { text, suggestion };
  }
  if (!facts.services.has(name)) return undefined;
  const suggestion = freeName(name, facts.services);
  const taken = `a service named ${name} exists already`;
  return suggestion === undefined ? { text: taken } : { text: taken, suggestion };
}

function freeName(name: string, taken: ReadonlySet<string>): string | undefined {
  for (let number = 2; number < 100; number++) {
    const candidate = `${name.slice(0, maxServiceNameLength - 3)}-${number}`;
    if (!taken.has(candidate) && serviceNameProblem(candidate) === undefined) return candidate;
  }
  return undefined;
}

const numbers = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/** What is wrong with a number of replicas, as typed. */
export function replicasProblem(text: string): Problem | undefined {
  const range = `1 to ${maxReplicas}`;
  const trimmed = text.trim();
  const word = numbers.indexOf(trimmed.toLowerCase());
  if (word !== -1) return { text: `a number in digits, ${range}`, suggestion: String(word + 1) };
  if (!/^[-+]?[0-9]+([.,][0-9]+)?$/.test(trimmed)) return { text: `a number, ${range}` };
  const value = Number(trimmed.replace(",", "."));
  const mended = String(Math.max(1, Math.min(maxReplicas, Math.round(value))));
  if (!Number.isInteger(value)) return { text: `a whole number, ${range}`, suggestion: mended };
  if (value < 1) return { text: `at least 1: a service that runs nothing is not one`, suggestion: mended };
  if (value > maxReplicas) return { text: `at most ${maxReplicas}`, suggestion: mended };
  return trimmed === String(value) ? undefined : { text: "plain digits", suggestion: mended };
}

/** The first question whose answer is wrong. */
export function firstProblem(
  state: WizardState,
  facts: WizardFacts,
): { readonly question: Question; readonly problem: Problem } | undefined {
  for (const question of questionsFor(facts)) {
    const problem = problemOf(state, question, facts);
    if (problem !== undefined) return { question, problem };
  }
  return undefined;
}

/** The complete request; undefined while an answer is wrong. */
export function requestOf(state: WizardState, facts: WizardFacts): ServiceRequest | undefined {
  if (firstProblem(state, facts) !== undefined) return undefined;
  const parsed = serviceRequestSchema.safeParse({
    ...draftOf(state, facts),
    replicas: Number(state.replicas.text),
  });
  return parsed.success ? parsed.data : undefined;
}

/** The request as far as it goes, for the command shown while one types. */
export function draftOf(state: WizardState, facts: WizardFacts) {
  const team = state.team ?? facts.teams[0];
  return {
    name: state.name.text,
    ...(facts.teams.length > 1 && team !== undefined ? { team } : {}),
    language: state.language,
    replicas: state.replicas.text,
    database: state.database,
    cache: state.cache,
    exposure: state.exposure,
    alerts: [...state.alerts],
  };
}

/** The wizard after a key that edits the current answer; undefined where it does not. */
export function edit(state: WizardState, key: Key, facts: WizardFacts): WizardState | undefined {
  if (state.question === "name") {
    const name = press(state.name, key);
    return name === undefined ? undefined : { ...state, name };
  }
  if (state.question === "replicas") {
    const step = key.id === "up" ? 1 : key.id === "down" ? -1 : 0;
    if (step !== 0 && /^[0-9]+$/.test(state.replicas.text)) {
      const value = Math.max(1, Math.min(maxReplicas, Number(state.replicas.text) + step));
      return { ...state, replicas: entryOf(String(value)), replicasOffered: false };
    }
    const replaced = state.replicasOffered && key.text !== undefined;
    const replicas = press(replaced ? emptyEntry : state.replicas, key);
    return replicas === undefined ? undefined : { ...state, replicas, replicasOffered: false };
  }
  const options = optionsOf(state.question, facts);
  if (options === undefined) return undefined;
  const index = chosenIndex(state, state.question, facts);
  switch (key.id) {
    case "up":
    case "k":
      return choose(state, Math.max(0, index - 1), facts);
    case "down":
    case "j":
      return choose(state, Math.min(options.length - 1, index + 1), facts);
    case "space": {
      if (state.question !== "alerts") return undefined;
      const alert = alertNames[index];
      const on = alertNames.filter((each) => (each === alert) !== state.alerts.includes(each));
      return { ...state, alerts: on };
    }
    default: {
      const number = /^[1-9]$/.test(key.id) ? Number(key.id) - 1 : -1;
      return options[number] === undefined ? undefined : choose(state, number, facts);
    }
  }
}

function choose(state: WizardState, index: number, facts: WizardFacts): WizardState {
  switch (state.question) {
    case "team":
      return { ...state, team: facts.teams[index] };
    case "language":
      return { ...state, language: languages[index] ?? state.language };
    case "database":
      return { ...state, database: databaseTypes[index] ?? state.database };
    case "cache":
      return { ...state, cache: cacheTypes[index] ?? state.cache };
    case "exposure":
      return { ...state, exposure: exposures[index] ?? state.exposure };
    case "alerts":
      return { ...state, alertCursor: index };
    default:
      return state;
  }
}

/** On to the next question; the same state while the answer is wrong. */
export function next(state: WizardState, facts: WizardFacts): WizardState {
  if (problemOf(state, state.question, facts) !== undefined) return state;
  const asked = questionsFor(facts);
  const following = asked[asked.indexOf(state.question) + 1];
  if (following === undefined) return state;
  return { ...state, question: following, answered: new Set([...state.answered, state.question]) };
}

/** Back to the question before; the first one stays. */
export function back(state: WizardState, facts: WizardFacts): WizardState {
  const asked = questionsFor(facts);
  const previous = asked[asked.indexOf(state.question) - 1];
  return previous === undefined ? state : { ...state, question: previous };
}

/** Straight to the review, or to the first wrong answer. */
export function preview(state: WizardState, facts: WizardFacts): WizardState {
  const wrong = firstProblem(state, facts);
  return {
    ...state,
    question: wrong?.question ?? "review",
    answered: wrong === undefined ? new Set(questionsFor(facts)) : state.answered,
  };
}

/** Takes the suggested answer where there is one. */
export function takeSuggestion(state: WizardState, facts: WizardFacts): WizardState {
  const suggestion = problemOf(state, state.question, facts)?.suggestion;
  if (suggestion === undefined) return state;
  if (state.question === "name") return { ...state, name: entryOf(suggestion) };
  if (state.question === "replicas") return { ...state, replicas: entryOf(suggestion) };
  return state;
}

/** Whether anything of it is worth keeping as a draft. */
export function isTouched(state: WizardState): boolean {
  return state.name.text !== "" || state.answered.size > 0;
}
