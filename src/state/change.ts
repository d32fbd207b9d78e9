import type { ApplicationSpec } from "../application/application.ts";
import { quantityPattern } from "../application/patterns.ts";
import { alertNames, cacheTypes, databaseTypes, maxReplicas } from "../application/request.ts";
import type { Key } from "./key.ts";
import { emptyEntry, entryOf, press, type TextEntry } from "./text-entry.ts";
import { type Problem, replicasProblem } from "./wizard.ts";

/** A change a person fills in a form for; a release rollback is one key and needs none. */
export type ChangeKind = "scale" | "deploy" | "set";

/** One line of the form. */
export type Field = {
  /** `replicas`, `image`, `requests.cpu`, `alert/high-latency`: unique in its form. */
  readonly id: string;
  readonly title: string;
  readonly about: string;
  /** What the service has now; empty where it has nothing of its own. */
  readonly was: string;
} & (
  | { readonly kind: "text"; readonly entry: TextEntry }
  | { readonly kind: "choice"; readonly value: string; readonly options: readonly string[] }
);

/** A change as far as it is filled in. */
export interface ChangeForm {
  readonly kind: ChangeKind;
  readonly service: string;
  readonly fields: readonly Field[];
  /** Index of the field that keys go to. */
  readonly cursor: number;
  /** Whether the value under the cursor is still the service's: the first character typed takes its place. */
  readonly offered: boolean;
  /** Whether the last page is shown: what differs, what is written, the command. */
  readonly review: boolean;
}

const text = (id: string, title: string, was: string, about: string): Field => ({
  id,
  title,
  about,
  was,
  kind: "text",
  entry: entryOf(was),
});

const choice = (
  id: string,
  title: string,
  was: string,
  options: readonly string[],
  about: string,
): Field => ({
  id,
  title,
  about,
  was,
  kind: "choice",
  value: was,
  options,
});

const amounts = [
  ["requests.cpu", "CPU set aside", "For each pod, in cores: 100m is a tenth of one."],
  ["requests.memory", "Memory set aside", "For each pod: 256Mi, 1Gi."],
  ["limits.cpu", "CPU at most", "More than this a pod is not given."],
  ["limits.memory", "Memory at most", "A pod that takes more is ended, and started again."],
] as const;

/** The form of a change, filled with what the service has now. */
export function formOf(kind: ChangeKind, service: string, spec: ApplicationSpec): ChangeForm {
  const empty = { kind, service, cursor: 0, offered: true, review: false };
  switch (kind) {
    case "scale":
      return {
        ...empty,
        fields: [
          text(
            "replicas",
            "Replicas",
            String(spec.replicas),
            `1 to ${maxReplicas}. Three survive the loss of a node and a rollout at once.`,
          ),
        ],
      };
    case "deploy":
      return {
        ...empty,
        fields: [
          text(
            "image",
            "Image",
            spec.image,
            "By its digest, NAME@sha256:…: a tag can be moved, a digest cannot.",
          ),
          text("commit", "Commit", "", "The commit the image was built from; may be left out."),
        ],
      };
    case "set":
      return {
        ...empty,
        fields: [
          ...amounts.map(([id, title, about]) => text(id, title, amountOf(spec, id), about)),
          ...alertNames.map((alert) =>
            choice(
              `alert/${alert}`,
              `Alert ${alert}`,
              spec.monitoring.alerts.includes(alert) ? "on" : "off",
              ["on", "off"],
              "space turns it on or off.",
            ),
          ),
          choice(
            "database",
            "Database",
            spec.database?.type ?? "none",
            databaseTypes,
            "space changes it. One that is taken away keeps its data, unless you say otherwise.",
          ),
          choice(
            "cache",
            "Cache",
            spec.cache?.type ?? "none",
            cacheTypes,
            "space changes it. One that is taken away keeps its data, unless you say otherwise.",
          ),
        ],
      };
  }
}

function amountOf({ resources }: ApplicationSpec, id: string): string {
  const [side = "", amount = ""] = id.split(".");
  if (resources === undefined) return "";
  const of = side === "requests" ? resources.requests : resources.limits;
  return amount === "cpu" ? of.cpu : of.memory;
}

/** What a field says now. */
export function fieldValue(field: Field): string {
  return field.kind === "text" ? field.entry.text.trim() : field.value;
}

/** Whether a field says something else than the service has. */
export function isChanged(field: Field): boolean {
  return fieldValue(field) !== field.was;
}

const commitPattern = /^[0-9a-f]{7,64}$/;
const digestPattern = /^[^\s@]+@sha256:[0-9a-f]{64}$/;

/** What is wrong with a field's value, as it stands while it is typed; a field left as it was is never wrong. */
export function fieldProblem(field: Field): Problem | undefined {
  const value = fieldValue(field);
  if (!isChanged(field)) return undefined;
  switch (field.id) {
    case "replicas":
      return replicasProblem(value);
    case "image":
      return digestPattern.test(value) ? undefined : { text: "an image by its digest: NAME@sha256:…" };
    case "commit":
      return commitPattern.test(value) ? undefined : { text: "a commit: 7 to 64 hexadecimal digits" };
    default:
      if (field.kind === "choice" || quantityPattern.test(value)) return undefined;
      return value === ""
        ? { text: "an amount cannot be taken away: give another" }
        : { text: "an amount as Kubernetes writes it: 100m, 256Mi" };
  }
}

/** Why the form cannot be gone on with, and in which field that is. */
export function formProblem(
  form: ChangeForm,
): { readonly text: string; readonly field: number; readonly suggestion?: string } | undefined {
  for (const [field, each] of form.fields.entries()) {
    const problem = fieldProblem(each);
    if (problem !== undefined) return { ...problem, text: `${each.title}: ${problem.text}`, field };
  }
  const image = form.fields.find(({ id }) => id === "image");
  const changed = image === undefined ? form.fields.some(isChanged) : isChanged(image);
  return changed ? undefined : { text: "nothing is changed yet", field: form.cursor };
}

/** The form after a key that edits it; undefined where the key does not. */
export function editForm(form: ChangeForm, key: Key): ChangeForm | undefined {
  const last = form.fields.length - 1;
  const field = form.fields[form.cursor];
  if (field === undefined || form.review) return undefined;
  const step = { up: -1, down: 1, "shift-tab": -1, tab: 1 }[key.id];
  const more = { up: 1, "+": 1, down: -1, "-": -1 }[key.id];
  if (field.id === "replicas" && more !== undefined) return withReplicas(form, more);
  if (step !== undefined && last > 0) {
    const cursor = Math.max(0, Math.min(last, form.cursor + step));
    return { ...form, cursor, offered: true };
  }
  if (field.kind === "choice") {
    const turn = { space: 1, right: 1, left: -1 }[key.id];
    // Letters typed where one chooses do nothing.
    if (turn === undefined) return key.text === undefined ? undefined : form;
    const { options } = field;
    const index = (options.indexOf(field.value) + turn + options.length) % options.length;
    return withField(form, { ...field, value: options[index] ?? field.value });
  }
  const replaced = form.offered && key.text !== undefined;
  const entry = press(replaced ? emptyEntry : field.entry, key);
  return entry === undefined ? undefined : { ...withField(form, { ...field, entry }), offered: false };
}

/** A form of a scale with so many replicas more. */
export function withReplicas(form: ChangeForm, step: number): ChangeForm {
  const field = form.fields[form.cursor];
  if (field?.kind !== "text" || !/^[0-9]+$/.test(field.entry.text)) return form;
  const value = Math.max(1, Math.min(maxReplicas, Number(field.entry.text) + step));
  return { ...withField(form, { ...field, entry: entryOf(String(value)) }), offered: false };
}

function withField(form: ChangeForm, field: Field): ChangeForm {
  return { ...form, fields: form.fields.map((each) => (each.id === field.id ? field : each)) };
}

/** The form with the suggested value of its field taken. */
export function takeFieldSuggestion(form: ChangeForm): ChangeForm {
  const field = form.fields[form.cursor];
  const suggestion = field === undefined ? undefined : fieldProblem(field)?.suggestion;
  if (field?.kind !== "text" || suggestion === undefined) return form;
  return { ...withField(form, { ...field, entry: entryOf(suggestion) }), offered: false };
}

/** The change a form asks for, still to be parsed at the border; undefined while something in it is wrong. */
export function draftOfForm(form: ChangeForm): Readonly<Record<string, unknown>> | undefined {
  if (formProblem(form) !== undefined) return undefined;
  const changed = new Map(form.fields.filter(isChanged).map((field) => [field.id, fieldValue(field)]));
  const given = (id: string) => changed.get(id);
  switch (form.kind) {
    case "scale":
      return { operation: "scale", replicas: Number(given("replicas")) };
    case "deploy":
      return { operation: "deploy", ...present({ image: given("image"), commit: given("commit") }) };
    case "set": {
      const side = (name: string) => present({ cpu: given(`${name}.cpu`), memory: given(`${name}.memory`) });
      const [requests, limits] = [side("requests"), side("limits")];
      return {
        operation: "set",
        ...(Object.keys(requests).length === 0 ? {} : { requests }),
        ...(Object.keys(limits).length === 0 ? {} : { limits }),
        ...present({ alerts: alertsOf(form), database: given("database"), cache: given("cache") }),
      };
    }
  }
}

/** The alerts the form asks for; undefined where it changes none. */
function alertsOf({ fields }: ChangeForm): readonly string[] | undefined {
  const alerts = fields.filter(({ id }) => id.startsWith("alert/"));
  if (!alerts.some(isChanged)) return undefined;
  return alerts.filter((field) => fieldValue(field) === "on").map(({ id }) => id.slice("alert/".length));
}

/** Whether a change takes a data store away: then it is asked what becomes of its data. */
export function takesDataStore({ fields }: ChangeForm): boolean {
  return fields.some(
    (field) => /^(database|cache)$/.test(field.id) && isChanged(field) && fieldValue(field) === "none",
  );
}

/** The words of the command that does the same. */
export function changeWords(form: ChangeForm, dataStores: string): readonly string[] {
  const words = ["service", form.kind, form.service];
  const given = (id: string) => {
    const field = form.fields.find((each) => each.id === id);
    return field !== undefined && isChanged(field) ? fieldValue(field) : undefined;
  };
  const flag = (name: string, value: string | undefined) => {
    if (value !== undefined) words.push(`--${name}`, value);
  };
  switch (form.kind) {
    case "scale":
      words.push("--replicas", given("replicas") ?? "N");
      break;
    case "deploy":
      words.push("--image", given("image") ?? "IMAGE");
      flag("commit", given("commit"));
      break;
    case "set":
      for (const side of ["requests", "limits"]) {
        const parts = ["cpu", "memory"].flatMap((amount) => {
          const value = given(`${side}.${amount}`);
          return value === undefined ? [] : [`${amount}=${value}`];
        });
        if (parts.length > 0) words.push(`--${side}`, parts.join(","));
      }
      flag("alerts", alertsOf(form)?.join(",").replace(/^$/, "none"));
      flag("database", given("database"));
      flag("cache", given("cache"));
      if (takesDataStore(form)) words.push("--data-stores", dataStores);
  }
  return words;
}

/** Without the keys whose value is undefined. */
function present(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
