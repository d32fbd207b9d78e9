import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { referencePages } from "../../../scripts/reference.ts";

test("the reference says what the schemas say (npm run docs:reference writes it again)", async () => {
  for (const [name, text] of await referencePages()) {
    const page = await readFile(new URL(`../../../docs/reference/${name}`, import.meta.url), "utf8");
    expect(page, name).toBe(text);
  }
});
