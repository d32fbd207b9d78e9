import { type Problem, RefusedInput } from "../application/refusal.ts";
import { ClusterError } from "../cluster/errors.ts";
import { KubeconfigError } from "../cluster/kubeconfig.ts";
import { cleanText } from "../cluster/text.ts";
import { DeliveryError } from "../delivery/delivery-error.ts";
import { JournalError, ProvisioningError } from "../provisioning/errors.ts";
import { StandardsMissing } from "../standards/load.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";

/** Why a command ended without its result, ready for a person: what happened, what state things are in, what to type. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly exitCode: ExitCode;
  readonly problems: readonly Problem[];
  /** What exists now. */
  readonly state: string;
  /** Commands to type next, or things to do. */
  readonly next: readonly string[];

  constructor(
    exitCode: ExitCode,
    message: string,
    details: {
      readonly problems?: readonly Problem[];
      readonly state?: string;
      readonly next?: readonly string[];
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.exitCode = exitCode;
    this.problems = details.problems ?? [];
    this.state = details.state ?? "Nothing was written.";
    this.next = details.next ?? [];
  }
}

/** Wrong input: all problems at once. */
export function usageFailure(
  message: string,
  details: { readonly problems?: readonly Problem[]; readonly next?: readonly string[] } = {},
): CommandFailure {
  return new CommandFailure(exitCodes.usage, message, details);
}

/** What a failure needs to know about the command line to name the next command. */
export interface FailureSurroundings {
  /** Name of the cluster the command spoke to, for a person. */
  readonly cluster: string;
  /** Whom the standards name for questions of rights; left out where they name nobody, or could not be read. */
  readonly contact?: string | undefined;
  /** Completes words to a command line that reaches the same cluster. */
  command(...words: readonly string[]): string;
}

/** Any error as a {@link CommandFailure}. */
export function failureOf(error: unknown, surroundings: FailureSurroundings): CommandFailure {
  if (error instanceof CommandFailure) return error;
  if (error instanceof ClusterError) return clusterFailure(error, surroundings);
  if (error instanceof RefusedInput) {
    return usageFailure(error.file === undefined ? "the input is wrong" : `${error.file} is wrong`, {
      problems: error.problems,
    });
  }
  if (error instanceof KubeconfigError) {
    return usageFailure(error.message, {
      next: ["--kubeconfig FILE or KUBECONFIG names another", "platform --sandbox needs no cluster"],
    });
  }
  if (error instanceof StandardsMissing) {
    return new CommandFailure(exitCodes.refused, error.message, {
      next: [`${surroundings.command("install")} installs it, for those who may`],
      cause: error,
    });
  }
  if (error instanceof ProvisioningError) return provisioningFailure(error, surroundings);
  if (error instanceof JournalError) return journalFailure(error, surroundings);
  if (error instanceof DeliveryError) return deliveryFailure(error);
  const named = namedFailure(error);
  if (named !== undefined) return named;
  const text = error instanceof Error ? error.message : String(error);
  return new CommandFailure(exitCodes.defect, `a defect of platform: ${cleanText(text)}`, {
    state: "What was written before is recorded in the cluster's runs.",
    next: [surroundings.command("run", "list"), "add --debug for the stack"],
    cause: error,
  });
}

function clusterFailure(
  error: ClusterError,
  { cluster, contact, command }: FailureSurroundings,
): CommandFailure {
  const request = error.request === "" ? "" : ` (${error.request})`;
  const message = cleanText(error.message);
  switch (error.kind) {
    case "unreachable":
      return new CommandFailure(
        exitCodes.unreachable,
        `the cluster of ${cluster} does not answer: ${message}`,
        {
          next: [`${command("contexts")} lists the others`, "platform --sandbox needs no cluster"],
          cause: error,
        },
      );
    case "server":
    case "throttled":
      return new CommandFailure(
        exitCodes.unreachable,
        `the cluster of ${cluster} cannot answer now: ${message}${request}`,
        {
          next: ["try again in a minute"],
          cause: error,
        },
      );
    case "unauthenticated":
      return new CommandFailure(
        exitCodes.refused,
        `the cluster of ${cluster} does not accept your credentials, or they have expired: ${message}`,
        { next: ["log in again the way your organisation does, then repeat the command"], cause: error },
      );
    case "forbidden":
      return new CommandFailure(exitCodes.refused, `the cluster refused${request}: ${message}`, {
        next: [`ask ${contact ?? `whoever administers ${cluster}`} for that right`],
        cause: error,
      });
    case "not-found":
      return new CommandFailure(exitCodes.usage, `not found: ${message}${request}`, { cause: error });
    case "already-exists":
    case "conflict":
    case "expired":
    case "invalid":
      return new CommandFailure(exitCodes.refused, `the cluster refused${request}: ${message}`, {
        problems: error.causes.map(({ field, message: text }) => ({ field, message: cleanText(text) })),
        cause: error,
      });
  }
}

/**
 * Advice of a part that does not know how the cluster was reached, with its commands completed, so that they can be
 * typed as they stand.
 */
export function typable(advice: string, command: FailureSurroundings["command"]): string {
  return advice.replace(
    /\bplatform (?=(?:service|run|orphans|install|uninstall|doctor|standards|contexts)\b)/g,
    () => `${command()} `,
  );
}

function provisioningFailure(error: ProvisioningError, { command }: FailureSurroundings): CommandFailure {
  const code = {
    usage: exitCodes.usage,
    unchanged: exitCodes.done,
    refused: exitCodes.refused,
    rights: exitCodes.refused,
    busy: exitCodes.refused,
    unreachable: exitCodes.unreachable,
  } as const;
  return new CommandFailure(code[error.kind], typable(error.message, command), {
    next: error.mend === "" ? [] : [typable(error.mend, command)],
    cause: error,
  });
}

/** What helps once the journal cannot be written: whoever has the rights, or the connection, again goes on with the run. */
const verbAfter: Readonly<Record<JournalError["kind"], "resume" | "watch" | undefined>> = {
  "lost-epoch": "watch",
  gone: undefined,
  rights: "resume",
  unreachable: "resume",
};

function journalFailure(error: JournalError, { command }: FailureSurroundings): CommandFailure {
  const verb = verbAfter[error.kind];
  return new CommandFailure(exitCodes.held, error.message, {
    state: "This process stopped and writes nothing more; what the run made so far exists.",
    next: [verb === undefined ? command("run", "list") : command("run", verb, error.run)],
    cause: error,
  });
}

function deliveryFailure(error: DeliveryError): CommandFailure {
  const code = error.class === "unreachable" ? exitCodes.unreachable : exitCodes.refused;
  return new CommandFailure(code, error.message, {
    next: error.mend === "" ? [] : [error.mend],
    cause: error,
  });
}

/** Files that cannot be read: the errors of Node that are the person's to mend. */
function namedFailure(error: unknown): CommandFailure | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("path" in error)) return undefined;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file",
    EACCES: "it may not be read",
    EISDIR: "it is a folder",
    ENOTDIR: "a part of its path is not a folder",
  };
  const reason = reasons[String(error.code)];
  return reason === undefined
    ? undefined
    : usageFailure(`${String(error.path)}: ${reason}`, {
        problems: [{ field: String(error.path), message: reason }],
      });
}
