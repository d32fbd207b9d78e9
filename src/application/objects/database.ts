import type { KubeObject } from "../../cluster/object.ts";
import { databaseNames } from "../credentials.ts";
import { ports } from "../ports.ts";
import type { Resources } from "../schema.ts";
import { dataStoreService, dataStoreStatefulSet, fromSecret } from "./data-store.ts";
import { metadataOf, restrictedContainer, restrictedPod, type Subject } from "./subject.ts";

/** User `postgres` of the official image. */
const postgresUser = 999;

/**
 * Run once by the image's entrypoint, over the pod's own socket. The service's user is no superuser: it owns its
 * database and nothing else; the superuser has no password afterwards, so that only a shell in the pod is one.
 */
const initialise = `\\set ON_ERROR_STOP on
SET log_min_error_statement TO panic;
\\getenv username DATABASE_USERNAME
\\getenv password DATABASE_PASSWORD
CREATE ROLE :"username" LOGIN PASSWORD :'password';
SELECT current_database() AS database \\gset
ALTER DATABASE :"database" OWNER TO :"username";
ALTER ROLE CURRENT_USER PASSWORD NULL;
`;

/** What the pod has: all of the size that was asked for, or what the standards say. */
function resourcesOf({ spec, standards }: Subject): Resources {
  const [, cpu, mebibytes] = /^db-custom-([0-9]+)-([0-9]+)$/.exec(spec.database?.size ?? "") ?? [];
  if (cpu === undefined || mebibytes === undefined) return standards.database.resources;
  const size = { cpu, memory: `${mebibytes}Mi` };
  return { requests: size, limits: size };
}

/** PostgreSQL in the cluster: a StatefulSet with a volume, its Service and what initialises it. Its Secret is made apart, once. */
export function database(subject: Subject): KubeObject[] {
  const { name, database: databaseName } = databaseNames(subject.application);
  const { image, storage } = subject.standards.database;
  const resources = resourcesOf(subject);
  const probe = (seconds: { readonly periodSeconds: number; readonly failureThreshold: number }) => ({
    exec: {
      command: ["sh", "-c", 'exec pg_isready -q -h 127.0.0.1 -U "$DATABASE_USERNAME" -d "$POSTGRES_DB"'],
    },
    timeoutSeconds: 5,
    ...seconds,
  });
  return [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: metadataOf(subject, "database", name),
      data: { "initialise.sql": initialise },
    },
    dataStoreService(subject, "database", name, ports.postgres),
    dataStoreStatefulSet(subject, "database", name, storage, {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      // PostgreSQL finishes open transactions before it stops.
      terminationGracePeriodSeconds: 60,
      securityContext: restrictedPod(postgresUser),
      containers: [
        {
          name: "postgres",
          image,
          ports: [{ name: ports.postgres.name, containerPort: ports.postgres.number, protocol: "TCP" }],
          env: [
            { name: "POSTGRES_USER", value: "postgres" },
            fromSecret("POSTGRES_PASSWORD", name, "password"),
            { name: "POSTGRES_DB", value: databaseName },
            // Passwords for every connection but those over the pod's own socket.
            {
              name: "POSTGRES_INITDB_ARGS",
              value: "--auth-local=trust --auth-host=scram-sha-256 --data-checksums",
            },
            // Below the mount point, which on many volumes holds a lost+found.
            { name: "PGDATA", value: "/var/lib/postgresql/data/pgdata" },
            fromSecret("DATABASE_USERNAME", name, "username"),
            fromSecret("DATABASE_PASSWORD", name, "password"),
          ],
          resources,
          securityContext: restrictedContainer,
          startupProbe: probe({ periodSeconds: 2, failureThreshold: 150 }),
          livenessProbe: probe({ periodSeconds: 10, failureThreshold: 6 }),
          // Ready only when the service's own user can log in, with its password.
          readinessProbe: {
            exec: {
              command: [
                "sh",
                "-c",
                'PGPASSWORD="$DATABASE_PASSWORD" exec psql -w -h 127.0.0.1 -U "$DATABASE_USERNAME" -d "$POSTGRES_DB" -c "SELECT 1"',
              ],
            },
            periodSeconds: 10,
            timeoutSeconds: 5,
            failureThreshold: 3,
          },
          volumeMounts: [
            { name: "data", mountPath: "/var/lib/postgresql/data" },
            { name: "initialise", mountPath: "/docker-entrypoint-initdb.d", readOnly: true },
            { name: "run", mountPath: "/var/run/postgresql" },
            { name: "tmp", mountPath: "/tmp" },
          ],
        },
      ],
      volumes: [
        { name: "initialise", configMap: { name } },
        { name: "run", emptyDir: { sizeLimit: "16Mi" } },
        { name: "tmp", emptyDir: { sizeLimit: "256Mi" } },
      ],
    }),
  ];
}
