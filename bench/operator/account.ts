import { writeFile } from "node:fs/promises";
import { execa } from "execa";
import { z } from "zod";
import { operatorName, systemNamespace } from "../../src/application/names.ts";

const viewSchema = z.object({ clusters: z.tuple([z.looseObject({ name: z.string() })]) });

/**
 * Writes a kubeconfig with which a process is the operator to the cluster: its ServiceAccount with the shipped rights,
 * known to the guardrails. Whoever is measured is that.
 */
export async function writeOperatorKubeconfig(kubeconfig: string, file: string): Promise<void> {
  const kubectl = (...args: readonly string[]) => execa("kubectl", ["--kubeconfig", kubeconfig, ...args]);
  const view = await kubectl("config", "view", "--raw", "--flatten", "--minify", "--output", "json");
  const {
    clusters: [cluster],
  } = viewSchema.parse(JSON.parse(view.stdout));
  const { stdout: token } = await kubectl(
    ...["create", "token", operatorName, "--namespace", systemNamespace, "--duration", "24h"],
  );
  const name = "operator";
  const written = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [cluster],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: cluster.name, user: name } }],
    "current-context": name,
  };
  await writeFile(file, JSON.stringify(written), { mode: 0o600 });
}
