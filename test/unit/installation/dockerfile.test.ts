import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { z } from "zod";

/** The lines of each stage of the Dockerfile, by the stage's name. */
async function stages(): Promise<ReadonlyMap<string, readonly string[]>> {
  const text = (await readFile("Dockerfile", "utf8")).replace(/\\\n/g, " ");
  const found = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of text.split("\n")) {
    const name = /^FROM (?:--\S+ )?\S+ AS (\S+)$/.exec(line)?.[1];
    if (name !== undefined) {
      current = [];
      found.set(name, current);
    }
    current.push(line);
  }
  return found;
}

/** What a stage copies from the build, by its name in the package. */
function copied(lines: readonly string[]): readonly string[] {
  return lines
    .filter((line) => line.startsWith("COPY --from=build "))
    .flatMap((line) => [...line.matchAll(/\/src\/(\S+)/g)].map(([, path]) => path ?? ""))
    .sort();
}

test.each(["starter", "platform"])(
  "image %s holds what the package holds, and runs as nobody",
  async (name) => {
    const lines = (await stages()).get(name) ?? [];
    const { files } = z
      .object({ files: z.array(z.string()) })
      .parse(JSON.parse(await readFile("package.json", "utf8")));
    expect(copied(lines)).toEqual([...files, "package.json"].sort());
    expect(lines).toContain("USER 65532:65532");
  },
);

test("what is downloaded is of one version, and is used only where its checksum is right", async () => {
  const text = (await readFile("Dockerfile", "utf8")).replace(/\\\n/g, " ");
  const downloads = text.split("\n").filter((line) => /\b(curl|wget)\b|^ADD http/.test(line));
  expect(downloads.length).toBeGreaterThan(0);
  for (const line of downloads) {
    expect(line).toMatch(/sum=[0-9a-f]{64} /);
    expect(line.indexOf("sha256sum --check")).toBeGreaterThan(line.indexOf("curl"));
    expect(line.indexOf("sha256sum --check")).toBeLessThan(line.indexOf("unzip"));
  }
});

test("every base image has a version; the build gets what it needs, and nothing of Terraform's work", async () => {
  const text = await readFile("Dockerfile", "utf8");
  const bases = [...text.matchAll(/^FROM (?:--\S+ )?(\S+)/gm)].map(([, image]) => image ?? "");
  for (const base of bases) expect(base).toMatch(/:[^:]*\d|:nonroot$/);
  const ignored = (await readFile(".dockerignore", "utf8")).split("\n");
  for (const needed of [
    "src",
    "bin",
    "templates",
    "terraform",
    "scripts",
    "package.json",
    "README.md",
    "LICENSE",
  ])
    expect(ignored).not.toContain(needed);
  // Beside modules that somebody has tried out: providers of hundreds of MiB, and states.
  expect(ignored).toEqual(expect.arrayContaining(["**/.terraform", "**/*.tfstate*"]));
});
