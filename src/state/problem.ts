/** An error as a screen tells it: what is the case, and what mends it (empty where nothing is known). */
export interface Told {
  readonly text: string;
  readonly mend: string;
}

/** Any error in a person's words. */
export function tell(error: unknown): Told {
  if (!(error instanceof Error)) return { text: String(error), mend: "" };
  const mend = "mend" in error && typeof error.mend === "string" ? error.mend : "";
  return { text: error.message === "" ? error.name : error.message, mend };
}

/** The same in one line. */
export function tellInOneLine(error: unknown): string {
  const { text, mend } = tell(error);
  return (mend === "" ? text : `${text}: ${mend}`).replaceAll(/\s+/g, " ");
}
