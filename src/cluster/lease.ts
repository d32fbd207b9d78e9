import { z } from "zod";
import type { KubeObject } from "./object.ts";
import { cleanText } from "./text.ts";

/** What a Lease says about who holds it. */
export interface LeaseRecord {
  /** Empty: nobody. */
  readonly holder: string;
  /** As it stands there; compare it, do not compute with it: it is another machine's time of day. */
  readonly renewTime: string;
  /** Milliseconds; 0 where it does not say. */
  readonly durationMs: number;
  readonly transitions: number;
}

const leaseSpecSchema = z.looseObject({
  holderIdentity: z.string().nullish(),
  renewTime: z.string().nullish(),
  leaseDurationSeconds: z.number().nullish(),
  leaseTransitions: z.number().nullish(),
});

/** Reads a Lease; what is not there reads as nobody's. */
export function readLease(lease: Pick<KubeObject, "spec">): LeaseRecord {
  const spec = leaseSpecSchema.safeParse(lease.spec ?? {}).data;
  return {
    holder: cleanText(spec?.holderIdentity ?? ""),
    renewTime: cleanText(spec?.renewTime ?? ""),
    durationMs: (spec?.leaseDurationSeconds ?? 0) * 1_000,
    transitions: spec?.leaseTransitions ?? 0,
  };
}

/** A time as Leases demand it (`MicroTime`): six decimals, or the server refuses it. */
export function microTime(time: Date): string {
  return time.toISOString().replace("Z", "000Z");
}
