// Prints `PASSED FAILED` of a vitest JSON report. A file that failed without a failed test (it could not be loaded, or
// a hook threw) counts as one failure.
import { readFileSync } from "node:fs";

const report = JSON.parse(readFileSync(process.argv[2], "utf8"));
let passed = 0;
let failed = 0;
for (const file of report.testResults) {
  const bad = file.assertionResults.filter(({ status }) => status === "failed").length;
  passed += file.assertionResults.filter(({ status }) => status === "passed").length;
  failed += file.status === "failed" && bad === 0 ? 1 : bad;
}
console.log(`${passed} ${failed}`);
