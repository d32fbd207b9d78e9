import type { KubeObject } from "../../cluster/object.ts";
import { cacheAdmin, cacheNames, nextCredentials } from "../credentials.ts";
import { ports } from "../ports.ts";
import { RefusedInput } from "../refusal.ts";
import {
  credentialsMount,
  credentialsVariable,
  credentialsVolume,
  dataStoreService,
  dataStoreStatefulSet,
} from "./data-store.ts";
import { metadataOf, restrictedContainer, restrictedPod, type Subject } from "./subject.ts";

/** User `redis` of the official image. */
const redisUser = 999;

/** What the service's login may do in its cache: all but administer it, and no connections to elsewhere. */
export const cacheLoginRights = "~* &* +@all -@admin -migrate";

/** What {@link cacheAdmin} may do: nothing with data. */
const cacheAdminRights = "+acl|setuser +acl|getuser +acl|deluser +acl|users +client|list +client|kill +ping";

const configuration = `dir /data
appendonly yes
appendfsync everysec
protected-mode yes
maxmemory-policy allkeys-lru
include /run/redis/users.conf
`;

/**
 * Users, then the server. The service's login may do all but administer; `platform`, whose password no pod but this one
 * and a rotation's reads, may do nothing but administer users. While a rotation is under way its logins are there
 * beside the one that counts, so that a restart takes nobody's away. Passwords reach Redis as digests, by a file in
 * memory, never by its arguments, which every process in the pod could read.
 * Three quarters of the container's memory hold data: the rest is for the copy that a rewrite of the log makes.
 */
const start = `set -eu
umask 077
digest() { sha256sum < "$CREDENTIALS/$1" | cut -c 1-64; }
login() { printf 'user %s on #%s ${cacheLoginRights}\\n' "$(cat "$CREDENTIALS/$1username")" "$(digest "$1password")"; }
{
  printf 'user default off\\n'
  printf 'user ${cacheAdmin} on #%s ${cacheAdminRights}\\n' "$(digest admin/password)"
  login ''
  for other in next/ previous/; do
    if [ -f "$CREDENTIALS/\${other}username" ] && [ "$(cat "$CREDENTIALS/\${other}username")" != "$(cat "$CREDENTIALS/username")" ]; then
      login "$other"
    fi
  done
} > /run/redis/users.conf
exec redis-server /etc/redis/redis.conf --maxmemory "$((MEMORY_LIMIT / 4 * 3))"
`;

/** Redis answers as this user. redis-cli exits 0 on an error reply too, for example while the data set loads. */
function answers(user: string, password: string) {
  const command = `REDISCLI_AUTH="$(cat "$CREDENTIALS/${password}")" redis-cli --user "${user}" ping | grep -qx PONG`;
  return { exec: { command: ["sh", "-c", command] }, timeoutSeconds: 5 };
}

/** The image of the version that was asked for, or the standards' own. @throws RefusedInput */
export function cacheImage({
  spec,
  standards,
}: {
  readonly spec: Pick<Subject["spec"], "cache">;
  readonly standards: Pick<Subject["standards"], "cache">;
}): string {
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
  const { name, admin } = cacheNames(subject.application);
  const { storage, resources } = subject.standards.cache;
  const image = cacheImage(subject);
  const healthy = answers(cacheAdmin, "admin/password");
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
            credentialsVariable,
            // In bytes.
            {
              name: "MEMORY_LIMIT",
              valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "0" } },
            },
          ],
          resources,
          securityContext: restrictedContainer,
          // Started only when the service can log in; see the database.
          startupProbe: {
            ...answers('$(cat "$CREDENTIALS/username")', "password"),
            periodSeconds: 2,
            failureThreshold: 150,
          },
          livenessProbe: { ...healthy, periodSeconds: 10, failureThreshold: 6 },
          readinessProbe: { ...healthy, periodSeconds: 5, failureThreshold: 3 },
          volumeMounts: [
            { name: "data", mountPath: "/data" },
            { name: "configuration", mountPath: "/etc/redis", readOnly: true },
            credentialsMount(),
            { name: "run", mountPath: "/run/redis" },
            { name: "tmp", mountPath: "/tmp" },
          ],
        },
      ],
      volumes: [
        { name: "configuration", configMap: { name } },
        credentialsVolume([
          { secret: name, files: { username: "username", password: "password" } },
          { secret: admin, files: { password: "admin/password" } },
          {
            secret: nextCredentials(name),
            files: {
              username: "next/username",
              password: "next/password",
              previousUsername: "previous/username",
              previousPassword: "previous/password",
            },
            optional: true,
          },
        ]),
        { name: "run", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
        { name: "tmp", emptyDir: { sizeLimit: "16Mi" } },
      ],
    }),
  ];
}
