import type { Cluster } from "./cluster/cluster.ts";
import { type ConnectOptions, connect } from "./cluster/connect.ts";
import type { PushProgram } from "./delivery/push-hook.ts";

/** A connection and what must be closed with it. */
export interface Connected {
  readonly cluster: Cluster;
  close(): Promise<void>;
}

/** An embedded cluster that is open, as far as the rest of the program needs to know it. */
export interface OpenedSandbox {
  readonly url: string;
  readonly token: string;
  readonly socketPath: string | undefined;
  close(): Promise<void>;
}

/** The sandbox, served on a port for kubectl. */
export interface ServedSandbox {
  readonly url: string;
  /** Path of a kubeconfig for it. */
  readonly kubeconfig: string;
  close(): Promise<void>;
}

/** How the sandbox is reached; `main.ts` alone knows its module. */
export interface SandboxAccess {
  /** Folder of the sandbox's store. */
  readonly folder: string;
  /** Folder of the sandbox's Git repositories. */
  readonly repositories: string;
  /** What a push to one of them runs: the simulated pipeline. Left out: nothing. */
  readonly onPush?: PushProgram;
  /** By what Terraform reaches a cloud that is none either: variables of its environment. Left out: there is no cloud. */
  readonly cloud?: Readonly<Record<string, string>>;
  open(options: { readonly speed?: number }): Promise<OpenedSandbox>;
  serve(options: { readonly speed?: number; readonly port: number }): Promise<ServedSandbox>;
}

/** Which cluster, and as whom. */
export type Where =
  | {
      readonly kind: "sandbox";
      readonly access: SandboxAccess;
      readonly speed?: number;
      /** Whom the sandbox takes requests to come from; left out: its one user. */
      readonly as?: string;
    }
  | { readonly kind: "kubeconfig"; readonly path?: string; readonly context?: string };

/**
 * Connects, and sends nothing yet to a cluster of a kubeconfig.
 * @throws KubeconfigError, or the sandbox's own error where its store cannot be opened
 */
export async function connectCluster(where: Where, options: ConnectOptions = {}): Promise<Connected> {
  if (where.kind === "kubeconfig") {
    const cluster = await connect(where, options);
    return { cluster, close: () => cluster.close() };
  }
  const { access, speed, as } = where;
  const opened = await access.open(speed === undefined ? {} : { speed });
  const cluster = await connect(
    {
      kind: "endpoint",
      url: opened.url,
      token: opened.token,
      socketPath: opened.socketPath,
      context: "sandbox",
      simulated: true,
      ...(as === undefined ? {} : { as }),
    },
    options,
  );
  return {
    cluster,
    close: async () => {
      await cluster.close();
      await opened.close();
    },
  };
}
