import type { Standards } from "./standards.ts";

/** What a tier makes of a namespace. */
export interface Tier {
  readonly name: string;
  readonly quota: Standards["quota"];
  /** Whether images must be named by digest. */
  readonly imagesByDigest: boolean;
}

/**
 * A tier of the standards, whole.
 * @param name - left out, or no longer known: the default tier
 */
export function tierOf({ tiers, defaultTier, quota }: Standards, name?: string): Tier {
  const known = name !== undefined && Object.hasOwn(tiers, name) ? name : defaultTier;
  const tier = tiers[known];
  return {
    name: known,
    quota: {
      ...quota,
      ...Object.fromEntries(Object.entries(tier?.quota ?? {}).filter(([, value]) => value !== undefined)),
    },
    imagesByDigest: tier?.imagesByDigest ?? false,
  };
}
