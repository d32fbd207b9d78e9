import { cleanText } from "../cluster/text.ts";
import type { Standards } from "../standards/standards.ts";
import type { Document, Position } from "./document.ts";
import { defaultTeam } from "./from-request.ts";
import { serviceNameProblem, suggestServiceName } from "./names.ts";
import { nearest } from "./nearest.ts";
import { imagePattern } from "./patterns.ts";
import { type Problem, RefusedInput } from "./refusal.ts";
import {
  alertNames,
  cacheTypes,
  databaseTypes,
  exposures,
  languages,
  maxReplicas,
  type ServiceRequest,
  serviceRequestSchema,
} from "./request.ts";

/** A request as argv, a file or the wizard give it: text or data, unchecked, by field. What is undefined was not given. */
export type RawRequest = Readonly<Record<string, unknown>>;

export type ParsedRequest =
  | { readonly ok: true; readonly request: ServiceRequest & { readonly team: string } }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Where a field stood in a file. */
export type PositionOf = (field: string) => Position | undefined;

/** A field's value, or what is wrong with it; `undefined` where it was not given. */
type Checked<T> = { readonly value: T } | { readonly problem: Omit<Problem, "field"> } | undefined;

/** Text of a person as it may be shown back. */
function shown(value: unknown): string {
  const text = typeof value === "object" ? (JSON.stringify(value) ?? "") : String(value);
  const clean = cleanText(text);
  return clean.length > 60 ? `${clean.slice(0, 60)}…` : clean;
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function wrong(message: string, suggestion?: string): { readonly problem: Omit<Problem, "field"> } {
  return { problem: suggestion === undefined ? { message } : { message, suggestion } };
}

function checkName(value: unknown): Checked<string> {
  if (value === undefined) return wrong("a name is needed");
  if (!isScalar(value)) return wrong("must be text");
  const name = String(value);
  const problem = serviceNameProblem(name);
  return problem === undefined ? { value: name } : wrong(problem, suggestServiceName(name));
}

function checkChoice<T extends string>(what: string, allowed: readonly T[]): (value: unknown) => Checked<T> {
  return (value) => {
    if (value === undefined) return undefined;
    const found = allowed.find((choice) => choice === value);
    if (found !== undefined) return { value: found };
    const choices = allowed.join(", ");
    if (!isScalar(value) || value === "") return wrong(`a ${what} is needed: one of ${choices}`);
    return wrong(`unknown ${what} ${shown(value)}; allowed: ${choices}`, nearest(String(value), allowed));
  };
}

function checkReplicas(value: unknown): Checked<number> {
  if (value === undefined) return undefined;
  const range = `a whole number from 1 to ${maxReplicas}`;
  const given = typeof value === "string" ? value.trim() : value;
  if (given === "" || !isScalar(given)) return wrong(`must be ${range}`);
  // Not 03, which is octal elsewhere, nor 3e0, which is a slip of the fingers.
  const number =
    typeof given === "string" && !/^[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?$/.test(given)
      ? Number.NaN
      : Number(given);
  if (typeof given === "boolean" || !Number.isFinite(number))
    return wrong(`must be ${range}, not ${shown(value)}`);
  if (Number.isInteger(number) && number >= 1 && number <= maxReplicas) return { value: number };
  const nearby = Math.min(Math.max(Math.round(number), 1), maxReplicas);
  return wrong(`must be ${range}, not ${shown(value)}`, String(nearby));
}

function checkAlerts(value: unknown): Checked<ServiceRequest["alerts"]> {
  if (value === undefined) return undefined;
  const list: unknown[] = Array.isArray(value) ? value : isScalar(value) ? String(value).split(",") : [value];
  const words = list
    .map((word) => (typeof word === "string" ? word.trim() : word))
    .filter((word) => word !== "");
  if (words.length === 1 && words[0] === "none") return { value: [] };
  const check = checkChoice("alert", alertNames);
  const chosen = new Set<ServiceRequest["alerts"][number]>();
  for (const word of words) {
    const checked = check(word ?? "");
    if (checked === undefined) continue;
    if ("problem" in checked) return checked;
    chosen.add(checked.value);
  }
  return { value: alertNames.filter((alert) => chosen.has(alert)) };
}

/** Whether an image comes from the registry, or from below the path, that a prefix names. */
function comesFrom(image: string, prefix: string): boolean {
  const folder = prefix.endsWith("/") ? prefix : `${prefix}/`;
  return image.startsWith(folder);
}

function checkImage(standards: Standards): (value: unknown) => Checked<string> {
  return (value) => {
    if (value === undefined) {
      if (standards.images.starter !== undefined) return undefined;
      return wrong("an image is needed: the standards have no starter image (images.starter)");
    }
    if (typeof value !== "string" || value.length > 512 || !imagePattern.test(value)) {
      return wrong(
        `${value === "" ? "an empty text" : shown(value)} is not an image reference, such as registry.example.com/team/app:1.0`,
      );
    }
    const { registries, starter } = standards.images;
    if (
      value !== starter &&
      registries.length > 0 &&
      !registries.some((prefix) => comesFrom(value, prefix))
    ) {
      return wrong(`images come from ${registries.join(", ")} here, not ${shown(value)}`);
    }
    return { value };
  };
}

function checkTeam(standards: Standards): (value: unknown) => Checked<string> {
  return (value) => {
    const teams = Object.keys(standards.teams).sort();
    const only = defaultTeam(standards);
    if (value === undefined) {
      return only === undefined ? wrong(`a team is needed: one of ${teams.join(", ")}`) : { value: only };
    }
    return checkChoice("team", teams)(value);
  };
}

/**
 * Checks everything a person asked for at once, against what the platform offers and what the standards allow.
 * The team is filled in where the standards have only one.
 */
export function parseRequest(raw: RawRequest, standards: Standards, positionOf?: PositionOf): ParsedRequest {
  const given = (field: string) => raw[field] ?? undefined;
  const checked = {
    name: checkName(given("name")),
    team: checkTeam(standards)(given("team")),
    language:
      checkChoice("language", languages)(given("language")) ??
      wrong(`a language is needed: one of ${languages.join(", ")}`),
    replicas: checkReplicas(given("replicas")),
    database: checkChoice("database", databaseTypes)(given("database")),
    cache: checkChoice("cache", cacheTypes)(given("cache")),
    exposure: checkChoice("exposure", exposures)(given("exposure")),
    alerts: checkAlerts(given("alerts")),
    image: checkImage(standards)(given("image")),
  } satisfies Record<keyof ServiceRequest, Checked<unknown>>;
  const fields = Object.keys(checked);
  const problems: Problem[] = [];
  const report = (field: string, problem: Omit<Problem, "field">) =>
    problems.push({ field, ...problem, ...positionOf?.(field) });
  for (const [field, result] of Object.entries<Checked<unknown>>(checked)) {
    if (result !== undefined && "problem" in result) report(field, result.problem);
  }
  for (const field of Object.keys(raw)) {
    if (fields.includes(field) || raw[field] === undefined) continue;
    const suggestion = nearest(field, fields);
    report(shown(field), { message: "is not known", ...(suggestion === undefined ? {} : { suggestion }) });
  }
  if (problems.length > 0) return { ok: false, problems };
  const values = Object.fromEntries(
    Object.entries<Checked<unknown>>(checked).flatMap(([field, result]) =>
      result !== undefined && "value" in result ? [[field, result.value]] : [],
    ),
  );
  const parsed = serviceRequestSchema.safeParse(values);
  if (!parsed.success || parsed.data.team === undefined) {
    const issues = parsed.success ? [] : parsed.error.issues;
    return {
      ok: false,
      problems: issues.map(({ path, message }) => ({ field: path.map(String).join("."), message })),
    };
  }
  return { ok: true, request: { ...parsed.data, team: parsed.data.team } };
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A file's fields as a request's, with the path that each came from. */
export interface RequestDocument {
  readonly values: RawRequest;
  readonly positionOf: PositionOf;
}

/**
 * What a `-f` file asks for: the fields of a request, or an Application as `kubectl get -o yaml` prints it.
 * @throws RefusedInput where the file holds neither.
 */
export function requestOf(document: Document): RequestDocument {
  const { value, file } = document;
  if (!isFields(value)) {
    throw new RefusedInput(
      [{ field: "", message: "must be a map of fields such as name and language" }],
      file,
    );
  }
  if (value.kind === undefined) {
    return { values: value, positionOf: (field) => document.positionOf([field]) };
  }
  if (value.kind !== "Application") {
    throw new RefusedInput(
      [
        {
          field: "kind",
          message: `must be Application, not ${shown(value.kind)}`,
          ...document.positionOf(["kind"]),
        },
      ],
      file,
    );
  }
  return fromApplication(value, document);
}

function fromApplication(value: Fields, document: Document): RequestDocument {
  const spec = isFields(value.spec) ? value.spec : {};
  const { database, cache, monitoring, starter, image, ...rest } = spec;
  const paths: Readonly<Record<string, readonly string[]>> = {
    name: ["metadata", "name"],
    database: ["spec", "database", "type"],
    cache: ["spec", "cache", "type"],
    alerts: ["spec", "monitoring", "alerts"],
  };
  return {
    values: {
      ...rest,
      name: isFields(value.metadata) ? value.metadata.name : undefined,
      database: isFields(database) ? database.type : database,
      cache: isFields(cache) ? cache.type : cache,
      alerts: isFields(monitoring) ? monitoring.alerts : monitoring,
      image: starter === true ? undefined : image,
    },
    positionOf: (field) => document.positionOf(paths[field] ?? ["spec", field]),
  };
}
