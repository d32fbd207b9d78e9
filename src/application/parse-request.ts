import type { Standards } from "../standards/standards.ts";
import type { Document, Position } from "./document.ts";
import { addressText, externalStoreSchema } from "./external-store.ts";
import { defaultTeam } from "./from-request.ts";
import { serviceNameProblem, suggestServiceName } from "./names.ts";
import { nearest } from "./nearest.ts";
import {
  type Checked,
  checkAddress,
  checkAlerts,
  checkChoice,
  checkOrigin,
  checkReplicas,
  checkSecretName,
  isScalar,
  shown,
  wrong,
} from "./parse-value.ts";
import { imagePattern } from "./patterns.ts";
import { type Problem, RefusedInput } from "./refusal.ts";
import {
  cacheTypes,
  databaseTypes,
  exposures,
  languages,
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

function checkName(value: unknown): Checked<string> {
  if (value === undefined) return wrong("a name is needed");
  if (!isScalar(value)) return wrong("must be text");
  const name = String(value);
  const problem = serviceNameProblem(name);
  return problem === undefined ? { value: name } : wrong(problem, suggestServiceName(name));
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
    return value === standards.images.starter ? { value } : checkOrigin(value, standards);
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
    databaseSecret: checkSecretName(given("databaseSecret")),
    databaseAddress: checkAddress(given("databaseAddress")),
    cacheSecret: checkSecretName(given("cacheSecret")),
    cacheAddress: checkAddress(given("cacheAddress")),
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
  for (const { field, message } of halfTold(given)) report(field, { message });
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

/** What is missing beside a Secret or an address of a data store that exists already. */
function halfTold(given: (field: string) => unknown): readonly Problem[] {
  return (["database", "cache"] as const).flatMap((store): readonly Problem[] => {
    const [secret, address] = [`${store}Secret`, `${store}Address`];
    const told = [secret, address].filter((field) => given(field) !== undefined);
    const [first] = told;
    if (first === undefined) return [];
    if (given(store) === undefined || given(store) === "none") {
      return [{ field: first, message: `is for a ${store}: say which kind it is` }];
    }
    if (told.length === 2) return [];
    return first === secret
      ? [{ field: address, message: "where is it? HOST:PORT is needed beside its Secret" }]
      : [{ field: secret, message: "which Secret has its credentials? it is needed beside its address" }];
  });
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
    databaseSecret: ["spec", "database", "external", "secret"],
    databaseAddress: ["spec", "database", "external", "host"],
    cacheSecret: ["spec", "cache", "external", "secret"],
    cacheAddress: ["spec", "cache", "external", "host"],
    alerts: ["spec", "monitoring", "alerts"],
  };
  return {
    values: {
      ...rest,
      name: isFields(value.metadata) ? value.metadata.name : undefined,
      database: isFields(database) ? database.type : database,
      cache: isFields(cache) ? cache.type : cache,
      ...externalFields("database", database),
      ...externalFields("cache", cache),
      alerts: isFields(monitoring) ? monitoring.alerts : monitoring,
      image: starter === true ? undefined : image,
    },
    positionOf: (field) => document.positionOf(paths[field] ?? ["spec", field]),
  };
}

/** What an Application's data store says of one that exists already, in a request's words. */
function externalFields(store: "database" | "cache", value: unknown): Fields {
  const external = isFields(value) ? value.external : undefined;
  if (external === undefined) return {};
  const { data } = externalStoreSchema.safeParse(external);
  const secret = isFields(external) ? external.secret : "";
  return {
    [`${store}Secret`]: secret ?? "",
    [`${store}Address`]: data === undefined ? "" : addressText(data),
  };
}
