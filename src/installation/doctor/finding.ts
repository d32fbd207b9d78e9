import { isClusterError } from "../../cluster/errors.ts";

/** One thing that was looked at. */
export interface Finding {
  readonly area: "client" | "cluster" | "platform" | "surroundings";
  /** What it is, in one or two words. */
  readonly name: string;
  /** `unseen`: whoever asks may not look. */
  readonly state: "ok" | "warn" | "fail" | "unseen";
  readonly text: string;
  /** What to type, or whom to ask; left out where nothing is to be mended. */
  readonly mend?: string;
}

/** What a look came to. */
export type Look = Omit<Finding, "area" | "name">;

/** All is as it should be. */
export function ok(text: string): Look {
  return { state: "ok", text };
}

/** It works, and somebody should know this. */
export function warn(text: string, mend: string): Look {
  return { state: "warn", text, mend };
}

/** Something does not work. */
export function fail(text: string, mend: string): Look {
  return { state: "fail", text, mend };
}

/**
 * A look by itself: who may not look is told so, and nothing else is kept from them; every other failure is a finding,
 * with what mends it where it says so, else with `mend`.
 */
export async function look(
  area: Finding["area"],
  name: string,
  work: () => Promise<Look>,
  { mend: usual = "see what the message names" }: { readonly mend?: string } = {},
): Promise<Finding> {
  try {
    return { area, name, ...(await work()) };
  } catch (error) {
    if (isClusterError(error, "forbidden")) {
      return { area, name, state: "unseen", text: "cannot be seen with your rights" };
    }
    if (!(error instanceof Error)) throw error;
    const mend =
      "mend" in error && typeof error.mend === "string" && error.mend !== "" ? error.mend : undefined;
    return { area, name, ...fail(error.message, mend ?? usual) };
  }
}
