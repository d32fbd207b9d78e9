/** Why a repository could not be read or written, in the terms in which a run's failures are told. */
export type DeliveryErrorClass =
  /** Worth retrying by itself: somebody else moved the branch. */
  | "transient"
  /** The host or the disk said no. */
  | "refused"
  /** Something that is not ours is in the way. */
  | "conflict"
  /** Credentials are missing, or lack a right. */
  | "rights"
  /** What was asked makes no sense: a URL of another host, no `git` on this machine. */
  | "invalid"
  | "unreachable"
  | "internal";

/** A failed operation on a repository. `message` says what happened, `mend` what a person can do; both are clean text. */
export class DeliveryError extends Error {
  override readonly name = "DeliveryError";
  readonly class: DeliveryErrorClass;
  readonly mend: string;

  constructor(errorClass: DeliveryErrorClass, message: string, mend: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.class = errorClass;
    this.mend = mend;
  }
}
