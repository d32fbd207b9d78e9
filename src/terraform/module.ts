import { access, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { z } from "zod";

/** A shipped module: static, and tested. What differs between services is data. */
export interface TerraformModule<Outputs> {
  readonly name: "cloudsql-postgres" | "memorystore-redis";
  /** Address of the resource that people's data is in. */
  readonly instance: string;
  /** What can be taken over from an interrupted run: keys of the module's variable `adopt`, by address. */
  readonly adoptable: Readonly<Record<string, string>>;
  /** The labels of an instance as its provider tells it. */
  labelsOf(instance: Readonly<Record<string, unknown>>): unknown;
  readonly outputs: z.ZodType<Outputs>;
}

/** Label by which an instance says which workspace it is of. */
export const workspaceLabel = "platform-workspace";

/** One file of a workspace. */
export interface WorkspaceFile {
  readonly name: string;
  readonly content: string;
}

/** Beside `dist` in a package, two up from here in the sources. */
const candidates = ["../terraform/", "../../terraform/"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/**
 * The files of a module, with the block that names the kind of place its state lives in.
 * @throws Error where the program was packaged without its modules
 */
export async function moduleFiles(
  name: TerraformModule<unknown>["name"],
  backend: string,
): Promise<readonly WorkspaceFile[]> {
  const folder = join(await shipped(), "modules", name);
  const names = await readdir(folder);
  const wanted = names.filter((file) => file.endsWith(".tf") || file === ".terraform.lock.hcl").sort();
  const files = await Promise.all(
    wanted.map(async (file) => ({ name: file, content: await readFile(join(folder, file), "utf8") })),
  );
  return [...files, await backendFile(backend)];
}

/**
 * The file with the block that names the kind of place a state lives in.
 * @throws Error where the program was packaged without it
 */
export async function backendFile(backend: string): Promise<WorkspaceFile> {
  const content = await readFile(join(await shipped(), "backends", `${backend}.tf`), "utf8");
  return { name: "backend.tf", content };
}

async function shipped(): Promise<string> {
  for (const root of candidates) {
    try {
      await access(join(root, "modules"));
      return root;
    } catch {
      // Not this one.
    }
  }
  throw new Error(
    `the Terraform modules of this program are missing (looked in ${candidates.join(" and ")}): install it again`,
  );
}
