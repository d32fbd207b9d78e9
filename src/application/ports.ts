/** The ports of every service and data store, by the names that Services, probes and policies use. */
export const ports = {
  /** Requests and `/healthz`. */
  http: { name: "http", number: 8080 },
  /** `/metrics`, on a port of its own so that the route never shows it. */
  metrics: { name: "metrics", number: 9090 },
  postgres: { name: "postgres", number: 5432 },
  redis: { name: "redis", number: 6379 },
  /** Where Memorystore listens with TLS. */
  redisTls: { name: "redis-tls", number: 6378 },
  /** Where a service's Service listens. */
  service: { name: "http", number: 80 },
} as const;
