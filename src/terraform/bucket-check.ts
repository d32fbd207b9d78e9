import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type BackendPlace, backendConfiguration } from "./backend.ts";
import type { TerraformBinary } from "./binary.ts";
import { readTerraform } from "./commands.ts";
import { backendFile } from "./module.ts";
import { files } from "./workspace-folder.ts";

/** A bucket that states are kept in. */
export type BucketPlace = Extract<BackendPlace, { readonly bucket: string }>;

/** Milliseconds within which it answers: Google's own client tries for ever where nothing does. */
const longestTry = 30_000;

/**
 * Whether a bucket takes states from here: Terraform makes an empty one there, under a name of its own, and removes it.
 * @param environment - {@link terraformEnvironment}
 * @throws TerraformError what is missing
 */
export async function bucketTakesStates(
  place: BucketPlace,
  binary: TerraformBinary,
  environment: Readonly<Record<string, string>>,
  patience = longestTry,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "platform-preflight-"));
  const name = basename(folder);
  const attempt = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    readTerraform(
      { binary, folder, environment: { ...environment, ...more } },
      `a try of the bucket ${place.bucket}`,
      args,
      patience,
      `nothing is left there but, at most, an empty state in platform/${name}`,
    );
  try {
    const { name: backend, content } = await backendFile(place.kind);
    await writeFile(join(folder, backend), content);
    await writeFile(join(folder, files.backend), JSON.stringify(backendConfiguration(place, name)));
    // The default state cannot be removed; another one is made by naming it.
    await attempt(["init", "-no-color", "-input=false", `-backend-config=${files.backend}`], {
      TF_WORKSPACE: name,
    });
    await attempt(["workspace", "delete", "-no-color", name]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
