import { execa } from "execa";

const counted = new Set([
  "applications",
  "deployments",
  "services",
  "serviceaccounts",
  "poddisruptionbudgets",
  "networkpolicies",
]);
const writing = new Set(["POST", "PUT", "PATCH", "APPLY", "DELETE"]);

/**
 * Writes of Applications, their status and their children that the API server has answered, by its own count. What
 * its controllers write (status of Deployments and budgets) is left out, and so is what the benchmark writes: it
 * takes that off itself.
 */
export async function writesOf(kubeconfig: string): Promise<number> {
  const { stdout } = await execa("kubectl", ["--kubeconfig", kubeconfig, "get", "--raw", "/metrics"]);
  let writes = 0;
  for (const line of stdout.split("\n")) {
    if (!line.startsWith("apiserver_request_total{")) continue;
    const label = (name: string) => new RegExp(`[{,]${name}="([^"]*)"`).exec(line)?.[1] ?? "";
    if (!writing.has(label("verb")) || !counted.has(label("resource"))) continue;
    if (label("subresource") !== "" && label("resource") !== "applications") continue;
    writes += Number(line.slice(line.lastIndexOf(" ")));
  }
  return writes;
}
