import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { readKubeconfig } from "../../src/cluster/kubeconfig.ts";
import type { Upstream } from "../crash/proxy.ts";

/** The API server of a kubeconfig's current context, and credentials that can be sent on. */
export async function upstreamOf(path: string): Promise<Upstream> {
  const { currentContext = "", contexts, clusters, users } = await readKubeconfig([resolve(path)]);
  const context = contexts.get(currentContext)?.value;
  const server = clusters.get(context?.cluster ?? "")?.value;
  const user = users.get(context?.user ?? "")?.value;
  const pem = async (data: string | null | undefined, file: string | null | undefined) => {
    if (data) return Buffer.from(data, "base64").toString();
    return file ? readFile(resolve(path, "..", file), "utf8") : undefined;
  };
  return {
    url: server?.server ?? "",
    token: user?.token ?? undefined,
    ca: await pem(server?.["certificate-authority-data"], server?.["certificate-authority"]),
    cert: await pem(user?.["client-certificate-data"], user?.["client-certificate"]),
    key: await pem(user?.["client-key-data"], user?.["client-key"]),
  };
}
