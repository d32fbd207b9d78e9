/** A request as far as it is known: what `platform service create` takes. */
export interface CreateDraft {
  readonly name: string;
  readonly team?: string | undefined;
  readonly language: string;
  readonly replicas: string | number;
  readonly database: string;
  readonly cache: string;
  readonly exposure: string;
  readonly alerts: readonly string[];
  readonly image?: string | undefined;
}

/**
 * Turns the words after `platform` into a line that a person can type as it stands: with the flags that reach the
 * same cluster again, and quoted for a shell.
 */
export type CommandLine = (words: readonly string[]) => string;

/** The words of the command that does what the wizard does; options that would say the default are left out. */
export function createWords(draft: CreateDraft, allAlerts: readonly string[]): readonly string[] {
  const words = ["service", "create", draft.name.trim() === "" ? "NAME" : draft.name.replaceAll("\n", " ")];
  if (draft.team !== undefined) words.push("--team", draft.team);
  words.push("--language", draft.language, "--replicas", String(draft.replicas));
  if (draft.database !== "none") words.push("--database", draft.database);
  if (draft.cache !== "none") words.push("--cache", draft.cache);
  if (draft.exposure !== "internal") words.push("--exposure", draft.exposure);
  if (draft.alerts.length !== allAlerts.length) {
    words.push("--alerts", draft.alerts.length === 0 ? "none" : draft.alerts.join(","));
  }
  if (draft.image !== undefined) words.push("--image", draft.image);
  return words;
}
