import { z } from "zod";
import type { StoredObject } from "../api.ts";

/*
 * What the controllers read of stored objects. Objects are loose: what is not named here is kept as it is. Only
 * what is read gets a default, and specs that were read are never written back.
 */

const labels = z.record(z.string(), z.string());
const selector = z.looseObject({
  matchLabels: labels.optional(),
  matchExpressions: z
    .array(z.looseObject({ key: z.string(), operator: z.string(), values: z.array(z.string()).optional() }))
    .optional(),
});
export type LabelSelector = z.output<typeof selector>;
export const labelSelector = selector;

const quantity = z.union([z.string(), z.number()]).transform(String);
const countOrPercent = z.union([z.int(), z.string()]);

const condition = z.looseObject({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
  lastTransitionTime: z.string().nullish(),
  lastUpdateTime: z.string().optional(),
});
export type Condition = z.output<typeof condition>;
const conditions = z.array(condition).default([]);

const probe = z.looseObject({
  initialDelaySeconds: z.number().optional(),
  periodSeconds: z.number().optional(),
  httpGet: z.looseObject({ path: z.string().optional() }).optional(),
});

const keyRef = z.looseObject({
  name: z.string().default(""),
  key: z.string(),
  optional: z.boolean().optional(),
});
const nameRef = z.looseObject({ name: z.string().default(""), optional: z.boolean().optional() });

const containerShape = z.looseObject({
  name: z.string(),
  image: z.string().default(""),
  imagePullPolicy: z.string().optional(),
  ports: z
    .array(
      z.looseObject({
        name: z.string().optional(),
        containerPort: z.number(),
        protocol: z.string().default("TCP"),
      }),
    )
    .default([]),
  env: z
    .array(
      z.looseObject({
        name: z.string(),
        valueFrom: z
          .looseObject({ secretKeyRef: keyRef.optional(), configMapKeyRef: keyRef.optional() })
          .optional(),
      }),
    )
    .default([]),
  envFrom: z
    .array(z.looseObject({ secretRef: nameRef.optional(), configMapRef: nameRef.optional() }))
    .default([]),
  readinessProbe: probe.optional(),
  startupProbe: probe.optional(),
  resources: z
    .looseObject({
      requests: z.record(z.string(), quantity).optional(),
      limits: z.record(z.string(), quantity).optional(),
    })
    .prefault({}),
});
export type Container = z.output<typeof containerShape>;

const podSpecShape = z.looseObject({
  nodeName: z.string().optional(),
  nodeSelector: labels.optional(),
  serviceAccountName: z.string().optional(),
  restartPolicy: z.string().default("Always"),
  terminationGracePeriodSeconds: z.number().default(30),
  hostNetwork: z.boolean().optional(),
  containers: z.array(containerShape),
  initContainers: z.array(containerShape).default([]),
  volumes: z
    .array(
      z.looseObject({
        name: z.string(),
        persistentVolumeClaim: z.looseObject({ claimName: z.string() }).optional(),
        secret: z.looseObject({ secretName: z.string(), optional: z.boolean().optional() }).optional(),
        configMap: nameRef.optional(),
      }),
    )
    .default([]),
});
export type PodSpec = z.output<typeof podSpecShape>;

const terminated = z.looseObject({
  exitCode: z.number(),
  reason: z.string().optional(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
});
const containerState = z.looseObject({
  waiting: z.looseObject({ reason: z.string().optional(), message: z.string().optional() }).optional(),
  running: z.looseObject({ startedAt: z.string() }).optional(),
  terminated: terminated.optional(),
});
const containerStatus = z.looseObject({
  name: z.string(),
  ready: z.boolean().default(false),
  started: z.boolean().optional(),
  restartCount: z.number().default(0),
  state: containerState.prefault({}),
  lastState: containerState.prefault({}),
});
export type ContainerStatus = z.output<typeof containerStatus>;

const podStatusShape = z.looseObject({
  phase: z.string().default("Pending"),
  conditions,
  podIP: z.string().optional(),
  startTime: z.string().optional(),
  reason: z.string().optional(),
  containerStatuses: z.array(containerStatus).default([]),
  initContainerStatuses: z.array(containerStatus).optional(),
});
export type PodStatus = z.output<typeof podStatusShape>;

const templateShape = z.looseObject({
  metadata: z.looseObject({ labels: labels.default({}), annotations: labels.optional() }).prefault({}),
  spec: z.record(z.string(), z.unknown()),
});
export type PodTemplate = z.output<typeof templateShape>;

const deploymentSpecShape = z.looseObject({
  replicas: z.int().default(1),
  selector,
  template: templateShape,
  paused: z.boolean().optional(),
  minReadySeconds: z.number().default(0),
  progressDeadlineSeconds: z.number().default(600),
  revisionHistoryLimit: z.number().default(10),
  strategy: z
    .looseObject({
      type: z.string().default("RollingUpdate"),
      rollingUpdate: z
        .looseObject({
          maxSurge: countOrPercent.default("25%"),
          maxUnavailable: countOrPercent.default("25%"),
        })
        .nullish(),
    })
    .prefault({}),
});
const replicaStatusShape = z.looseObject({
  observedGeneration: z.number().optional(),
  replicas: z.number().default(0),
  readyReplicas: z.number().default(0),
  availableReplicas: z.number().default(0),
  updatedReplicas: z.number().default(0),
  terminatingReplicas: z.number().default(0),
  conditions,
});
type ReplicaStatus = z.output<typeof replicaStatusShape>;

const replicaSetSpecShape = z.looseObject({
  replicas: z.int().default(1),
  minReadySeconds: z.number().default(0),
  selector,
  template: templateShape,
});

export const statefulSetSpecShape = z.looseObject({
  replicas: z.int().default(1),
  serviceName: z.string().default(""),
  selector,
  template: templateShape,
  podManagementPolicy: z.string().default("OrderedReady"),
  updateStrategy: z
    .looseObject({
      type: z.string().default("RollingUpdate"),
      rollingUpdate: z.looseObject({ partition: z.number().default(0) }).nullish(),
    })
    .prefault({}),
  volumeClaimTemplates: z
    .array(
      z.looseObject({
        metadata: z.looseObject({
          name: z.string(),
          labels: labels.optional(),
          annotations: labels.optional(),
        }),
        spec: z.record(z.string(), z.unknown()),
      }),
    )
    .default([]),
});
export const statefulSetStatusShape = replicaStatusShape.extend({
  currentRevision: z.string().optional(),
  updateRevision: z.string().optional(),
});

export const jobSpecShape = z.looseObject({
  parallelism: z.int().default(1),
  completions: z.int().default(1),
  backoffLimit: z.int().default(6),
  suspend: z.boolean().default(false),
  template: templateShape,
});
export const jobStatusShape = z.looseObject({
  conditions,
  startTime: z.string().optional(),
  active: z.number().optional(),
  succeeded: z.number().optional(),
  failed: z.number().optional(),
});

export const serviceSpecShape = z.looseObject({
  selector: labels.nullish(),
  type: z.string().default("ClusterIP"),
  publishNotReadyAddresses: z.boolean().optional(),
  ports: z
    .array(
      z.looseObject({
        name: z.string().optional(),
        port: z.number(),
        protocol: z.string().default("TCP"),
        targetPort: z.union([z.number(), z.string()]).optional(),
      }),
    )
    .default([]),
});
export type ServiceSpec = z.output<typeof serviceSpecShape>;

export const claimSpecShape = z.looseObject({
  storageClassName: z.string().nullish(),
  volumeName: z.string().optional(),
  volumeMode: z.string().default("Filesystem"),
  accessModes: z.array(z.string()).default(["ReadWriteOnce"]),
  resources: z.looseObject({ requests: z.record(z.string(), quantity).default({}) }).prefault({}),
});
export const claimStatusShape = z.looseObject({ phase: z.string().default("Pending"), conditions });

export const budgetSpecShape = z.looseObject({
  minAvailable: countOrPercent.optional(),
  maxUnavailable: countOrPercent.optional(),
  selector: selector.nullish(),
});

export const autoscalerSpecShape = z.looseObject({
  minReplicas: z.int().default(1),
  maxReplicas: z.int(),
  scaleTargetRef: z.looseObject({ kind: z.string(), name: z.string(), apiVersion: z.string().optional() }),
  metrics: z
    .array(
      z.looseObject({
        type: z.string(),
        resource: z
          .looseObject({
            name: z.string(),
            target: z.looseObject({ averageUtilization: z.number().optional() }),
          })
          .optional(),
      }),
    )
    .default([]),
});

export const conditionsStatusShape = z.looseObject({ conditions });

/** A stored object whose spec and status have been read. */
export type Typed<Spec, Status> = StoredObject & { readonly spec: Spec; readonly status: Status };

/** Reads an object's spec and status. @throws ZodError where they are not what a real server would have stored. */
export function typed<Spec extends z.ZodType, Status extends z.ZodType>(
  object: StoredObject,
  spec: Spec,
  status: Status,
): Typed<z.output<Spec>, z.output<Status>> {
  return { ...object, spec: spec.parse(object.spec ?? {}), status: status.parse(object.status ?? {}) };
}

export type Pod = Typed<PodSpec, PodStatus>;
export function readPod(object: StoredObject): Pod {
  return typed(object, podSpecShape, podStatusShape);
}
export type Deployment = Typed<z.output<typeof deploymentSpecShape>, ReplicaStatus>;
export function readDeployment(object: StoredObject): Deployment {
  return typed(object, deploymentSpecShape, replicaStatusShape);
}
export type ReplicaSet = Typed<z.output<typeof replicaSetSpecShape>, ReplicaStatus>;
export function readReplicaSet(object: StoredObject): ReplicaSet {
  return typed(object, replicaSetSpecShape, replicaStatusShape);
}

/** The spec exactly as stored, to write it back with a change. */
export function rawSpec(object: StoredObject): Record<string, unknown> {
  return z.record(z.string(), z.unknown()).parse(object.spec ?? {});
}
