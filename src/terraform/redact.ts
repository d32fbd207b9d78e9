import { cleanText } from "../cluster/text.ts";

/** Shown in the place of a secret. */
export const hidden = "(hidden)";

/** Shorter values would be found in innocent words. */
const shortestSecret = 4;

/**
 * Makes a text of Terraform fit to be told: without control characters, and without these secrets, as they stand or
 * as JSON, a URL or base64 has them.
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const forms = [
    ...new Set(
      secrets
        .filter((secret) => secret.length >= shortestSecret)
        .flatMap((secret) => [
          secret,
          JSON.stringify(secret).slice(1, -1),
          encodeURIComponent(secret),
          Buffer.from(secret, "utf8").toString("base64"),
        ]),
    ),
  ].sort((one, other) => other.length - one.length);
  return (text) =>
    cleanText(
      forms.reduce((told, form) => told.replaceAll(form, hidden), text),
      { lines: true },
    );
}
