import type { KubeObject } from "../../cluster/object.ts";
import { migrationMark } from "../migration.ts";
import { migrationAnnotation } from "../names.ts";
import { labelsOf, metadataOf, restrictedPod, type Subject } from "./subject.ts";
import { serviceContainer, serviceVolumes, workloadUser } from "./workload.ts";

/** The container of a migration's pod. */
export const migrationContainer = "migration";

/** How long a migration may take, in seconds, its image's pull included. */
export const migrationDeadlineSeconds = 3_600;

/**
 * The Job that migrates the database of a service to what its image needs: the service's own pod in all but what it
 * runs. It has one name, so that the API server lets there be one at a time, whoever runs it; its mark tells which it is. It
 * is tried once, because nobody but its program knows whether it may be tried again: only a pod that a node has lost is
 * made anew. Undefined where the service needs none. Pure.
 * @param database - the Secret that says which database; default: the service's own
 */
export function migrationJob(subject: Subject, database?: string): KubeObject | undefined {
  const { migrations, image } = subject.spec;
  const mark = migrationMark(subject.spec);
  if (migrations === undefined || mark === undefined) return undefined;
  const {
    ports: _,
    startupProbe: _startup,
    livenessProbe: _liveness,
    readinessProbe: _readiness,
    lifecycle: _lifecycle,
    ...same
  } = serviceContainer(subject, database);
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: metadataOf(subject, "migration", `${subject.name}-migrate`, {
      annotations: { [migrationAnnotation]: mark },
    }),
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: migrationDeadlineSeconds,
      podFailurePolicy: {
        rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }],
      },
      template: {
        metadata: { labels: labelsOf(subject, "migration") },
        spec: {
          restartPolicy: "Never",
          serviceAccountName: subject.name,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 30,
          securityContext: restrictedPod(workloadUser),
          containers: [
            {
              ...same,
              name: migrationContainer,
              image: migrations.image ?? image,
              command: migrations.command,
              // What it says at last is told where it fails.
              terminationMessagePolicy: "FallbackToLogsOnError",
            },
          ],
          volumes: serviceVolumes(),
        },
      },
    },
  };
}
