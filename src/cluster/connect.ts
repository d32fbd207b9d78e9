import { access, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Cluster } from "./cluster.ts";
import { connectionsTo } from "./connections-to.ts";
import { authProvider, execPlugin, tokenFile } from "./credentials.ts";
import { type Credentials, type Endpoint, noCredentials, staticToken } from "./endpoint.ts";
import { HttpCluster } from "./http-cluster.ts";
import { endpointInPod } from "./in-pod.ts";
import {
  type Kubeconfig,
  type KubeconfigCluster,
  KubeconfigError,
  type KubeconfigUser,
  kubeconfigPaths,
  readKubeconfig,
} from "./kubeconfig.ts";
import { cleanText } from "./text.ts";
import { systemTiming, type Timing } from "./timing.ts";
import { Transport, type TransportOptions } from "./transport.ts";

/** Which cluster to speak to. */
export type Connection =
  | {
      readonly kind: "kubeconfig";
      /** Left out: KUBECONFIG, else `~/.kube/config`, else in a pod its own ServiceAccount. */
      readonly path?: string;
      /** Left out: the current context. */
      readonly context?: string;
    }
  | {
      readonly kind: "endpoint";
      readonly url: string;
      readonly token: string;
      readonly socketPath?: string | undefined;
      readonly context: string;
      readonly simulated: boolean;
      /** User to impersonate. */
      readonly as?: string;
    };

export interface ConnectOptions extends Pick<TransportOptions, "onWarning" | "onAnswer"> {
  /** Default: the machine's own. */
  readonly timing?: Timing;
  /** Default: the process's own. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * A cluster to send requests to. Sends none itself.
 * @throws KubeconfigError when the kubeconfig cannot be used
 */
export async function connect(connection: Connection, options: ConnectOptions = {}): Promise<Cluster> {
  const { timing = systemTiming } = options;
  return new HttpCluster(await openTransport(connection, options), timing.random);
}

/** The HTTP connection beneath a cluster, for requests that {@link Cluster} has no words for. @throws KubeconfigError */
export async function openTransport(
  connection: Connection,
  options: ConnectOptions = {},
): Promise<Transport> {
  const { timing = systemTiming, environment = process.env, onWarning, onAnswer } = options;
  const endpoint =
    connection.kind === "endpoint"
      ? endpointOf(connection)
      : ((await endpointOfPod(connection, environment, timing)) ??
        (await endpointFrom(
          await readKubeconfig(kubeconfigPaths(connection.path, environment)),
          connection.context,
          environment,
          timing,
        )));
  return new Transport(endpoint, await connectionsTo(endpoint), { timing, onWarning, onAnswer });
}

/**
 * The contexts of the kubeconfig, in its order.
 * @throws KubeconfigError
 */
export async function listContexts(
  path?: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<readonly { readonly name: string; readonly cluster: string; readonly current: boolean }[]> {
  const config = await readKubeconfig(kubeconfigPaths(path, environment));
  return [...config.contexts].map(([name, { value }]) => ({
    name,
    cluster: cleanText(value.cluster),
    current: name === config.currentContext,
  }));
}

function endpointOf(connection: Extract<Connection, { readonly kind: "endpoint" }>): Endpoint {
  return {
    context: connection.context,
    simulated: connection.simulated,
    url: connection.url,
    socketPath: connection.socketPath,
    proxy: undefined,
    tls: { ca: undefined, cert: undefined, key: undefined, serverName: undefined, insecure: false },
    credentials: staticToken(connection.token),
    headers: connection.as === undefined ? {} : { "Impersonate-User": connection.as },
  };
}

/** As kubectl has it: a pod that brings no kubeconfig speaks as its ServiceAccount. */
async function endpointOfPod(
  connection: Extract<Connection, { readonly kind: "kubeconfig" }>,
  environment: Readonly<Record<string, string | undefined>>,
  timing: Timing,
): Promise<Endpoint | undefined> {
  if (connection.path !== undefined || connection.context !== undefined || environment.KUBECONFIG) {
    return undefined;
  }
  const [own = ""] = kubeconfigPaths(undefined, environment);
  if (
    await access(own).then(
      () => true,
      () => false,
    )
  )
    return undefined;
  return endpointInPod(environment, timing);
}

async function endpointFrom(
  config: Kubeconfig,
  wanted: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  timing: Timing,
): Promise<Endpoint> {
  const context = wanted ?? config.currentContext;
  if (context === undefined) {
    throw new KubeconfigError(
      `kubeconfig ${config.source} has no current context; choose one: kubectl config use-context NAME, or --context NAME`,
    );
  }
  const chosen = config.contexts.get(context);
  if (chosen === undefined) {
    const known = [...config.contexts.keys()].join(", ") || "none";
    throw new KubeconfigError(
      cleanText(`kubeconfig ${config.source} has no context "${context}"; it has: ${known}`),
    );
  }
  const cluster = config.clusters.get(chosen.value.cluster);
  if (cluster === undefined) {
    throw new KubeconfigError(
      cleanText(
        `kubeconfig ${config.source}: context ${context} names cluster "${chosen.value.cluster}", which is missing`,
      ),
    );
  }
  const userName = chosen.value.user ?? undefined;
  const user = userName === undefined ? undefined : config.users.get(userName);
  if (userName !== undefined && userName !== "" && user === undefined) {
    throw new KubeconfigError(
      cleanText(`kubeconfig ${config.source}: context ${context} names user "${userName}", which is missing`),
    );
  }
  const pem = (data: string | null | undefined, file: string | null | undefined, folder: string) =>
    data != null && data !== ""
      ? Promise.resolve(Buffer.from(data, "base64").toString("utf8"))
      : readPem(file, folder, config.source);
  const userFolder = user?.folder ?? "";
  const [ca, cert, key] = await Promise.all([
    pem(cluster.value["certificate-authority-data"], cluster.value["certificate-authority"], cluster.folder),
    pem(user?.value["client-certificate-data"], user?.value["client-certificate"], userFolder),
    pem(user?.value["client-key-data"], user?.value["client-key"], userFolder),
  ]);
  return {
    context,
    simulated: false,
    url: cluster.value.server,
    socketPath: undefined,
    proxy: proxyOf(cluster.value, environment),
    tls: {
      ca,
      cert,
      key,
      serverName: cluster.value["tls-server-name"] || undefined,
      insecure: cluster.value["insecure-skip-tls-verify"] === true,
    },
    credentials:
      user === undefined
        ? noCredentials
        : credentialsOf(user.value, cluster.value, { context, folder: user.folder, environment, timing }),
    headers: impersonation(user?.value),
  };
}

function credentialsOf(
  user: KubeconfigUser,
  cluster: KubeconfigCluster,
  around: {
    readonly context: string;
    readonly folder: string;
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly timing: Timing;
  },
): Credentials {
  if (user.token) return staticToken(user.token);
  if (user.tokenFile) return tokenFile(resolve(around.folder, user.tokenFile), around.timing);
  if (user.exec) {
    // A command with a slash is relative to its kubeconfig, one without is looked up in PATH.
    const command = user.exec.command.includes("/")
      ? resolve(around.folder, user.exec.command)
      : user.exec.command;
    return execPlugin({ ...user.exec, command }, cluster, around.environment, around.timing);
  }
  if (user["auth-provider"]) return authProvider(user, cluster, around.context);
  if (user.username && user.password) {
    const basic = Buffer.from(`${user.username}:${user.password}`).toString("base64");
    return { renewable: false, headers: async () => ({ authorization: `Basic ${basic}` }) };
  }
  return noCredentials;
}

/** The kubeconfig's own proxy, else the environment's, which as everywhere is not for this machine itself. */
function proxyOf(
  cluster: KubeconfigCluster,
  environment: Readonly<Record<string, string | undefined>>,
): Endpoint["proxy"] {
  const own = cluster["proxy-url"];
  if (own) return { url: own, except: "" };
  const { hostname, protocol } = new URL(cluster.server);
  if (hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.")) return undefined;
  const of = (name: string) => environment[name.toLowerCase()] || environment[name] || undefined;
  const url = of(protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  return url === undefined ? undefined : { url, except: of("NO_PROXY") ?? "" };
}

function impersonation(user: KubeconfigUser | undefined): Record<string, string | string[]> {
  const groups = user?.["as-groups"] ?? [];
  return {
    ...(user?.as ? { "impersonate-user": user.as } : {}),
    ...(groups.length > 0 ? { "impersonate-group": [...groups] } : {}),
  };
}

async function readPem(
  file: string | null | undefined,
  folder: string,
  source: string,
): Promise<string | undefined> {
  if (file == null || file === "") return undefined;
  const path = resolve(folder, file);
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    throw new KubeconfigError(`kubeconfig ${source}: cannot read ${path}, which it names (${code})`);
  }
}
