import type { LockInfo } from "./lock.ts";

/** What went wrong with Terraform, as one closed union. Callers branch on it, never on texts. */
export type TerraformProblem =
  /** No such program on this machine, or one too old. */
  | "no-terraform"
  /** Somebody else holds the state's lock. */
  | "locked"
  /** The plan is not of this state any more: plan again. */
  | "stale-plan"
  /** The file of the plan is not the one that was shown. */
  | "other-plan"
  /** The plan would destroy or replace data, and nobody has said that it may. */
  | "data-loss"
  /** What is to be made is there already, perhaps from an interrupted run. */
  | "exists"
  /** What is to be taken over is not there. */
  | "missing"
  /** The cloud's own protection stands against a deletion. */
  | "protected"
  | "quota"
  | "credentials"
  | "unreachable"
  /** The configuration, or a value in it, is wrong. */
  | "invalid"
  /** Terraform was asked to stop, and did; or it has not yet. */
  | "interrupted"
  /** Terraform ended without a word: it was killed, or it crashed. */
  | "died"
  /** Anything else that the provider told of. */
  | "provider";

/** Why it matters, in the terms in which a run's failures are told and retried. */
export type TerraformErrorClass =
  | "transient"
  | "refused"
  | "conflict"
  | "rights"
  | "invalid"
  | "unreachable"
  | "internal";

const classes: Readonly<Record<TerraformProblem, TerraformErrorClass>> = {
  "no-terraform": "invalid",
  locked: "transient",
  "stale-plan": "transient",
  "other-plan": "refused",
  "data-loss": "refused",
  exists: "conflict",
  missing: "refused",
  protected: "refused",
  quota: "refused",
  credentials: "rights",
  unreachable: "unreachable",
  invalid: "invalid",
  interrupted: "transient",
  died: "transient",
  provider: "refused",
};

/** A failure of Terraform. `message` says what happened and what state things are in, `mend` what to do; both are clean text without secrets. */
export class TerraformError extends Error {
  override readonly name = "TerraformError";
  readonly problem: TerraformProblem;
  readonly class: TerraformErrorClass;
  readonly mend: string;
  /** For `locked`: by whom. */
  readonly lock: LockInfo | undefined;
  /** The resource it is about, for example `google_sql_user.this`. */
  readonly address: string | undefined;

  constructor(
    problem: TerraformProblem,
    message: string,
    mend: string,
    more: {
      readonly class?: TerraformErrorClass;
      readonly lock?: LockInfo | undefined;
      readonly address?: string | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.problem = problem;
    this.class = more.class ?? classes[problem];
    this.mend = mend;
    this.lock = more.lock;
    this.address = more.address;
  }
}

/** Whether `error` is a {@link TerraformError} with one of these problems. */
export function isTerraformError(
  error: unknown,
  ...problems: readonly TerraformProblem[]
): error is TerraformError {
  return error instanceof TerraformError && (problems.length === 0 || problems.includes(error.problem));
}
