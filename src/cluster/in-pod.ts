import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { tokenFile } from "./credentials.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Timing } from "./timing.ts";

/** Where the kubelet puts what a pod needs to speak as its ServiceAccount. */
const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * The cluster that this pod runs in, as its ServiceAccount; undefined outside of one. The token is read again as it is
 * rotated.
 */
export async function endpointInPod(
  environment: Readonly<Record<string, string | undefined>>,
  timing: Timing,
  folder: string = accountFolder,
): Promise<Endpoint | undefined> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = environment;
  if (host === undefined || host === "") return undefined;
  let ca: string;
  try {
    ca = await readFile(join(folder, "ca.crt"), "utf8");
  } catch {
    return undefined;
  }
  return {
    context: "in-cluster",
    simulated: false,
    url: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    socketPath: undefined,
    proxy: undefined,
    tls: { ca, cert: undefined, key: undefined, serverName: undefined, insecure: false },
    credentials: tokenFile(join(folder, "token"), timing),
    headers: {},
  };
}
