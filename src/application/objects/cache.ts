import type { KubeObject } from "../../cluster/object.ts";
import { cacheNames } from "../credentials.ts";
import { ports } from "../ports.ts";
import { RefusedInput } from "../refusal.ts";
import { dataStoreService, dataStoreStatefulSet, fromSecret } from "./data-store.ts";
import { metadataOf, restrictedContainer, restrictedPod, type Subject } from "./subject.ts";

/** User `redis` of the official image. */
const redisUser = 999;

const configuration = `dir /data
appendonly yes
appendfsync everysec
protected-mode yes
maxmemory-policy allkeys-lru
include /run/redis/secret.conf
`;

/**
 * Three quarters of the container's memory hold data: the rest is for the copy that a rewrite of the log makes.
 * The password reaches Redis by a file in memory, never by its arguments, which every process in the pod could read.
 */
const start =
  'umask 077 && printf "requirepass %s\\n" "$REDISCLI_AUTH" > /run/redis/secret.conf && exec redis-server /etc/redis/redis.conf --maxmemory "$((MEMORY_LIMIT / 4 * 3))"';

/** The image of the version that was asked for, or the standards' own. */
function imageOf({ spec, standards }: Subject): string {
  const version = spec.cache?.version;
  if (version === undefined) return standards.cache.image;
  const image = Object.hasOwn(standards.cache.versions, version)
    ? standards.cache.versions[version]
    : undefined;
  if (image !== undefined) return image;
  const offered = Object.keys(standards.cache.versions).sort().join(", ");
  throw new RefusedInput([
    {
      field: "cache.version",
      message: `the standards offer no Redis ${version}${offered === "" ? ": leave the version out" : `, but ${offered}`}`,
    },
  ]);
}

/**
 * Redis in the cluster: a StatefulSet with a volume, its Service and configuration. Its Secret is made apart, once.
 * @throws RefusedInput for a version that the standards do not offer
 */
export function cache(subject: Subject): KubeObject[] {
  const { name } = cacheNames(subject.application);
  const { storage, resources } = subject.standards.cache;
  const image = imageOf(subject);
  const probe = (seconds: { readonly periodSeconds: number; readonly failureThreshold: number }) => ({
    // redis-cli exits 0 on an error reply too, for example while the data set loads.
    exec: { command: ["sh", "-c", "redis-cli ping | grep -qx PONG"] },
    timeoutSeconds: 5,
    ...seconds,
  });
  return [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: metadataOf(subject, "cache", name),
      data: { "redis.conf": configuration },
    },
    dataStoreService(subject, "cache", name, ports.redis),
    dataStoreStatefulSet(subject, "cache", name, storage, {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 30,
      securityContext: restrictedPod(redisUser),
      containers: [
        {
          name: "redis",
          image,
          command: ["sh", "-c", start],
          ports: [{ name: ports.redis.name, containerPort: ports.redis.number, protocol: "TCP" }],
          env: [
            fromSecret("REDISCLI_AUTH", name, "password"),
            // In bytes.
            {
              name: "MEMORY_LIMIT",
              valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "0" } },
            },
          ],
          resources,
          securityContext: restrictedContainer,
          startupProbe: probe({ periodSeconds: 2, failureThreshold: 150 }),
          livenessProbe: probe({ periodSeconds: 10, failureThreshold: 6 }),
          readinessProbe: probe({ periodSeconds: 5, failureThreshold: 3 }),
          volumeMounts: [
            { name: "data", mountPath: "/data" },
            { name: "configuration", mountPath: "/etc/redis", readOnly: true },
            { name: "run", mountPath: "/run/redis" },
            { name: "tmp", mountPath: "/tmp" },
          ],
        },
      ],
      volumes: [
        { name: "configuration", configMap: { name } },
        { name: "run", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
        { name: "tmp", emptyDir: { sizeLimit: "16Mi" } },
      ],
    }),
  ];
}
