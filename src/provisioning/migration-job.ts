import { z } from "zod";
import { migrationAnnotation } from "../application/names.ts";
import { migrationContainer } from "../application/objects/migration.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { find } from "../cluster/find.ts";
import type { KubeObject } from "../cluster/object.ts";
import { type PodProblem, worstProblem } from "../cluster/pod-problem.ts";
import { podStatus } from "../cluster/pod-status.ts";
import { resources } from "../cluster/resource.ts";
import { secretValues } from "../secrets/rotation.ts";
import { endOf, podsOfJob } from "./run-job.ts";

/** How far a migration's Job is; `pod` is the one of it whose program has begun. */
export type MigrationState = { readonly pod: string | undefined } & (
  | { readonly kind: "done" }
  /** `why` is what its program said at last, cleaned; not yet without what it must not tell. */
  | { readonly kind: "failed"; readonly why: string }
  | {
      readonly kind: "going";
      /** Whether there is a pod at all. */
      readonly hasPod: boolean;
      /** What keeps the program from beginning. */
      readonly problem: PodProblem | undefined;
    }
);

/** Looks at a migration's Job that is there. @throws ClusterError `not-found` where it is gone */
export async function migrationState(cluster: Cluster, job: KubeObject): Promise<MigrationState> {
  const { namespace = "", uid } = job.metadata;
  const end = await endOf(cluster, job, migrationContainer, uid);
  const pods = await podsOfJob(cluster, namespace, uid);
  const pod = pods.findLast((each) =>
    podStatus(each).containerStatuses.some(
      ({ name, state }) => name === migrationContainer && state.waiting === undefined,
    ),
  )?.metadata.name;
  if (end.kind === "done") return { kind: "done", pod };
  if (end.kind === "failed") return { kind: "failed", pod, why: end.why };
  const problem = pod === undefined ? worstProblem(pods) : undefined;
  return { kind: "going", pod, hasPod: pods.length > 0, problem };
}

/** Whether a Job that is there runs the same migration as this one. Pure. */
export function isSameMigration(one: KubeObject, other: KubeObject): boolean {
  const mark = ({ metadata }: KubeObject) => metadata.annotations?.[migrationAnnotation];
  return mark(one) !== undefined && mark(one) === mark(other);
}

const jobSchema = z.looseObject({
  template: z.looseObject({
    spec: z.looseObject({
      containers: z.array(
        z.looseObject({
          env: z
            .array(
              z.looseObject({
                valueFrom: z
                  .looseObject({
                    secretKeyRef: z.looseObject({ name: z.string(), key: z.string() }).optional(),
                  })
                  .optional(),
              }),
            )
            .default([]),
          envFrom: z
            .array(z.looseObject({ secretRef: z.looseObject({ name: z.string() }).optional() }))
            .default([]),
        }),
      ),
    }),
  }),
});

/** Keys of Secrets that say where something is, and no more. */
const openKeys: ReadonlySet<string> = new Set(["host", "port", "database", "username", "sslmode"]);

/** Shorter values are told all the same: they would blot out half of every line. */
const shortestHidden = 6;

/** Replaces whatever of these Secrets a program says. */
export type Hide = (text: string) => string;

/**
 * What takes the values of the Secrets that a migration is given out of what it says: a log is read by more people than
 * Secrets are.
 * @throws ClusterError where they cannot be read: nothing is told then
 */
export async function hiddenFrom(cluster: Cluster, job: KubeObject): Promise<Hide> {
  const { namespace = "" } = job.metadata;
  const containers = jobSchema.parse(job.spec).template.spec.containers;
  const keys = containers.flatMap(({ env }) => env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []));
  const whole = containers.flatMap(({ envFrom }) => envFrom.flatMap(({ secretRef }) => secretRef ?? []));
  const names = new Set([...keys, ...whole].map(({ name }) => name));
  const values = new Set<string>();
  for (const name of names) {
    const secret = await find(cluster, resources.secrets, { namespace, name });
    for (const [key, value] of Object.entries(secret === undefined ? {} : secretValues(secret))) {
      if (openKeys.has(key) || value.length < shortestHidden) continue;
      for (const form of [value, encodeURIComponent(value)]) values.add(form);
    }
  }
  // A value that another is part of goes first.
  const longestFirst = [...values].sort((one, other) => other.length - one.length);
  return (text) => longestFirst.reduce((rest, value) => rest.replaceAll(value, "•••"), text);
}
