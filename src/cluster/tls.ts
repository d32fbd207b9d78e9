import { createSecureContext, type SecureContext } from "node:tls";
import type { Endpoint } from "./endpoint.ts";

/** How connections to an endpoint prove each side's identity, as Node's TLS takes it. */
export interface TlsOptions {
  readonly secureContext?: SecureContext;
  readonly servername?: string;
  readonly rejectUnauthorized?: false;
}

/** With the certificate of the endpoint's credentials where they bring one. */
export function tlsOf(endpoint: Endpoint): TlsOptions {
  const own = endpoint.credentials.clientCertificate?.();
  const { ca, insecure, serverName } = endpoint.tls;
  const cert = own?.cert ?? endpoint.tls.cert;
  const key = own?.key ?? endpoint.tls.key;
  return {
    // Made once, not for each connection: reading keys and certificates takes longer than a request.
    ...(endpoint.url.startsWith("https:") ? { secureContext: createSecureContext({ ca, cert, key }) } : {}),
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(insecure ? { rejectUnauthorized: false } : {}),
  };
}
