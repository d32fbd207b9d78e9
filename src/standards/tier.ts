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
 * @param name - left out: the default tier. One that they no longer know has the default's quota, and wants digests: what
 *   it once asked for is not known, and nothing becomes laxer because a tier was taken away.
 */
export function tierOf({ tiers, defaultTier, quota }: Standards, name = defaultTier): Tier {
  const known = Object.hasOwn(tiers, name);
  const tier = tiers[known ? name : defaultTier];
  const own = Object.entries(tier?.quota ?? {}).filter(([, value]) => value !== undefined);
  return {
    name,
    quota: { ...quota, ...Object.fromEntries(own) },
    imagesByDigest: !known || tier?.imagesByDigest === true,
  };
}
