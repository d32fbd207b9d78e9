/** A DNS label that starts with a letter, as teams and services are named. At most 63 characters. */
export const dnsLabelPattern = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** An image reference as container runtimes take it: `[host[:port]/]path[:tag][@digest]`, path in lower case. */
export const imagePattern =
  /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?\/)?[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*(\/[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*)*(:[A-Za-z0-9_][-A-Za-z0-9_.]{0,127})?(@sha256:[0-9a-f]{64})?$/;

/** A Kubernetes quantity, for example `100m` or `256Mi`. */
export const quantityPattern = /^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/;
