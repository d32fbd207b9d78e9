import { readFile, writeFile } from "node:fs/promises";

const readme = new URL("../README.md", import.meta.url);

/** Puts a benchmark's result into the README, between the markers of its name. */
export async function writeReadme(name: string, text: string): Promise<void> {
  const markers = new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*(<!-- /${name} -->)`);
  const before = await readFile(readme, "utf8");
  await writeFile(
    readme,
    before.replace(markers, (_, open: string, close: string) => `${open}\n${text}\n\n${close}`),
  );
}
