import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Credentials } from "./endpoint.ts";
import { ClusterError } from "./errors.ts";
import type { KubeconfigCluster, KubeconfigExec, KubeconfigUser } from "./kubeconfig.ts";
import { cleanText } from "./text.ts";
import type { Timing } from "./timing.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Tokens in files are rotated (projected service account tokens): read again after a minute. */
const tokenFileMs = 60_000;
/** Renewed this long before they expire, so that none expires on the way. */
const renewBeforeMs = 30_000;
/** A plugin may open a browser for a login. */
const pluginTimeoutMs = 120_000;

function unauthenticated(message: string): ClusterError {
  return new ClusterError("unauthenticated", message, { request: "authenticate" });
}

/** A bearer token that is read from a file, again and again. */
export function tokenFile(path: string, timing: Timing): Credentials {
  let read: { readonly token: string; readonly at: number } | undefined;
  return {
    renewable: true,
    async headers(refresh) {
      const now = timing.now().getTime();
      if (read === undefined || refresh || now - read.at > tokenFileMs) {
        try {
          read = { token: (await readFile(path, "utf8")).trim(), at: now };
        } catch (error) {
          const code = error instanceof Error && "code" in error ? String(error.code) : "";
          throw unauthenticated(`cannot read the token file ${path} (${code})`);
        }
      }
      return { authorization: `Bearer ${read.token}` };
    },
  };
}

const execCredentialSchema = z.looseObject({
  status: z.looseObject({
    token: z.string().nullish(),
    clientCertificateData: z.string().nullish(),
    clientKeyData: z.string().nullish(),
    expirationTimestamp: z.string().nullish(),
  }),
});

/**
 * Credentials of an exec plugin (`client.authentication.k8s.io`). Our own, because the Kubernetes client library's
 * does not set KUBERNETES_EXEC_INFO, which Google's plugin demands, and has no time limit.
 */
export function execPlugin(
  exec: KubeconfigExec,
  cluster: KubeconfigCluster,
  environment: Environment,
  timing: Timing,
): Credentials {
  let given:
    | { readonly status: z.output<typeof execCredentialSchema>["status"]; readonly until: number }
    | undefined;
  let asking: Promise<void> | undefined;
  const ask = async () => {
    const status = await runPlugin(exec, cluster, environment);
    const until =
      status.expirationTimestamp == null ? Number.POSITIVE_INFINITY : Date.parse(status.expirationTimestamp);
    given = { status, until: Number.isNaN(until) ? 0 : until };
  };
  return {
    renewable: true,
    async headers(refresh) {
      const fresh = given !== undefined && given.until - renewBeforeMs > timing.now().getTime();
      if (!fresh || refresh) {
        // Many requests at once ask the plugin once.
        asking ??= ask().finally(() => {
          asking = undefined;
        });
        await asking;
      }
      const token = given?.status.token;
      return token == null ? {} : { authorization: `Bearer ${token}` };
    },
    clientCertificate() {
      const cert = given?.status.clientCertificateData;
      const key = given?.status.clientKeyData;
      return cert == null || key == null ? undefined : { cert, key };
    },
  };
}

async function runPlugin(
  exec: KubeconfigExec,
  cluster: KubeconfigCluster,
  environment: Environment,
): Promise<z.output<typeof execCredentialSchema>["status"]> {
  const info = {
    apiVersion: exec.apiVersion,
    kind: "ExecCredential",
    spec: {
      interactive: false,
      ...(exec.provideClusterInfo === true
        ? {
            cluster: {
              server: cluster.server,
              ...pick(cluster, "certificate-authority-data"),
              ...pick(cluster, "tls-server-name"),
              ...pick(cluster, "insecure-skip-tls-verify"),
            },
          }
        : {}),
    },
  };
  const env: NodeJS.ProcessEnv = { ...environment, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  for (const { name, value } of exec.env ?? []) env[name] = value;
  const answer = await new Promise<string>((resolve, reject) => {
    const options = { env, timeout: pluginTimeoutMs, maxBuffer: 1 << 20, windowsHide: true };
    execFile(exec.command, [...(exec.args ?? [])], options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const hint = exec.installHint == null ? "" : ` ${cleanText(exec.installHint)}`;
      const said = cleanText(stderr).slice(-300);
      const why =
        error.code === "ENOENT"
          ? `it is not installed.${hint}`
          : error.killed === true
            ? `it did not end within ${pluginTimeoutMs / 1000} s`
            : said || `it ended with code ${error.code}`;
      reject(unauthenticated(`the kubeconfig's login command "${exec.command}" failed: ${why}`));
    });
  });
  const parsed = execCredentialSchema.safeParse(jsonOf(answer));
  if (!parsed.success) {
    throw unauthenticated(`the kubeconfig's login command "${exec.command}" printed no credentials`);
  }
  return parsed.data.status;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pick<Key extends keyof KubeconfigCluster>(
  cluster: KubeconfigCluster,
  key: Key,
): Record<string, unknown> {
  return cluster[key] == null ? {} : { [key]: cluster[key] };
}

/**
 * Credentials of an `auth-provider` entry (oidc), which the Kubernetes client library knows how to renew. It is
 * loaded only for them: it costs 430 ms.
 */
export function authProvider(user: KubeconfigUser, cluster: KubeconfigCluster, context: string): Credentials {
  const load = async () => {
    const { KubeConfig } = await import("@kubernetes/client-node");
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [{ name: context, server: cluster.server, skipTLSVerify: false }],
      users: [{ name: context, authProvider: user["auth-provider"] }],
      contexts: [{ name: context, cluster: context, user: context }],
      currentContext: context,
    });
    return config;
  };
  let loading: ReturnType<typeof load> | undefined;
  return {
    renewable: true,
    async headers() {
      loading ??= load();
      const options: { headers?: Record<string, unknown> } = {};
      try {
        await (await loading).applyToHTTPSOptions(options);
      } catch (error) {
        const why = cleanText(error instanceof Error ? error.message : String(error));
        throw unauthenticated(
          `the kubeconfig's auth-provider for context ${context} failed: ${why}; log in again, or use a login command (exec)`,
        );
      }
      const header = options.headers?.Authorization;
      if (typeof header === "string") return { authorization: header };
      throw unauthenticated(
        `the kubeconfig's auth-provider for context ${context} gave no token; log in again, or use a login command (exec)`,
      );
    },
  };
}
