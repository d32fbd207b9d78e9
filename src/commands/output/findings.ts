import { styleText } from "node:util";
import type { Finding } from "../../installation/doctor/finding.ts";
import { typable } from "../failure.ts";
import { count } from "./run-result.ts";

/** Where a finding's text begins, and how wide a line is at most. */
const indent = 18;
const width = 80;

const titles: Readonly<Record<Finding["area"], string>> = {
  client: "Client",
  cluster: "Cluster",
  platform: "Platform",
  surroundings: "Surroundings",
};

/** Meaning is in the sign; the colour only repeats it. */
const signs = {
  ok: ["✔", "green"],
  warn: ["▲", "yellow"],
  fail: ["✖", "red"],
  unseen: ["·", "dim"],
} as const;

/** What the doctor found: a line each, how to mend it below, and the sum. */
export function findingsText(
  findings: readonly Finding[],
  {
    command,
    colors,
  }: { readonly command: (...words: readonly string[]) => string; readonly colors: boolean },
): string {
  const lines: string[] = [];
  for (const [area, members] of Map.groupBy(findings, (finding) => finding.area)) {
    lines.push(titles[area], ...members.flatMap((finding) => findingLines(finding, command, colors)), "");
  }
  return `${[...lines, sum(findings)].join("\n")}\n`;
}

function findingLines(
  { name, state, text, mend }: Finding,
  command: (...words: readonly string[]) => string,
  colors: boolean,
): readonly string[] {
  const [sign, color] = signs[state];
  const painted = colors ? styleText(color, sign, { validateStream: false }) : sign;
  const [first = "", ...rest] = wrapped(text, width - indent);
  const space = " ".repeat(indent);
  return [
    `  ${painted} ${name.padEnd(indent - 4)}${first}`.trimEnd(),
    ...rest.map((line) => `${space}${line}`),
    // A command is typed as it stands: it is never broken.
    ...(mend === undefined || state === "ok" ? [] : [`${space}→ ${typable(mend, command)}`]),
  ];
}

/** A text in lines of at most so many characters, broken between words; a longer word stands alone. Pure. */
function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function sum(findings: readonly Finding[]): string {
  const of = (state: Finding["state"]) => findings.filter((finding) => finding.state === state).length;
  const parts = [
    ...(of("fail") === 0 ? [] : [count(of("fail"), "failure")]),
    ...(of("warn") === 0 ? [] : [count(of("warn"), "warning")]),
    ...(of("unseen") === 0 ? [] : [`${of("unseen")} not seen`]),
  ];
  return parts.length === 0 ? "All is well." : `${parts.join(", ")}.`;
}
