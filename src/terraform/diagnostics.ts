import { TerraformError, type TerraformProblem } from "./error.ts";
import type { TerraformEvent } from "./events.ts";
import { lockIn } from "./lock.ts";

type Diagnostic = Extract<TerraformEvent, { readonly type: "diagnostic" }>;

/** What Terraform's and the providers' own words mean. The first that fits decides. */
const known: readonly {
  readonly pattern: RegExp;
  readonly problem: TerraformProblem;
  readonly mend: string;
}[] = [
  {
    // Of whoever had it nothing is to be read any more.
    pattern: /(state lock|tflock).*(PreconditionFailed|conditionNotMet)/i,
    problem: "locked",
    mend: "retry: whoever held the lock of the state has just let go of it",
  },
  {
    pattern: /bucket .{0,100}does(n't| not) exist|NoSuchBucket|PermanentRedirect/i,
    problem: "invalid",
    mend: "make the bucket that terraform.bucket of the standards names, or mend the name, and for s3 its region, then retry",
  },
  {
    pattern: /saved plan is stale|saved plan does not match|plan file can no longer be applied/i,
    problem: "stale-plan",
    mend: "retry: it is planned again",
  },
  {
    pattern: /cannot import non-existent remote object|import returned no resources/i,
    problem: "missing",
    mend: "retry: it is made anew",
  },
  {
    pattern: /execution (was )?halted|operation (was )?(cancel|interrupt)|interrupted/i,
    problem: "interrupted",
    mend: "retry: it goes on from what there is",
  },
  {
    pattern: /deletion_?protection|instance is protected|prevent_destroy/i,
    problem: "protected",
    mend: "lift its protection through the platform's removal, which asks for the service's name",
  },
  {
    pattern: /already ?exists|Error 409|instanceAlreadyExists/i,
    problem: "exists",
    mend: "see whose it is; it was left as it is",
  },
  {
    pattern: /quota|rateLimitExceeded|RESOURCE_EXHAUSTED|Error 429/i,
    problem: "quota",
    mend: "have the quota of the Google project raised, or something removed, then retry",
  },
  {
    pattern:
      /could not find default credentials|invalid_grant|unauthenticated|Error 401|Error 403|permission[_ ]?denied|forbidden|NoCredentialProviders|no valid credential|Unauthorized|AccessDenied|InvalidAccessKeyId|InvalidClientTokenId|SignatureDoesNotMatch|ExpiredToken/i,
    problem: "credentials",
    mend: "give whoever executes the run credentials with the rights that the message names, then retry",
  },
  {
    pattern:
      /no such host|connection refused|connection reset|i\/o timeout|TLS handshake|deadline exceeded|Client\.Timeout|network is unreachable|Error 50[0234]|StatusCode: 50[0234]|backendError|transport is closing|could not connect to|failed to query available provider packages/i,
    problem: "unreachable",
    mend: "see that the cloud and the place of the state answer from here, then retry",
  },
  {
    pattern:
      /invalid value for (input )?variable|no value for required variable|unsupported argument|invalid (value|reference|expression)|Error 400/i,
    problem: "invalid",
    mend: "mend the value that the message names, then retry",
  },
];

const longest = 1_000;

/**
 * The failure that Terraform's diagnostics tell of.
 * @param what - what was being done, for example `the plan`
 * @param state - what state things are in now
 */
export function failureIn(diagnostics: readonly Diagnostic[], what: string, state: string): TerraformError {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const words = errors
    .map(({ summary, detail }) => (detail === "" ? summary : `${summary}: ${detail}`))
    .join("; ")
    .replace(/\s+/g, " ")
    .slice(0, longest);
  const lock = errors.flatMap(({ summary, detail }) =>
    /state lock|already locked|conditionNotMet/i.test(`${summary} ${detail}`)
      ? [lockIn(`${summary}\n${detail}`)]
      : [],
  )[0];
  if (lock !== undefined) {
    return new TerraformError(
      "locked",
      `${what} could not begin: ${lock.who} holds the lock of the state${lock.created === "" ? "" : ` since ${lock.created.replace(/\.\d+Z$/, "Z")}`}; ${state}`,
      `wait until it is done; if it certainly died, retry and type its name: ${lock.who}`,
      { lock },
    );
  }
  const found = known.find(({ pattern }) => pattern.test(words));
  return new TerraformError(
    found?.problem ?? "provider",
    `${what} failed: ${words === "" ? "Terraform gave no reason" : words}; ${state}`,
    found?.mend ?? "see the log of the run; mend what it names, then retry",
    { address: errors.map(({ address }) => address).find((address) => address !== "") },
  );
}
