import type { KubeObject } from "../../cluster/object.ts";
import { databaseNames } from "../credentials.ts";
import { ports } from "../ports.ts";
import type { Resources } from "../schema.ts";
import {
  credentialsMount,
  credentialsVariable,
  credentialsVolume,
  dataStoreService,
  dataStoreStatefulSet,
} from "./data-store.ts";
import { initialiseSql } from "./database-sql.ts";
import { metadataOf, restrictedContainer, restrictedPod, type Subject } from "./subject.ts";

/** User `postgres` of the official image. */
const postgresUser = 999;

/** What the pod has: all of the size that was asked for, or what the standards say. */
export function databaseResources({
  spec,
  standards,
}: {
  readonly spec: Pick<Subject["spec"], "database">;
  readonly standards: Pick<Subject["standards"], "database">;
}): Resources {
  const [, cpu, mebibytes] = /^db-custom-([0-9]+)-([0-9]+)$/.exec(spec.database?.size ?? "") ?? [];
  if (cpu === undefined || mebibytes === undefined) return standards.database.resources;
  const size = { cpu, memory: `${mebibytes}Mi` };
  return { requests: size, limits: size };
}

/** A login over TCP as the service does it, with the credentials that its Secret holds now. */
const login =
  'PGPASSWORD="$(cat "$CREDENTIALS/password")" PGDATABASE="$POSTGRES_DB" exec psql -X -w -q -h 127.0.0.1 -U "$(cat "$CREDENTIALS/username")" -c "SELECT 1"';

const shell = (command: string) => ({ exec: { command: ["sh", "-c", command] } });

/** PostgreSQL in the cluster: a StatefulSet with a volume, its Service and what initialises it. Its Secret is made apart, once. */
export function database(subject: Subject): KubeObject[] {
  const { name, database: databaseName, logins } = databaseNames(subject.application);
  const { image, storage } = subject.standards.database;
  const [first, second] = logins;
  return [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: metadataOf(subject, "database", name),
      data: { "initialise.sql": initialiseSql },
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
            credentialsVariable,
            { name: "POSTGRES_USER", value: "postgres" },
            { name: "POSTGRES_PASSWORD_FILE", value: `${credentialsVariable.value}/password` },
            { name: "POSTGRES_DB", value: databaseName },
            // Passwords for every connection but those over the pod's own socket.
            {
              name: "POSTGRES_INITDB_ARGS",
              value: "--auth-local=trust --auth-host=scram-sha-256 --data-checksums",
            },
            // Below the mount point, which on many volumes holds a lost+found.
            { name: "PGDATA", value: "/var/lib/postgresql/data/pgdata" },
            { name: "DATABASE_FIRST_LOGIN", value: first },
            { name: "DATABASE_SECOND_LOGIN", value: second },
          ],
          resources: databaseResources(subject),
          securityContext: restrictedContainer,
          // Started only when the service can log in with its password. Later that says nothing about the database:
          // the password changes without it, and the file some time after the Secret.
          startupProbe: { ...shell(login), periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 150 },
          livenessProbe: {
            ...shell("exec pg_isready -q -h 127.0.0.1 -U postgres -d postgres"),
            periodSeconds: 10,
            timeoutSeconds: 5,
            failureThreshold: 6,
          },
          readinessProbe: {
            ...shell('PGDATABASE="$POSTGRES_DB" exec psql -X -w -q -U postgres -c "SELECT 1"'),
            periodSeconds: 10,
            timeoutSeconds: 5,
            failureThreshold: 3,
          },
          volumeMounts: [
            { name: "data", mountPath: "/var/lib/postgresql/data" },
            { name: "initialise", mountPath: "/docker-entrypoint-initdb.d", readOnly: true },
            credentialsMount(),
            { name: "run", mountPath: "/var/run/postgresql" },
            { name: "tmp", mountPath: "/tmp" },
          ],
        },
      ],
      volumes: [
        { name: "initialise", configMap: { name } },
        credentialsVolume([{ secret: name, files: { username: "username", password: "password" } }]),
        { name: "run", emptyDir: { sizeLimit: "16Mi" } },
        { name: "tmp", emptyDir: { sizeLimit: "256Mi" } },
      ],
    }),
  ];
}
