/** One thing wrong with what a person asked for. */
export interface Problem {
  /** Field of the request or file, for example `replicas` or `teams.search.groups`; empty where it is about the whole. */
  readonly field: string;
  /** A sentence for a person, without the field. */
  readonly message: string;
  /** The nearest valid value, where there is one. */
  readonly suggestion?: string;
  /** The file it came from, as the person named it, where only some problems come from one. */
  readonly file?: string;
  /** Position in the file; both from 1. */
  readonly line?: number;
  readonly column?: number;
}

/** The flag of a command that gives a field, without its dashes: `databaseSecret` as `database-secret`. Pure. */
export function flagOf(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** One line for a person: `spec.yaml:3:11: replicas: must be a whole number; did you mean 3?` */
export function problemText(problem: Problem, file?: string): string {
  const position = [problem.file ?? file, problem.line, problem.column]
    .filter((part) => part !== undefined)
    .join(":");
  const suggestion = problem.suggestion === undefined ? "" : `; did you mean ${problem.suggestion}?`;
  return [position, problem.field, problem.message].filter((part) => part !== "").join(": ") + suggestion;
}

/** What was asked for cannot be: carries every problem at once, so that a person mends them in one go. */
export class RefusedInput extends Error {
  override readonly name = "RefusedInput";
  readonly problems: readonly Problem[];
  /** The file it came from, as the person named it. */
  readonly file: string | undefined;

  constructor(problems: readonly Problem[], file?: string) {
    super(problems.map((problem) => problemText(problem, file)).join("\n"));
    this.problems = problems;
    this.file = file;
  }
}
