import { expect, test } from "vitest";
import { findingsText } from "../../../src/commands/output/findings.ts";
import type { Finding } from "../../../src/installation/doctor/finding.ts";

const command = (...words: readonly string[]) => ["platform", "--context", "prod", ...words].join(" ");
const text = (...findings: readonly Finding[]) => findingsText(findings, { command, colors: false });

test("a line is never wider than 80 columns, and what is to be typed is never broken", () => {
  const long = Array.from({ length: 40 }, (_, index) => `word${index}`).join(" ");
  const mend = `platform install --standards ${"x".repeat(90)}`;
  const lines = text({ area: "platform", name: "guardrails", state: "fail", text: long, mend }).split("\n");
  for (const line of lines.filter((each) => !each.includes("→"))) expect(line.length).toBeLessThanOrEqual(80);
  expect(lines.find((line) => line.includes("→"))).toContain(
    `→ platform --context prod install --standards ${"x".repeat(90)}`,
  );
});

test("each state has its sign, areas stand together, and the last line is the sum", () => {
  expect(
    text(
      { area: "client", name: "node", state: "ok", text: "24.0.0", mend: "not told" },
      { area: "cluster", name: "you", state: "ok", text: "alice" },
      { area: "client", name: "git", state: "warn", text: "not found", mend: "install git" },
      { area: "platform", name: "operator", state: "unseen", text: "cannot be seen with your rights" },
    ),
  ).toBe(`Client
  ✔ node          24.0.0
  ▲ git           not found
                  → install git

Cluster
  ✔ you           alice

Platform
  · operator      cannot be seen with your rights

1 warning, 1 not seen.
`);
});
