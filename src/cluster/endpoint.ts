/** How requests prove who sends them. Asked before each request, so that it can be renewed. */
export interface Credentials {
  /**
   * Headers to send; no header: anonymous or by client certificate.
   * @param refresh - the server refused what was given last time
   * @throws ClusterError `unauthenticated` when none can be had
   */
  headers(refresh: boolean): Promise<Readonly<Record<string, string>>>;
  /** Whether asking again with `refresh` may give others. */
  readonly renewable: boolean;
  /** Certificate and key in PEM, where the credentials bring their own. Known after the first `headers`. */
  clientCertificate?(): { readonly cert: string; readonly key: string } | undefined;
}

/** Where a cluster answers and how to speak to it. */
export interface Endpoint {
  /** The kubeconfig context, or `sandbox`. */
  readonly context: string;
  readonly simulated: boolean;
  /** Base URL; may have a path. */
  readonly url: string;
  /** Unix socket to connect through instead of TCP. */
  readonly socketPath: string | undefined;
  /** HTTP proxy to go through, and the hosts it is not for, separated by commas. */
  readonly proxy: { readonly url: string; readonly except: string } | undefined;
  readonly tls: {
    /** Authorities in PEM; the system's where undefined. */
    readonly ca: string | undefined;
    readonly cert: string | undefined;
    readonly key: string | undefined;
    readonly serverName: string | undefined;
    readonly insecure: boolean;
  };
  readonly credentials: Credentials;
  /** Sent with every request, for example `Impersonate-User`. */
  readonly headers: Readonly<Record<string, string | string[]>>;
}

/** A bearer token that never changes. */
export function staticToken(token: string): Credentials {
  const headers = { authorization: `Bearer ${token.trim()}` };
  return { renewable: false, headers: async () => headers };
}

/** No header at all: anonymous, or known by a client certificate. */
export const noCredentials: Credentials = { renewable: false, headers: async () => ({}) };
