import { isIP } from "node:net";
import type { Standards } from "../standards/standards.ts";

/** Where a path through the closed network is opened to, or from: a peer of a NetworkPolicy. */
export type Peer =
  | { readonly ipBlock: { readonly cidr: string } }
  | { readonly namespaceSelector: { readonly matchLabels: Readonly<Record<string, string>> } };

/** An address of IPv4 or IPv6, and no other. Pure. */
export function addressPeer(address: string): Peer {
  return { ipBlock: { cidr: `${address}/${isIP(address) === 6 ? 128 : 32}` } };
}

/** Every pod of a namespace. Pure. */
export function namespacePeer(namespace: string): Peer {
  return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } } };
}

/** The namespace of a Service's name, `NAME.NAMESPACE.svc`, of a pod behind it too; undefined for any other host. Pure. */
export function namespaceOfHost(host: string): string | undefined {
  return /^(?:[^.]+\.)+([^.]+)\.svc(?:\.cluster\.local)?\.?$/i.exec(host)?.[1]?.toLowerCase();
}

/** Where Google runs data stores, by the standards; none where they do not say. Pure. */
export function googlePeers({ google }: Pick<Standards, "google">): readonly Peer[] {
  return google === undefined ? [] : [{ ipBlock: { cidr: google.range } }];
}
