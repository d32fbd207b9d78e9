import { isClusterError } from "../cluster/errors.ts";
import { cleanText } from "../cluster/text.ts";
import { type RunError, runErrorSchema } from "./runs/event.ts";
import type { RunName } from "./runs/run.ts";

/** Why a use case of runs was refused before anything was written. */
export type ProvisioningErrorKind =
  /** The request is wrong, or the service exists (or does not): exit code 2. */
  | "usage"
  /** The service is so already, there is nothing to change: exit code 0. */
  | "unchanged"
  /** The cluster lacks `platform install`, a StorageClass, an image: exit code 4. */
  | "refused"
  /** RBAC or credentials: exit code 4. */
  | "rights"
  /** Another engine executes the run: exit code 4. */
  | "busy"
  /** No answer from the cluster or the code host: exit code 5. */
  | "unreachable";

/** A refusal: nothing was written. `message` says what is the case, `mend` what to type or whom to ask. */
export class ProvisioningError extends Error {
  override readonly name = "ProvisioningError";
  readonly kind: ProvisioningErrorKind;
  readonly mend: string;

  constructor(kind: ProvisioningErrorKind, message: string, mend = "", cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.mend = mend;
  }
}

/** The refusal of what is asked of a service that does not exist. */
export function noSuchService(service: string): ProvisioningError {
  return new ProvisioningError(
    "usage",
    `there is no service ${service}`,
    "see them with: platform service list",
  );
}

/** Why a step failed, ready for a person; thrown by steps and the effect writer. */
export class StepError extends Error {
  override readonly name = "StepError";
  readonly class: RunError["class"];
  readonly mend: string;

  constructor(errorClass: RunError["class"], message: string, mend = "", cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.class = errorClass;
    this.mend = mend;
  }
}

/**
 * The journal cannot be written any more: another engine has taken the run (`lost-epoch`), the Run was deleted
 * (`gone`), this engine may not write it (`rights`), or the cluster does not answer (`unreachable`). The engine stops
 * and writes nothing more.
 */
export class JournalError extends Error {
  override readonly name = "JournalError";
  readonly kind: "lost-epoch" | "gone" | "rights" | "unreachable";
  readonly run: RunName;

  constructor(kind: JournalError["kind"], run: RunName, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.run = run;
  }
}

const longest = 2_000;

/** Cuts a text that goes into the journal; a Run is limited to about 1.5 MB. */
export function bounded(text: string, length = longest): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** Whether the text tells of a rule of the cluster, which rights would not lift. */
function isRule(message: string): boolean {
  return /(exceeded|failed) quota|denied (the )?request|violates PodSecurity|being terminated/i.test(message);
}

function refusedByRule(message: string): RunError {
  return { class: "refused", message, mend: "meet the rule the message names, then retry" };
}

/** Any error as the journal records it. Errors of other parts are recognised by their `class` and `mend`. */
export function toRunError(error: unknown): RunError {
  const message = bounded(cleanText(error instanceof Error ? error.message : String(error)));
  if (isClusterError(error)) {
    const asked = error.request === "" ? message : `${error.request}: ${message}`;
    switch (error.kind) {
      case "conflict":
      case "expired":
      case "throttled":
      case "server":
        return { class: "transient", message: asked, mend: "try again" };
      case "unreachable":
        return { class: "unreachable", message: asked, mend: "see that the cluster answers, then retry" };
      case "unauthenticated":
        return {
          class: "rights",
          message: asked,
          mend: "renew your credentials for this context, then retry",
        };
      case "forbidden":
        if (error.causes.some(({ reason }) => reason === "NamespaceTerminating")) {
          return {
            class: "refused",
            message: asked,
            mend: "somebody is deleting the namespace: roll the run back, then create the service again",
          };
        }
        return isRule(message)
          ? refusedByRule(asked)
          : {
              class: "rights",
              message: asked,
              mend: "ask a platform engineer for the right the message names, then retry",
            };
      case "invalid":
        // A policy of the cluster answers with 422 unless it says otherwise.
        if (isRule(message)) return refusedByRule(asked);
        // The object that was looked at is gone, and another has its name: the next try looks again.
        if (error.causes.some(({ field }) => field === "metadata.uid")) {
          return { class: "transient", message: asked, mend: "try again" };
        }
        return { class: "invalid", message: asked, mend: "mend what the message names, then retry" };
      case "already-exists":
        return { class: "conflict", message: asked, mend: "see whose it is; it was left as it is" };
      case "not-found":
        // Without a Status it is no object that is missing, but the API itself.
        return error.reason === ""
          ? { class: "refused", message: asked, mend: "have what serves this kind installed, then retry" }
          : {
              class: "refused",
              message: asked,
              mend: "somebody deleted it meanwhile: roll the run back, then create the service again",
            };
    }
  }
  if (error instanceof Error && "class" in error && "mend" in error) {
    const parsed = runErrorSchema.safeParse({ class: error.class, message, mend: error.mend });
    if (parsed.success) return parsed.data;
  }
  return {
    class: "internal",
    message,
    mend: "this is a defect of the platform: report it with the run's name",
  };
}
