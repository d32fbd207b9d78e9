import { chmod, mkdir, readdir, readlink, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Timing } from "../cluster/timing.ts";
import { type BackendPlace, backendConfiguration } from "./backend.ts";
import { holdersFile } from "./holder-file.ts";
import { moduleFiles, type TerraformModule } from "./module.ts";
import { hiddenValues } from "./process.ts";

/** File names of a workspace. Nothing that differs between services is in a file that Terraform evaluates. */
export const files = {
  backend: "backend.json",
  variables: "terraform.tfvars.json",
  plan: "next.tfplan",
  /** What Terraform leaves where it could not write the state. */
  unsaved: "errored.tfstate",
} as const;

async function write(folder: string, name: string, content: string): Promise<void> {
  const path = join(folder, name);
  await writeFile(path, content, { mode: 0o600 });
  await chmod(path, 0o600);
}

/**
 * Makes the folder of a workspace, which only this user may enter, or brings it up to date.
 * @returns its real path
 * @throws Error of the file system
 */
export async function makeFolder(
  root: string,
  workspace: string,
  module: TerraformModule<unknown>["name"],
  place: BackendPlace,
): Promise<string> {
  const made = join(root, workspace);
  await mkdir(made, { recursive: true, mode: 0o700 });
  await chmod(made, 0o700);
  const folder = await realpath(made);
  const wanted = await moduleFiles(module, place.kind);
  const names = new Set(wanted.map(({ name }) => name));
  for (const name of await readdir(folder)) {
    // Of an older version of the module; and a plan, which nobody applies any more.
    if ((/\.tf(\.json)?$/.test(name) && !names.has(name)) || name === files.plan)
      await rm(join(folder, name));
  }
  for (const { name, content } of wanted) await write(folder, name, content);
  await write(folder, files.backend, JSON.stringify(backendConfiguration(place, workspace)));
  const link = join(folder, hiddenValues.file);
  if ((await readlink(link).catch(() => undefined)) !== hiddenValues.target) {
    await rm(link, { force: true });
    await symlink(hiddenValues.target, link);
  }
  return folder;
}

/** How long a folder that nobody works in is kept, in milliseconds: it holds Terraform's own copy of a provider. */
const unusedFor = 60 * 60_000;

/**
 * Removes the folders of workspaces that nobody has worked in for an hour. One that says who works in it stays, and so
 * does one with a state that could not be saved.
 */
export async function removeUnused(root: string, { now }: Pick<Timing, "now">): Promise<void> {
  const names = await readdir(root).catch(() => []);
  for (const name of names) {
    const folder = join(root, name);
    const inside = await readdir(folder).catch((): string[] => [files.unsaved]);
    if (inside.includes(files.unsaved) || inside.includes(holdersFile)) continue;
    const { mtimeMs } = await stat(folder);
    if (now().getTime() - mtimeMs > unusedFor) await rm(folder, { recursive: true, force: true });
  }
}

/** Writes the values of a module's variables: JSON, in which Terraform takes every string as it stands. */
export async function writeVariables(
  folder: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<void> {
  await write(folder, files.variables, JSON.stringify(variables));
}
