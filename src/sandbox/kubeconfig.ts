import { rename, writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import type { Sandbox } from "./sandbox.ts";

/** The kubeconfig of a sandbox that is served on a port, for kubectl. */
export function kubeconfigOf({ url, token }: Pick<Sandbox, "url" | "token">): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "sandbox",
    clusters: [{ name: "sandbox", cluster: { server: url } }],
    users: [{ name: "sandbox", user: { token } }],
    contexts: [{ name: "sandbox", context: { cluster: "sandbox", user: "sandbox" } }],
  });
}

/** Writes it, readable by this user only, in one step. */
export async function writeKubeconfig(path: string, sandbox: Pick<Sandbox, "url" | "token">): Promise<void> {
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, kubeconfigOf(sandbox), { mode: 0o600 });
  await rename(draft, path);
}
