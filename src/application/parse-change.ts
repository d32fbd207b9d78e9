import type { Standards } from "../standards/standards.ts";
import { type ServiceChange, serviceChangeSchema } from "./change.ts";
import { nearest } from "./nearest.ts";
import {
  type Checked,
  checkAddress,
  checkAlerts,
  checkChoice,
  checkOrigin,
  checkReplicas,
  checkSecretName,
  shown,
  wrong,
} from "./parse-value.ts";
import { imagePattern, quantityPattern } from "./patterns.ts";
import { flagOf, type Problem } from "./refusal.ts";
import { cacheTypes, databaseTypes } from "./request.ts";
import { migrationCommandSchema } from "./schema.ts";

/** A change as argv or a screen gives it: text, unchecked, by field. What is undefined was not given. */
export type RawChange = Readonly<Record<string, string | undefined>>;

export type ParsedChange =
  | { readonly ok: true; readonly change: ServiceChange }
  | { readonly ok: false; readonly problems: readonly Problem[] };

type Checks = (
  raw: RawChange,
  standards: Standards | undefined,
) => Readonly<Record<string, Checked<unknown>>>;

/** How each operation's fields are checked. */
const checksOf: Readonly<Record<ServiceChange["operation"], Checks>> = {
  scale: ({ replicas }) => ({
    replicas: checkReplicas(replicas) ?? wrong("how many replicas? a whole number is needed"),
  }),
  deploy: ({ image, commit }, standards) => ({
    image: checkDigest(image, standards),
    commit: checkCommit(commit),
  }),
  set: ({ requests, limits, alerts, database, cache, migrate, ...raw }) => ({
    requests: checkAmounts(requests),
    limits: checkAmounts(limits),
    alerts: alerts?.trim() === "" ? wrong("name alerts, or say none") : checkAlerts(alerts),
    database: checkChoice("database", databaseTypes)(database),
    cache: checkChoice("cache", cacheTypes)(cache),
    migrate: checkCommand(migrate),
    databaseSecret: checkSecretName(raw.databaseSecret),
    databaseAddress: checkAddress(raw.databaseAddress),
    cacheSecret: checkSecretName(raw.cacheSecret),
    cacheAddress: checkAddress(raw.cacheAddress),
  }),
  rollback: ({ release }) => ({ release: checkRelease(release) }),
};

/**
 * Checks everything a person asked for at once.
 * @param standards - where images may come from; left out: from anywhere, for a first look before a cluster is asked
 */
export function parseChange(
  operation: ServiceChange["operation"],
  raw: RawChange,
  standards?: Standards,
): ParsedChange {
  const checked = Object.entries(checksOf[operation](raw, standards));
  const problems = checked.flatMap(([field, result]) =>
    result !== undefined && "problem" in result ? [{ field, ...result.problem }] : [],
  );
  if (problems.length > 0) return { ok: false, problems };
  const values = checked.flatMap(([field, result]) =>
    result !== undefined && "value" in result ? [[field, result.value] as const] : [],
  );
  if (values.length === 0) {
    const known = checked.map(([field]) => flagOf(field)).join(", ");
    return { ok: false, problems: [{ field: "", message: `say what to change: ${known}` }] };
  }
  const parsed = serviceChangeSchema.safeParse({ operation, ...Object.fromEntries(values) });
  if (parsed.success) return { ok: true, change: parsed.data };
  return {
    ok: false,
    problems: parsed.error.issues.map(({ path, message }) => ({
      field: path.map(String).join("."),
      message,
    })),
  };
}

const amountNames = ["cpu", "memory"] as const;

/** `cpu=200m,memory=256Mi`, as `kubectl set resources` takes it. */
function checkAmounts(text: string | undefined): Checked<Readonly<Record<string, string>>> {
  if (text === undefined) return undefined;
  const amounts = new Map<string, string>();
  for (const part of text.split(",").map((word) => word.trim())) {
    const [, name = "", value = ""] = /^([^=]*)=(.*)$/.exec(part) ?? [];
    if (name === "") return wrong(`must be as cpu=200m,memory=256Mi, not ${shown(text)}`);
    const known = amountNames.find((each) => each === name);
    if (known === undefined)
      return wrong(`unknown amount ${shown(name)}; allowed: cpu, memory`, nearest(name, amountNames));
    if (amounts.has(known)) return wrong(`${known} is given twice`);
    if (value.length > 32 || !quantityPattern.test(value)) {
      const example = known === "cpu" ? "200m or 0.5" : "256Mi or 1Gi";
      return wrong(
        `${known} must be a quantity such as ${example}, not ${value === "" ? "nothing" : shown(value)}`,
      );
    }
    amounts.set(known, value);
  }
  return { value: Object.fromEntries(amounts) };
}

/** An image by its digest, which names the same image for ever. */
function checkDigest(text: string | undefined, standards: Standards | undefined): Checked<string> {
  if (text === undefined) return wrong("which image? one is needed, as REPOSITORY@sha256:…");
  const digest = /@(.*)$/.exec(text)?.[1];
  if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest)) {
    return wrong(`a digest is sha256: and 64 digits 0-9a-f, not ${shown(digest)}`);
  }
  if (text.length > 512 || !imagePattern.test(text)) {
    return wrong(`${text === "" ? "an empty text" : shown(text)} is not an image, as REPOSITORY@sha256:…`);
  }
  if (digest === undefined) {
    return wrong(`images are deployed by digest, REPOSITORY@sha256:…: what ${shown(text)} names can change`);
  }
  return standards === undefined ? { value: text } : checkOrigin(text, standards);
}

/** A command as words with blanks between them: no shell runs it, and none of a shell's signs means anything. */
function checkCommand(text: string | undefined): Checked<readonly string[]> {
  if (text === undefined) return undefined;
  if (text.trim() === "none") return { value: [] };
  if (/["'`\\$;|&<>]/.test(text)) {
    return wrong(
      "is words with blanks between them, and run by no shell; set one with other signs in the Application (migrations.command)",
    );
  }
  const words = text.split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return wrong("name a program and its arguments, or say none");
  const parsed = migrationCommandSchema.safeParse(words);
  return parsed.success ? { value: parsed.data } : wrong("is too long for a command");
}

function checkCommit(text: string | undefined): Checked<string> {
  if (text === undefined || /^[0-9a-f]{7,64}$/.test(text))
    return text === undefined ? undefined : { value: text };
  return wrong(
    `must be a commit's hash, 7 to 64 digits 0-9a-f, not ${text === "" ? "nothing" : shown(text)}`,
  );
}

function checkRelease(text: string | undefined): Checked<number> {
  if (text !== undefined && /^[1-9][0-9]{0,8}$/.test(text)) return { value: Number(text) };
  return wrong(`must be a release's number, such as 1, not ${shown(text ?? "nothing")}`);
}
