import type { KubeObject } from "../../cluster/object.ts";
import { certificateKey, secretReadFor } from "../credentials.ts";
import { migrationMark } from "../migration.ts";
import { credentialsAnnotation, migrationAnnotation } from "../names.ts";
import { ownSecretName } from "../own-secrets.ts";
import { ports } from "../ports.ts";
import { externalOf, isInCloud, type StoreKind } from "../store-provider.ts";
import { autoscaler } from "./autoscaler.ts";
import { fromSecret, fromSecretIfThere } from "./data-store.ts";
import {
  labelsOf,
  metadataOf,
  restrictedContainer,
  restrictedPod,
  type Subject,
  selectorOf,
} from "./subject.ts";

/** User `nonroot` of distroless images; every image of a service runs as it, whatever it says itself. */
export const workloadUser = 65532;

/** Where traces go, as every OpenTelemetry SDK reads it; metrics are scraped and logs are read from stdout instead. */
function telemetryEnvironment(subject: Subject) {
  const { namespace, service, port } = subject.standards.monitoring.telemetry;
  return [
    { name: "POD_NAME", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } },
    { name: "OTEL_SERVICE_NAME", value: subject.name },
    { name: "OTEL_EXPORTER_OTLP_ENDPOINT", value: `http://${service}.${namespace}.svc:${port}` },
    { name: "OTEL_EXPORTER_OTLP_PROTOCOL", value: "grpc" },
    { name: "OTEL_TRACES_EXPORTER", value: "otlp" },
    { name: "OTEL_METRICS_EXPORTER", value: "none" },
    { name: "OTEL_LOGS_EXPORTER", value: "none" },
    { name: "OTEL_PROPAGATORS", value: "tracecontext,baggage" },
    {
      name: "OTEL_RESOURCE_ATTRIBUTES",
      value: `service.namespace=${subject.team},k8s.namespace.name=${subject.namespace},k8s.pod.name=$(POD_NAME)`,
    },
  ];
}

/** What the certificate of a data store outside of the cluster is judged by; an external one may have none. */
function authority({ spec }: Subject, store: StoreKind, variable: string, secret: string) {
  if (externalOf(spec, store) !== undefined) return [fromSecretIfThere(variable, secret, certificateKey)];
  return isInCloud(spec, store) ? [fromSecret(variable, secret, certificateKey)] : [];
}

function dataStoreEnvironment(subject: Subject) {
  const { application, spec } = subject;
  const database = secretReadFor(application, "database");
  const cache = secretReadFor(application, "cache");
  return [
    ...(spec.database === undefined
      ? []
      : [
          fromSecret("DATABASE_URL", database, "uri"),
          fromSecret("DATABASE_HOST", database, "host"),
          fromSecret("DATABASE_PORT", database, "port"),
          fromSecret("DATABASE_NAME", database, "database"),
          fromSecret("DATABASE_USERNAME", database, "username"),
          fromSecret("DATABASE_PASSWORD", database, "password"),
          ...authority(subject, "database", "DATABASE_CA", database),
        ]),
    ...(spec.cache === undefined
      ? []
      : [
          fromSecret("CACHE_URL", cache, "uri"),
          fromSecret("CACHE_HOST", cache, "host"),
          fromSecret("CACHE_PORT", cache, "port"),
          fromSecret("CACHE_USERNAME", cache, "username"),
          fromSecret("CACHE_PASSWORD", cache, "password"),
          ...authority(subject, "cache", "CACHE_CA", cache),
        ]),
  ];
}

/** Each by a name that changes with its version: so pods roll, and a rollback of a release brings back its values. */
function ownSecretEnvironment({ name, spec }: Subject) {
  return (spec.secrets ?? []).map((secret) =>
    fromSecret(secret.key, ownSecretName(name, secret), secret.key),
  );
}

/** The container of the service: what it is told, may use and is asked. */
export function serviceContainer(subject: Subject) {
  const healthz = (seconds: { readonly periodSeconds: number; readonly failureThreshold: number }) => ({
    httpGet: { path: "/healthz", port: ports.http.name, scheme: "HTTP" },
    timeoutSeconds: 2,
    ...seconds,
  });
  return {
    name: subject.name,
    image: subject.spec.image,
    ports: [
      { name: ports.http.name, containerPort: ports.http.number, protocol: "TCP" },
      { name: ports.metrics.name, containerPort: ports.metrics.number, protocol: "TCP" },
    ],
    env: [
      { name: "PORT", value: String(ports.http.number) },
      { name: "METRICS_PORT", value: String(ports.metrics.number) },
      ...telemetryEnvironment(subject),
      ...dataStoreEnvironment(subject),
      ...ownSecretEnvironment(subject),
    ],
    resources: subject.spec.resources ?? subject.standards.workload.resources,
    securityContext: restrictedContainer,
    startupProbe: healthz({ periodSeconds: 2, failureThreshold: 60 }),
    livenessProbe: healthz({ periodSeconds: 10, failureThreshold: 3 }),
    readinessProbe: healthz({ periodSeconds: 5, failureThreshold: 2 }),
    // Proxies need a moment to learn that the pod is going before it stops listening.
    lifecycle: { preStop: { sleep: { seconds: 5 } } },
    volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
  };
}

/** What the service's container mounts. */
export function serviceVolumes() {
  return [{ name: "tmp", emptyDir: { sizeLimit: "64Mi" } }];
}

function spread(subject: Subject) {
  return ["topology.kubernetes.io/zone", "kubernetes.io/hostname"].map((topologyKey) => ({
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: selectorOf(subject, "workload") },
  }));
}

function deployment(subject: Subject): KubeObject {
  const { autoscaling, replicas } = subject.spec;
  const { credentials } = subject.facts;
  const migration = migrationMark(subject.spec);
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    // It is written only when what it needs of the database is done, so that its mark tells what was.
    metadata: metadataOf(
      subject,
      "workload",
      subject.name,
      migration === undefined ? {} : { annotations: { [migrationAnnotation]: migration } },
    ),
    spec: {
      // An autoscaler and a number of replicas would fight.
      ...(autoscaling === undefined ? { replicas } : {}),
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: subject.standards.workload.progressDeadlineSeconds,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector: { matchLabels: selectorOf(subject, "workload") },
      template: {
        metadata: {
          labels: labelsOf(subject, "workload"),
          ...(credentials === undefined ? {} : { annotations: { [credentialsAnnotation]: credentials } }),
        },
        spec: {
          serviceAccountName: subject.name,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 30,
          securityContext: restrictedPod(workloadUser),
          topologySpreadConstraints: spread(subject),
          containers: [serviceContainer(subject)],
          volumes: serviceVolumes(),
        },
      },
    },
  };
}

function service(subject: Subject): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataOf(subject, "workload", subject.name),
    spec: {
      type: "ClusterIP",
      selector: selectorOf(subject, "workload"),
      ports: [
        {
          name: ports.service.name,
          port: ports.service.number,
          targetPort: ports.http.name,
          protocol: "TCP",
          appProtocol: "http",
        },
      ],
    },
  };
}

/** One pod at a time may be evicted; with a single pod it would only block the node's drain. */
function disruptionBudget(subject: Subject): KubeObject {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: metadataOf(subject, "workload", subject.name),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: "AlwaysAllow",
      selector: { matchLabels: selectorOf(subject, "workload") },
    },
  };
}

/** What runs the service. */
export function workload(subject: Subject): KubeObject[] {
  const { exposure, autoscaling, replicas } = subject.spec;
  return [
    ...(exposure === "none" ? [] : [service(subject)]),
    deployment(subject),
    ...((autoscaling?.minReplicas ?? replicas) > 1 ? [disruptionBudget(subject)] : []),
    ...autoscaler(subject),
  ];
}
