// Prints what failed in vitest JSON reports: file, test and the beginning of its message. CI ends with it, because the
// beginning of a long output is the first thing to be cut off.
import { readFileSync } from "node:fs";
import { relative } from "node:path";

const longest = 1_500;

const beginning = (text = "") => (text.length > longest ? `${text.slice(0, longest)}…` : text);

for (const path of process.argv.slice(2)) {
  for (const { name, status, message, assertionResults } of JSON.parse(readFileSync(path, "utf8"))
    .testResults) {
    const file = relative(process.cwd(), name);
    const failed = assertionResults.filter((result) => result.status === "failed");
    for (const { fullName, failureMessages } of failed) {
      console.log(`FAILED: ${file}: ${fullName}\n${beginning(failureMessages[0])}`);
    }
    if (status === "failed" && failed.length === 0) console.log(`FAILED: ${file}\n${beginning(message)}`);
  }
}
