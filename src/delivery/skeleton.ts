import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ServiceName, serviceNameSchema } from "../application/names.ts";
import type { Language } from "../application/request.ts";
import type { RepositoryFile } from "./code-host.ts";

/**
 * The one placeholder of templates: a valid service name, so that each template builds and passes its tests as it
 * stands. It is replaced by another DNS label, which is neither code nor a path in any language offered.
 */
export const placeholder = "example-service";

/** What a build leaves behind in a template's folder is no part of it. */
const leftOut = new Set(["node_modules", "dist", ".git"]);

/** The folder of the templates: beside `dist` in a package, two up from here in the sources. */
const candidates = ["../templates/", "../../templates/"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/**
 * The source skeleton of a service in its language, complete: it builds, serves, and its tests pass. In a template
 * a leading `_` stands for the `.` of a hidden file, which package managers would drop.
 * @throws Error where the program was packaged without its templates
 */
export async function skeletonFiles(
  language: Language,
  service: ServiceName,
): Promise<readonly RepositoryFile[]> {
  const name = serviceNameSchema.parse(service);
  const folder = await templateFolder(language);
  const paths = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = paths
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.split("/").some((part) => leftOut.has(part)))
    .sort();
  return Promise.all(
    files.map(async (path) => ({
      path: path.replace(/(^|\/)_([^/]*)$/, "$1.$2"),
      content: (await readFile(join(folder, path), "utf8")).replaceAll(placeholder, name),
    })),
  );
}

async function templateFolder(language: Language): Promise<string> {
  for (const candidate of candidates) {
    const folder = join(candidate, language);
    try {
      await readdir(folder);
      return folder;
    } catch {
      // The next candidate.
    }
  }
  throw new Error(
    `the templates of this program are missing (looked in ${candidates.join(" and ")}): install it again`,
  );
}
