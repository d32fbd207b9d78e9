import { rename, writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import type { Sandbox } from "./sandbox.ts";

/**
 * The kubeconfig of a sandbox that is served on a port, for kubectl.
 * @throws Error for one that was opened without a port.
 */
export function kubeconfigOf({ served, token }: Pick<Sandbox, "served" | "token">): string {
  if (served === undefined) throw new Error("the sandbox was opened without a port: kubectl cannot reach it");
  const authority = Buffer.from(served.certificate).toString("base64");
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "sandbox",
    clusters: [{ name: "sandbox", cluster: { server: served.url, "certificate-authority-data": authority } }],
    users: [{ name: "sandbox", user: { token } }],
    contexts: [{ name: "sandbox", context: { cluster: "sandbox", user: "sandbox" } }],
  });
}

/** Writes it, readable by this user only, in one step. */
export async function writeKubeconfig(
  path: string,
  sandbox: Pick<Sandbox, "served" | "token">,
): Promise<void> {
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, kubeconfigOf(sandbox), { mode: 0o600 });
  await rename(draft, path);
}
