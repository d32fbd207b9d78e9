import type { KubeObject } from "../../src/cluster/object.ts";

/** Values as the Secret of a data store must have them that exists already. */
export function externalValues(
  store: "database" | "cache",
  { host = "db.acme.example", port = store === "database" ? 5432 : 6379, password = "s3cret-of-theirs" } = {},
): Readonly<Record<string, string>> {
  const login = `shop:${encodeURIComponent(password)}`;
  const common = { host, port: String(port), username: "shop", password };
  return store === "database"
    ? { ...common, database: "shop", uri: `postgresql://${login}@${host}:${port}/shop?sslmode=require` }
    : { ...common, uri: `redis://${login}@${host}:${port}/0` };
}

/** A Secret as a person makes it with kubectl. */
export function personsSecret(
  namespace: string,
  name: string,
  values: Readonly<Record<string, string>>,
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "Opaque",
    metadata: { namespace, name },
    data: Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
    ),
  };
}
