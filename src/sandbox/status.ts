import type { JsonObject } from "./json.ts";

/** One entry of `details.causes`. */
export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

interface Details {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
}

/** What a failure is about: `deployments.apps "x"`. */
export interface Subject {
  readonly group: string;
  /** Plural as in the URL, or the kind for `Invalid`. */
  readonly plural: string;
  readonly name: string;
}

/** A refusal, as the Kubernetes Status that answers the request. */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  readonly code: number;
  readonly reason: string;
  readonly details: Details | undefined;

  constructor(code: number, reason: string, message: string, details?: Details) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  /** The body of the answer. */
  toStatus(): JsonObject {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: this.message,
      ...(this.reason === "" ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

/** `deployments.apps "x"`. */
export function qualified({ group, plural, name }: Subject): string {
  return `${group === "" ? plural : `${plural}.${group}`} "${name}"`;
}

const about = ({ group, plural, name }: Subject): Details => ({
  name,
  ...(group === "" ? {} : { group }),
  kind: plural,
});

export const failures = {
  badRequest: (message: string) => new ApiFailure(400, "BadRequest", message),
  unauthorized: () => new ApiFailure(401, "Unauthorized", "Unauthorized"),
  forbidden: (subject: Subject, message: string, causes?: readonly Cause[]) =>
    new ApiFailure(403, "Forbidden", `${qualified(subject)} is forbidden: ${message}`, {
      ...about(subject),
      ...(causes === undefined ? {} : { causes }),
    }),
  notFound: (subject: Subject) =>
    new ApiFailure(404, "NotFound", `${qualified(subject)} not found`, about(subject)),
  noSuchPath: () => new ApiFailure(404, "NotFound", "the server could not find the requested resource", {}),
  methodNotAllowed: () =>
    new ApiFailure(
      405,
      "MethodNotAllowed",
      "the server does not allow this method on the requested resource",
      {},
    ),
  alreadyExists: (subject: Subject) =>
    new ApiFailure(409, "AlreadyExists", `${qualified(subject)} already exists`, about(subject)),
  conflict: (subject: Subject, message: string) =>
    new ApiFailure(
      409,
      "Conflict",
      `Operation cannot be fulfilled on ${qualified(subject)}: ${message}`,
      about(subject),
    ),
  modified: (subject: Subject) =>
    failures.conflict(
      subject,
      "the object has been modified; please apply your changes to the latest version and try again",
    ),
  expired: (message: string) => new ApiFailure(410, "Expired", message),
  notAcceptable: () =>
    new ApiFailure(
      406,
      "NotAcceptable",
      "only the following media types are accepted: application/json, application/yaml",
    ),
  tooLarge: (message: string) => new ApiFailure(413, "RequestEntityTooLarge", message),
  unsupportedMediaType: (message: string) => new ApiFailure(415, "UnsupportedMediaType", message),
  /** `kind` is the object's kind, as the real server says it. */
  invalid: (group: string, kind: string, name: string, causes: readonly Cause[]) => {
    const texts = causes.map(({ field, message }) => (field ? `${field}: ${message}` : message));
    const text = texts.length === 1 ? texts.join("") : `[${texts.join(", ")}]`;
    return new ApiFailure(422, "Invalid", `${qualified({ group, plural: kind, name })} is invalid: ${text}`, {
      ...(name === "" ? {} : { name }),
      ...(group === "" ? {} : { group }),
      kind,
      causes,
    });
  },
  tooManyRequests: (message: string, causes: readonly Cause[]) =>
    new ApiFailure(429, "TooManyRequests", message, { causes }),
  internal: (message: string) => new ApiFailure(500, "InternalError", `Internal error occurred: ${message}`),
};

/** A value as the API server quotes it in `Invalid value: …`. */
export function shown(value: unknown): string {
  return value === undefined ? "null" : JSON.stringify(value);
}

/** Causes in the words of the API server's field errors. */
export const cause = {
  required: (field: string, detail = ""): Cause => ({
    reason: "FieldValueRequired",
    message: detail === "" ? "Required value" : `Required value: ${detail}`,
    field,
  }),
  invalid: (field: string, value: unknown, detail: string): Cause => ({
    reason: "FieldValueInvalid",
    message: `Invalid value: ${shown(value)}: ${detail}`,
    field,
  }),
  typeInvalid: (field: string, value: unknown, detail: string): Cause => ({
    reason: "FieldValueTypeInvalid",
    message: `Invalid value: ${shown(value)}: ${detail}`,
    field,
  }),
  unsupported: (field: string, value: unknown, supported: readonly unknown[]): Cause => ({
    reason: "FieldValueNotSupported",
    message: `Unsupported value: ${shown(value)}: supported values: ${supported.map(shown).join(", ")}`,
    field,
  }),
  forbidden: (field: string, detail: string): Cause => ({
    reason: "FieldValueForbidden",
    message: `Forbidden: ${detail}`,
    field,
  }),
  duplicate: (field: string, value: unknown): Cause => ({
    reason: "FieldValueDuplicate",
    message: `Duplicate value: ${shown(value)}`,
    field,
  }),
  tooLong: (field: string, maximum: number, unit = "bytes"): Cause => ({
    reason: "FieldValueTooLong",
    message: `Too long: may not be more than ${maximum} ${unit}`,
    field,
  }),
};
