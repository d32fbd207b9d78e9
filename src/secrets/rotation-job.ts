import type { Application } from "../application/application.ts";
import { cacheNames, certificateKey, nextCredentials } from "../application/credentials.ts";
import { labelsFor } from "../application/names.ts";
import { cacheImage } from "../application/objects/cache.ts";
import { fromSecret, psqlVariables, psqlVariablesHere } from "../application/objects/data-store.ts";
import { passingJob, pathOut, pathsTo } from "../application/objects/passing-job.ts";
import { selectorOf, subjectOf } from "../application/objects/subject.ts";
import { googlePeers } from "../application/peers.ts";
import { ports } from "../application/ports.ts";
import type { KubeObject, ObjectMeta } from "../cluster/object.ts";
import type { Standards } from "../standards/standards.ts";
import { cloudTurnSql } from "./cloud-rotation-scripts.ts";
import { isCloudSql, type Rotatable, storeNames } from "./rotation.ts";
import { proofPatience, type TurnAction, turnCommand, turnSql } from "./rotation-scripts.ts";

/** Component of a rotation's own objects: neither the service's pods nor its data store's. */
const component = "rotation";

/** The container whose end says what became of a rotation's Job. */
export const rotationContainer = "rotation";

/** How long a Job may take at most, in seconds: an image to be pulled, and what it waits for. */
const deadlineSeconds = 300 + proofPatience;

/** Name of the Job of an action: with its pods' suffix short enough for a label, whatever the service's name. */
function jobName(application: Application, store: Rotatable, action: TurnAction): string {
  return `${storeNames(application, store).name}-${action}`;
}

/**
 * What one action of a rotation consists of, in the order to write it: paths through the closed network, for its time
 * only, and the Job that does it from inside, with the data store's own image. Nothing of it holds a value of a Secret.
 * Not owned by the Application: what that does not ask for would be removed. Pure.
 * @throws RefusedInput for a cache of a version that the standards do not offer
 */
export function rotationObjects(
  application: Application,
  standards: Standards,
  store: Rotatable,
  action: TurnAction,
): { readonly policies: readonly KubeObject[]; readonly job: KubeObject } {
  const subject = subjectOf(application, standards);
  const { name, namespace, team } = subject;
  const metadata: ObjectMeta = {
    name: jobName(application, store, action),
    namespace,
    labels: labelsFor(name, team, component),
  };
  const { number: port } = store === "database" ? ports.postgres : ports.redis;
  const atGoogle = store === "database" && isCloudSql(application);
  return {
    policies: atGoogle
      ? [pathOut(metadata, [{ to: googlePeers(standards), port }])]
      : pathsTo(metadata, selectorOf(subject, store), port),
    job: passingJob({
      metadata,
      container: rotationContainer,
      image: store === "database" ? standards.database.image : cacheImage(subject),
      command: atGoogle ? cloudTurnCommand : turnCommand(store, action),
      env: atGoogle ? cloudEnvironment(application, action) : environment(application, store, action),
      resources: {
        requests: { cpu: "20m", memory: "32Mi" },
        limits: { cpu: "200m", memory: "128Mi" },
      },
      deadlineSeconds,
      retries: 2,
      room: "16Mi",
    }),
  };
}

function environment(application: Application, store: Rotatable, action: TurnAction): readonly object[] {
  const { name, host, logins } = storeNames(application, store);
  const next = nextCredentials(name);
  const plain = (variable: string, value: string) => ({ name: variable, value });
  if (store === "database") {
    return [
      plain("SQL", turnSql(store, action) ?? ""),
      ...psqlVariablesHere({ host, name }),
      ...(action === "enable" ? [fromSecret("NEXT_VERIFIER", next, "verifier")] : []),
    ];
  }
  return [
    plain("STORE_HOST", host),
    plain("STORE_PORT", String(ports.redis.number)),
    plain("FIRST_LOGIN", logins[0]),
    plain("SECOND_LOGIN", logins[1]),
    fromSecret("ADMIN_PASSWORD", cacheNames(application).admin, "password"),
    ...(action === "enable"
      ? [fromSecret("NEXT_USERNAME", next, "username"), fromSecret("NEXT_PASSWORD", next, "password")]
      : [fromSecret("LOGIN_USERNAME", name, "username"), fromSecret("LOGIN_PASSWORD", name, "password")]),
  ];
}

/** psql reads a program from standard input only; the server's certificate is checked against the Secret's. */
const cloudTurnCommand: readonly string[] = [
  "sh",
  "-c",
  'set -eu; printf "%s" "$CA" > /tmp/ca.crt; export PGSSLMODE=verify-ca PGSSLROOTCERT=/tmp/ca.crt; printf %s "$SQL" | psql -X -q -t -A -w -f -',
];

function cloudEnvironment(application: Application, action: TurnAction): readonly object[] {
  const { name, logins } = storeNames(application, "database");
  const plain = (variable: string, value: string) => ({ name: variable, value });
  return [
    plain("SQL", cloudTurnSql(action)),
    plain("FIRST_LOGIN", logins[0]),
    plain("SECOND_LOGIN", logins[1]),
    ...psqlVariables(name, 20),
    fromSecret("CA", name, certificateKey),
    ...(action === "enable" ? [fromSecret("NEXT_VERIFIER", nextCredentials(name), "verifier")] : []),
  ];
}
