import { z } from "zod";
import { checkOrigin } from "../../application/parse-value.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { cleanText } from "../../cluster/text.ts";
import type { Standards } from "../../standards/standards.ts";
import { tierOf } from "../../standards/tier.ts";

/** Kinds of volumes that Pod Security's `restricted` level allows. */
const allowedVolumes = new Set([
  "name",
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);

const securityContext = z
  .object({
    privileged: z.boolean().optional(),
    allowPrivilegeEscalation: z.boolean().optional(),
    runAsNonRoot: z.boolean().optional(),
    runAsUser: z.number().optional(),
    seccompProfile: z.object({ type: z.string() }).optional(),
    capabilities: z
      .object({ add: z.array(z.string()).optional(), drop: z.array(z.string()).optional() })
      .optional(),
  })
  .optional();

const containers = z.array(
  z.object({
    name: z.string(),
    image: z.string().default(""),
    securityContext,
    ports: z.array(z.object({ hostPort: z.number().optional() })).optional(),
  }),
);

const podSpec = z.object({
  hostNetwork: z.boolean().optional(),
  hostPID: z.boolean().optional(),
  hostIPC: z.boolean().optional(),
  securityContext,
  volumes: z
    .array(
      z.looseObject({
        name: z.string(),
        image: z.object({ reference: z.string().default("") }).optional(),
      }),
    )
    .default([]),
  containers,
  initContainers: containers.default([]),
});
type PodSpec = z.output<typeof podSpec>;
type Container = PodSpec["containers"][number];

function podProblem(spec: PodSpec): string | undefined {
  if (spec.hostNetwork === true || spec.hostPID === true || spec.hostIPC === true) {
    return "shares the node's network or processes";
  }
  const volume = spec.volumes.find((candidate) =>
    Object.keys(candidate).some((kind) => !allowedVolumes.has(kind)),
  );
  return volume === undefined ? undefined : `volume ${volume.name} is of a kind that is not allowed`;
}

function containerProblem(container: Container, pod: PodSpec): string | undefined {
  const own = container.securityContext;
  const shared = pod.securityContext;
  if (container.ports?.some(({ hostPort }) => (hostPort ?? 0) > 0) === true)
    return "takes a port of the node";
  if (own?.privileged === true) return "is privileged";
  if (own?.allowPrivilegeEscalation !== false) return "does not rule out privilege escalation";
  if (own.capabilities?.drop?.includes("ALL") !== true) return "does not drop all capabilities";
  const added = own.capabilities.add?.find((capability) => capability !== "NET_BIND_SERVICE");
  if (added !== undefined) return `adds capability ${added}`;
  if ((own.runAsUser ?? shared?.runAsUser) === 0) return "runs as root";
  if ((own.runAsNonRoot ?? shared?.runAsNonRoot) !== true) return "does not rule out running as root";
  const seccomp = (own.seccompProfile ?? shared?.seccompProfile)?.type;
  return seccomp === "RuntimeDefault" || seccomp === "Localhost" ? undefined : "has no seccomp profile";
}

function imageProblem(image: string, standards: Standards, tier: string): string | undefined {
  const { images, database, cache } = standards;
  const named = [images.starter, database.image, cache.image, ...Object.values(cache.versions)];
  if (named.includes(image)) return undefined;
  const origin = checkOrigin(image, standards);
  if (origin !== undefined && "problem" in origin) return origin.problem.message;
  if (image.includes("@sha256:")) return undefined;
  if (tierOf(standards, tier).imagesByDigest) return `image ${image} is not named by its digest`;
  return /:[^/]+$/.test(image) && !image.endsWith(":latest")
    ? undefined
    : `image ${image} has no tag, or latest`;
}

/** A pod that a managed namespace would not let in again, and why. */
export interface RefusedPod {
  readonly name: string;
  readonly reason: string;
}

/**
 * Which of a namespace's pods the guardrails would refuse if they were made again: by Pod Security's `restricted` level
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/), and by where their images come from. Pods
 * that have ended are left out. Pure.
 */
export function refusedPods(
  pods: readonly KubeObject[],
  standards: Standards,
  tier: string,
): readonly RefusedPod[] {
  return pods.flatMap(({ metadata, spec: unread, status }) => {
    const phase = z.object({ phase: z.string().optional() }).safeParse(status).data?.phase;
    if (phase === "Succeeded" || phase === "Failed") return [];
    const parsed = podSpec.safeParse(unread);
    if (!parsed.success) return [];
    const spec = parsed.data;
    const [reason] = [
      podProblem(spec),
      ...[...spec.initContainers, ...spec.containers].flatMap((container) => [
        told(container, containerProblem(container, spec)),
        imageProblem(container.image, standards, tier),
      ]),
      ...spec.volumes.flatMap(({ image }) =>
        image === undefined ? [] : [imageProblem(image.reference, standards, tier)],
      ),
    ].filter((problem) => problem !== undefined);
    return reason === undefined ? [] : [{ name: metadata.name, reason: cleanText(reason) }];
  });
}

function told({ name }: Container, problem: string | undefined): string | undefined {
  return problem === undefined ? undefined : `container ${name} ${problem}`;
}
