/** What only a cluster knows of what a service's objects depend on. Left out: as if nothing were known. */
export interface ClusterFacts {
  /** Mark of the credentials that the pods read (`credentialsMark`). */
  readonly credentials?: string | undefined;
  /** Whether ServiceMonitors are served; where they are not, annotations say what to scrape. Left out: they are. */
  readonly serviceMonitors?: boolean;
  /** Whether the cluster has guardrails: kind Guardrails, and the roles that are shipped with it. Left out: no. */
  readonly guardrails?: boolean;
  /** Tier of the namespace. Left out: the standards' default. */
  readonly tier?: string | undefined;
}
