import { cleanText } from "../cluster/text.ts";
import type { Standards } from "../standards/standards.ts";
import { addressOf, externalSecretPattern } from "./external-store.ts";
import { nearest } from "./nearest.ts";
import type { Problem } from "./refusal.ts";
import { alertNames, maxReplicas, type ServiceRequest } from "./request.ts";

/** A field's value, or what is wrong with it; `undefined` where it was not given. */
export type Checked<T> = { readonly value: T } | { readonly problem: Omit<Problem, "field"> } | undefined;

/** Text of a person as it may be shown back. */
export function shown(value: unknown): string {
  const text = typeof value === "object" ? (JSON.stringify(value) ?? "") : String(value);
  const clean = cleanText(text);
  return clean.length > 60 ? `${clean.slice(0, 60)}…` : clean;
}

/** What a person can type. */
export function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

/** A problem of a value, with the nearest valid one where there is one. */
export function wrong(message: string, suggestion?: string): { readonly problem: Omit<Problem, "field"> } {
  return { problem: suggestion === undefined ? { message } : { message, suggestion } };
}

/** One of the values allowed, or the nearest to what was typed. */
export function checkChoice<T extends string>(
  what: string,
  allowed: readonly T[],
): (value: unknown) => Checked<T> {
  return (value) => {
    if (value === undefined) return undefined;
    const found = allowed.find((choice) => choice === value);
    if (found !== undefined) return { value: found };
    const choices = allowed.join(", ");
    if (!isScalar(value) || value === "") return wrong(`a ${what} is needed: one of ${choices}`);
    return wrong(`unknown ${what} ${shown(value)}; allowed: ${choices}`, nearest(String(value), allowed));
  };
}

/** Name of a Secret with the credentials of a data store that exists already. */
export function checkSecretName(value: unknown): Checked<string> {
  if (value === undefined) return undefined;
  if (typeof value === "string" && externalSecretPattern.test(value)) return { value };
  return wrong(
    `must be a Secret's name, of lower-case letters, digits and hyphens, at most 63, not ${value === "" ? "nothing" : shown(value)}`,
  );
}

/** Where a data store is that exists already. */
export function checkAddress(value: unknown): Checked<string> {
  if (value === undefined) return undefined;
  if (typeof value === "string" && value.length <= 300 && addressOf(value) !== undefined) return { value };
  return wrong(
    `must be HOST:PORT in lower case, such as db.example.com:5432, not ${value === "" ? "nothing" : shown(value)}`,
  );
}

/** How many pods a service has. */
export function checkReplicas(value: unknown): Checked<number> {
  if (value === undefined) return undefined;
  const range = `a whole number from 1 to ${maxReplicas}`;
  const given = typeof value === "string" ? value.trim() : value;
  if (given === "" || !isScalar(given)) return wrong(`must be ${range}`);
  // Not 03, which is octal elsewhere, nor 3e0, which is a slip of the fingers.
  const number =
    typeof given === "string" && !/^[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?$/.test(given)
      ? Number.NaN
      : Number(given);
  if (typeof given === "boolean" || !Number.isFinite(number))
    return wrong(`must be ${range}, not ${shown(value)}`);
  if (Number.isInteger(number) && number >= 1 && number <= maxReplicas) return { value: number };
  const nearby = Math.min(Math.max(Math.round(number), 1), maxReplicas);
  return wrong(`must be ${range}, not ${shown(value)}`, String(nearby));
}

/** Names of alerts, as a list or separated by commas; `none` for none. */
export function checkAlerts(value: unknown): Checked<ServiceRequest["alerts"]> {
  if (value === undefined) return undefined;
  const list: unknown[] = Array.isArray(value) ? value : isScalar(value) ? String(value).split(",") : [value];
  const words = list
    .map((word) => (typeof word === "string" ? word.trim() : word))
    .filter((word) => word !== "");
  if (words.length === 1 && words[0] === "none") return { value: [] };
  const check = checkChoice("alert", alertNames);
  const chosen = new Set<ServiceRequest["alerts"][number]>();
  for (const word of words) {
    const checked = check(word ?? "");
    if (checked === undefined) continue;
    if ("problem" in checked) return checked;
    chosen.add(checked.value);
  }
  return { value: alertNames.filter((alert) => chosen.has(alert)) };
}

/** Whether an image comes from the registry, or from below the path, that a prefix names. */
function comesFrom(image: string, prefix: string): boolean {
  const folder = prefix.endsWith("/") ? prefix : `${prefix}/`;
  return image.startsWith(folder);
}

/** An image that the standards let services run. */
export function checkOrigin(image: string, { images: { registries } }: Standards): Checked<string> {
  if (registries.length === 0 || registries.some((prefix) => comesFrom(image, prefix)))
    return { value: image };
  return wrong(`images come from ${registries.join(", ")} here, not ${shown(image)}`);
}
