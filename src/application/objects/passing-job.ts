import type { KubeObject, ObjectMeta } from "../../cluster/object.ts";
import { labels } from "../names.ts";
import { restrictedContainer, restrictedPod } from "./subject.ts";

/** User of the official images of PostgreSQL and Redis: volumes are its. */
const imageUser = 999;

/** A Job that works on a data store for a while, with the store's own image, and is gone afterwards. */
export interface PassingJob {
  /** Its labels are its pod's too. */
  readonly metadata: ObjectMeta;
  /** Name of the container whose end says what became of it. */
  readonly container: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly env: readonly object[];
  readonly resources: { readonly requests: object; readonly limits: object };
  /** How long it may take at most, and how often it is tried again. */
  readonly deadlineSeconds: number;
  readonly retries: number;
  /** Room for files of its own, in `/tmp`. */
  readonly room: string;
  /** Claims by the folder that each is mounted at. */
  readonly claims?: Readonly<Record<string, string>>;
}

/** The Job as an object. Pure. */
export function passingJob({ metadata, claims = {}, ...job }: PassingJob): KubeObject {
  const mounted = Object.entries(claims).map(([mountPath, claimName]) => ({
    name: mountPath.replaceAll("/", ""),
    mountPath,
    claimName,
  }));
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata,
    spec: {
      backoffLimit: job.retries,
      activeDeadlineSeconds: job.deadlineSeconds,
      template: {
        metadata: { labels: metadata.labels },
        spec: {
          restartPolicy: "Never",
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 5,
          securityContext: restrictedPod(imageUser),
          containers: [
            {
              name: job.container,
              image: job.image,
              command: job.command,
              env: job.env,
              resources: job.resources,
              securityContext: restrictedContainer,
              // What it says at last is told where it fails.
              terminationMessagePolicy: "FallbackToLogsOnError",
              volumeMounts: [
                ...mounted.map(({ name, mountPath }) => ({ name, mountPath })),
                { name: "tmp", mountPath: "/tmp" },
              ],
            },
          ],
          volumes: [
            ...mounted.map(({ name, claimName }) => ({ name, persistentVolumeClaim: { claimName } })),
            { name: "tmp", emptyDir: { sizeLimit: job.room } },
          ],
        },
      },
    },
  };
}

/** Pods of a Job, as policies select them: by the service and what they are to it. */
function podsOf({ labels: own = {} }: ObjectMeta): object {
  const chosen = [labels.service, labels.component].map((label) => [label, own[label]]);
  return { podSelector: { matchLabels: Object.fromEntries(chosen) } };
}

/** A way out of the closed network: to peers of a NetworkPolicy, and to nobody where there are none. */
export interface Way {
  readonly to: readonly object[];
  readonly port: number;
}

/** Ways out of a Job's pods through the closed network. Pure. */
export function pathOut(job: ObjectMeta, ways: readonly Way[], name = job.name): KubeObject {
  // A rule without peers would open everything.
  const egress = ways
    .filter(({ to }) => to.length > 0)
    .map(({ to, port }) => ({ to, ports: [{ protocol: "TCP", port }] }));
  return path({ ...job, name }, { ...podsOf(job), policyTypes: ["Egress"], egress });
}

/**
 * Both halves of a path from a Job's pods to those of a data store in the same namespace. Pure.
 * @param selector - of the store's pods
 * @param further - where else the Job's pods may go
 */
export function pathsTo(
  job: ObjectMeta,
  selector: Readonly<Record<string, string>>,
  port: number,
  further: readonly Way[] = [],
): readonly KubeObject[] {
  const theirs = { podSelector: { matchLabels: selector } };
  const ingress = [{ from: [podsOf(job)], ports: [{ protocol: "TCP", port }] }];
  return [
    pathOut(job, [{ to: [theirs], port }, ...further], `${job.name}.from`),
    path({ ...job, name: `${job.name}.to` }, { ...theirs, policyTypes: ["Ingress"], ingress }),
  ];
}

function path(metadata: ObjectMeta, spec: object): KubeObject {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec };
}
