import { appendFile, chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hasCode } from "./bare-repository.ts";

/** The program that a push to a repository of the sandbox runs. */
export interface PushProgram {
  /** Path of Node. */
  readonly node: string;
  /** Path of this program's entry. */
  readonly entry: string;
  /** The sandbox's state folder. */
  readonly state: string;
}

/**
 * The same text in every repository. What differs, it reads from Git's configuration, and quotes: nothing that
 * anybody typed becomes part of it.
 */
const hook = `#!/bin/sh
# Made by the platform for its sandbox: what is pushed goes through a simulated pipeline.
node=$(git config --get pipeline.node) &&
  entry=$(git config --get pipeline.entry) &&
  state=$(git config --get pipeline.state) &&
  [ -x "$node" ] && [ -f "$entry" ] || {
    echo "no simulated pipeline: the platform is not where it was; any platform command on the sandbox mends it"
    exit 0
  }
PLATFORM_STATE_DIR="$state" exec "$node" "$entry" --sandbox sandbox pipeline --repository "$PWD"
`;

/** One for all repositories of a folder, so that a program that has moved is found again. */
const configuration = "pipeline.config";

/** Adds the hook to a bare repository that is being made in the folder of a team, beside the folder's other teams. */
export async function addPushHook(folder: string, program: PushProgram): Promise<void> {
  await mkdir(join(folder, "hooks"), { recursive: true });
  const path = join(folder, "hooks", "post-receive");
  await Promise.all([
    writeFile(path, hook, { mode: 0o755 }),
    appendFile(join(folder, "config"), `[include]\n\tpath = ../../${configuration}\n`),
    pointHooksAt(dirname(dirname(folder)), program),
  ]);
  // Whatever the umask says.
  await chmod(path, 0o755);
}

/** Tells the hooks of all repositories below a folder where the program is; a folder that is not there is left so. */
export async function pointHooksAt(root: string, { node, entry, state }: PushProgram): Promise<void> {
  const path = join(root, configuration);
  const text = `[pipeline]\n\tnode = ${quoted(node)}\n\tentry = ${quoted(entry)}\n\tstate = ${quoted(state)}\n`;
  try {
    if ((await textOf(path)) === text) return;
    const aside = await mkdtemp(join(root, ".pipeline-"));
    try {
      await writeFile(join(aside, configuration), text, { mode: 0o600 });
      await rename(join(aside, configuration), path);
    } finally {
      await rm(aside, { recursive: true, force: true });
    }
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** A value as git-config(1) reads it back. */
function quoted(value: string): string {
  const escaped = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `"${escaped}"`;
}
