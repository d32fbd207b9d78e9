/** How an embedded cluster is opened. */
export interface SandboxOptions {
  /** Folder of the SQLite store; made with mode 0700. Processes that open the same folder share one cluster. */
  readonly folder: string;
  /** Multiplies the speed of the simulated controllers: 1 is believable, 100 is for tests. Default 1. */
  readonly speed?: number;
  /** Listens on 127.0.0.1 at this port too (0: any free one), for kubectl. Left out: only for this process. */
  readonly port?: number;
}

/** An open embedded cluster. The API server runs in a worker thread; SQLite calls never block the caller. */
export interface Sandbox {
  /** Base URL for HTTP requests, and the bearer token that they must carry. */
  readonly url: string;
  readonly token: string;
  /** When set, connect through this Unix socket instead of TCP. */
  readonly socketPath: string | undefined;
  /** With `port`: where kubectl reaches it (TLS; kubectl sends no token otherwise), and the PEM certificate to trust. */
  readonly served: { readonly url: string; readonly certificate: string } | undefined;
  /** Stops serving; everything acknowledged is on disk anyway. */
  close(): Promise<void>;
}
