import { z } from "zod";
import { ClusterError, type ClusterErrorKind } from "./errors.ts";
import { cleanText } from "./text.ts";

/** Kubernetes' `Status`, as far as this program reads it. Servers leave out any of it. */
const statusSchema = z.looseObject({
  kind: z.literal("Status"),
  message: z.string().catch(""),
  reason: z.string().catch(""),
  code: z.number().catch(0),
  details: z
    .looseObject({
      retryAfterSeconds: z.number().optional().catch(undefined),
      causes: z
        .array(
          z.looseObject({
            field: z.string().catch(""),
            message: z.string().catch(""),
            reason: z.string().catch(""),
          }),
        )
        .catch([]),
    })
    .partial()
    .catch({}),
});

/** Bodies longer than this are cut in messages: a proxy's HTML page helps nobody. */
const longestBody = 300;

function kindOf(status: number, reason: string, retryAfterMs: number | undefined): ClusterErrorKind {
  if (reason === "Expired" || reason === "Gone") return "expired";
  switch (status) {
    case 401:
      return "unauthenticated";
    case 403:
      return "forbidden";
    case 404:
      return "not-found";
    case 409:
      return reason === "AlreadyExists" ? "already-exists" : "conflict";
    case 410:
      return "expired";
    case 429:
      return "throttled";
  }
  if (status < 500) return "invalid";
  return retryAfterMs === undefined ? "server" : "throttled";
}

/** `Retry-After` in milliseconds; only the form in seconds is in use with Kubernetes. */
export function retryAfter(header: string | readonly string[] | undefined): number | undefined {
  const text = typeof header === "string" ? header : header?.[0];
  if (text === undefined || !/^\d{1,6}$/.test(text.trim())) return undefined;
  return Number(text) * 1000;
}

/**
 * Whether an admission policy could not be asked: what it takes as parameters was written a moment ago, and this API
 * server does not know of it yet (before Kubernetes 1.37), or is gone. That says nothing about the request.
 * https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/validating/dispatcher.go
 */
function notYetJudged(status: number, message: string): boolean {
  return (
    status >= 400 &&
    status < 500 &&
    /ValidatingAdmissionPolicy '[^']*'.* denied request: failed to configure (policy|binding): /.test(message)
  );
}

/**
 * The error for an answer that is none of 2xx, or for the `Status` a watch carries.
 * @param body - the parsed JSON, or the text where it is none
 */
export function failure(
  answer: {
    readonly status: number;
    readonly body: unknown;
    readonly retryAfterMs?: number | undefined;
  },
  request: string,
  context: string,
): ClusterError {
  const parsed = statusSchema.safeParse(answer.body);
  if (!parsed.success) {
    const text = typeof answer.body === "string" ? answer.body : (JSON.stringify(answer.body) ?? "");
    const cleaned = cleanText(text).slice(0, longestBody);
    return new ClusterError(
      kindOf(answer.status, "", answer.retryAfterMs),
      `${context} answered ${answer.status}${cleaned === "" ? "" : `: ${cleaned}`}`,
      { status: answer.status, request, retryAfterMs: answer.retryAfterMs },
    );
  }
  const { message, reason, code, details } = parsed.data;
  const status = answer.status >= 400 ? answer.status : code;
  const seconds = details.retryAfterSeconds;
  const retryAfterMs =
    answer.retryAfterMs ?? (seconds === undefined || seconds <= 0 ? undefined : seconds * 1000);
  // A field that the schema does not have is the caller's mistake, though apply answers it with 500.
  const unknownField = status === 500 && message.startsWith("failed to create typed patch object");
  const kind = unknownField
    ? "invalid"
    : notYetJudged(status, message)
      ? "server"
      : kindOf(status, reason, retryAfterMs);
  const text = cleanText(message, { lines: true }).trim() || `${context} answered ${status} ${reason}`;
  return new ClusterError(
    kind,
    kind === "unauthenticated"
      ? `the credentials of context ${cleanText(context)} are missing, wrong or expired (${text})`
      : text,
    {
      status,
      reason,
      request,
      retryAfterMs,
      causes: (details.causes ?? []).map((cause) => ({
        field: cleanText(cause.field),
        message: cleanText(cause.message),
        reason: cleanText(cause.reason),
      })),
    },
  );
}

/** Node's and undici's codes in words that say what to check. */
const causes: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused: nothing listens there",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was closed",
  UND_ERR_SOCKET: "the connection was closed",
  ENOTFOUND: "the host name is unknown",
  EAI_AGAIN: "the host name cannot be looked up just now",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
  ETIMEDOUT: "no connection in time",
  UND_ERR_CONNECT_TIMEOUT: "no connection in time",
  UND_ERR_HEADERS_TIMEOUT: "no answer in time",
  UND_ERR_BODY_TIMEOUT: "the answer stopped half-way",
  UND_ERR_DESTROYED: "this program has closed the connection",
  ERR_STREAM_PREMATURE_CLOSE: "the answer stopped half-way",
  ENOENT: "the socket does not exist: the server has stopped",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
  CERT_HAS_EXPIRED: "its certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is not signed by the kubeconfig's authority",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not signed by the kubeconfig's authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not signed by the kubeconfig's authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is not signed by the kubeconfig's authority",
};

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  return "cause" in error ? codeOf(error.cause) : "";
}

/** The error for a request that got no answer. `where` is the server's address without credentials. */
export function unreachable(error: unknown, where: string, request: string): ClusterError {
  const code = codeOf(error);
  const words =
    causes[code] ??
    (code.startsWith("ERR_OSSL_")
      ? `a certificate or key of the kubeconfig is not valid (${code})`
      : undefined) ??
    (cleanText(error instanceof Error ? error.message : String(error)) || "no answer");
  return new ClusterError("unreachable", `cannot reach ${where}: ${words}`, { request, cause: error });
}
