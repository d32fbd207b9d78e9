/**
 * Why a request to the cluster failed, as one closed union. Callers branch on `kind`, never on texts or
 * status codes.
 */
export type ClusterErrorKind =
  /** 404: no such object (or resource). */
  | "not-found"
  /** 409 `AlreadyExists`. */
  | "already-exists"
  /** 409 `Conflict`: a resourceVersion, UID or field-ownership precondition did not hold. */
  | "conflict"
  /** 410 `Expired` or `Gone`: list again. */
  | "expired"
  /** 400, 413, 415 or 422: the request itself is wrong. */
  | "invalid"
  /** 401: credentials are missing or have expired. */
  | "unauthenticated"
  /** 403 by RBAC, quota or admission policy. */
  | "forbidden"
  /** 429, or 5xx with `Retry-After`. */
  | "throttled"
  /** Other 5xx; and admission policies that lack what they judge by. */
  | "server"
  /** No answer: connection refused, reset, DNS, TLS, time-out. */
  | "unreachable";

/** One of the causes in a Status, for example of field `metadata.namespace` with reason `NamespaceTerminating`. */
export interface ErrorCause {
  readonly field: string;
  readonly message: string;
  /** Empty where the server gave none. */
  readonly reason?: string;
}

/** A failed request. `message` is the server's own text, cleaned of control characters. */
export class ClusterError extends Error {
  override readonly name = "ClusterError";
  readonly kind: ClusterErrorKind;
  /** HTTP status, or 0 where no answer came. */
  readonly status: number;
  /** Kubernetes' `reason`, for example `Conflict`; empty where the answer had none. */
  readonly reason: string;
  /** What was asked, for example `create deployments.apps app-demo/demo`. */
  readonly request: string;
  /** From `Retry-After`, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** `details.causes` of a Status: the fields the server complained about. */
  readonly causes: readonly ErrorCause[];

  constructor(
    kind: ClusterErrorKind,
    message: string,
    details: {
      readonly status?: number;
      readonly reason?: string;
      readonly request?: string;
      readonly retryAfterMs?: number | undefined;
      readonly causes?: readonly ErrorCause[];
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.status = details.status ?? 0;
    this.reason = details.reason ?? "";
    this.request = details.request ?? "";
    this.retryAfterMs = details.retryAfterMs;
    this.causes = details.causes ?? [];
  }
}

/** Whether `error` is a {@link ClusterError} of one of these kinds. */
export function isClusterError(error: unknown, ...kinds: readonly ClusterErrorKind[]): error is ClusterError {
  return error instanceof ClusterError && (kinds.length === 0 || kinds.includes(error.kind));
}
