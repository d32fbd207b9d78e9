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

/** What the API server says of itself. */
export interface ApiServer {
  /**
   * Writes of Applications, their status and their children that it has answered. What Kubernetes' controllers write
   * (status of Deployments and budgets) is left out; what the benchmark writes is not.
   */
  readonly writes: number;
  /** Seconds of one core that it has taken. */
  readonly cpu: number;
}

/** By its metrics. */
export async function apiServer(kubeconfig: string): Promise<ApiServer> {
  const { stdout } = await execa("kubectl", ["--kubeconfig", kubeconfig, "get", "--raw", "/metrics"]);
  let writes = 0;
  let cpu = 0;
  for (const line of stdout.split("\n")) {
    const value = () => Number(line.slice(line.lastIndexOf(" ")));
    if (line.startsWith("process_cpu_seconds_total ")) cpu = value();
    if (line.startsWith("apiserver_request_total{") && isCounted(line)) writes += value();
  }
  return { writes, cpu };
}

function isCounted(line: string): boolean {
  const label = (name: string) => new RegExp(`[{,]${name}="([^"]*)"`).exec(line)?.[1] ?? "";
  if (!writing.has(label("verb")) || !counted.has(label("resource"))) return false;
  return label("subresource") === "" || label("resource") === "applications";
}
