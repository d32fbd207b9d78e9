import { z } from "zod";
import type { KubeObject } from "../cluster/object.ts";
import { labels } from "./names.ts";

const workloadSchema = z.object({
  spec: z.object({
    template: z.object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })) }) }),
  }),
});

interface Version {
  readonly major: number;
  readonly minor: number;
}

/** The version that an image's tag says, of its StatefulSet's one container; undefined where it says none. */
function versionOf(object: KubeObject): Version | undefined {
  const [container] = workloadSchema.safeParse(object).data?.spec.template.spec.containers ?? [];
  const [, major, minor] = /:(\d+)(?:\.(\d+))?[^/]*$/.exec(container?.image.replace(/@.*$/, "") ?? "") ?? [];
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor ?? 0) };
}

/**
 * Why a data store would not read what is in its volume, as far as the tags of its images tell: PostgreSQL reads what its own major
 * version has written, Redis what is not newer than itself; undefined where nothing speaks against it. Pure.
 * @param live - its StatefulSet as it is
 * @param wanted - as it should become
 */
export function dataProblem(live: KubeObject, wanted: KubeObject): string | undefined {
  const component = wanted.metadata.labels?.[labels.component];
  const [was, is] = [versionOf(live), versionOf(wanted)];
  if (was === undefined || is === undefined) return undefined;
  if (component === "database" && is.major !== was.major) {
    return `PostgreSQL ${is.major} does not read what PostgreSQL ${was.major} has written: it stays as it is, and the standards need an image of PostgreSQL ${was.major}`;
  }
  const older = is.major < was.major || (is.major === was.major && is.minor < was.minor);
  if (component === "cache" && older) {
    return `Redis ${is.major}.${is.minor} does not read what Redis ${was.major}.${was.minor} has written: it stays as it is, and needs version ${was.major}.${was.minor} or later`;
  }
  return undefined;
}

const claimsSchema = z.object({ spec: z.looseObject({ volumeClaimTemplates: z.array(z.json()) }) });

/**
 * A data store's StatefulSet as it should become, with the volumes that it asked for when it was made: the API server lets nobody
 * change that. Pure.
 */
export function withVolumesOf(live: KubeObject, wanted: KubeObject): KubeObject {
  const [there, to] = [claimsSchema.safeParse(live).data, claimsSchema.safeParse(wanted).data];
  if (there === undefined || to === undefined) return wanted;
  const { volumeClaimTemplates } = there.spec;
  return { ...wanted, spec: { ...to.spec, volumeClaimTemplates } };
}
