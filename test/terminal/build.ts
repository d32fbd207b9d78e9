import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Bundles the program once for all tests of this project, beside `dist/`, which somebody may be using. */
export default async function build(): Promise<void> {
  await promisify(execFile)(process.execPath, ["scripts/build.js", "dist-test"]);
}
