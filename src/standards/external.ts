import { isIP } from "node:net";
import { z } from "zod";

/** Longest prefix of a range, by the family of its addresses. */
const longestPrefix: Readonly<Record<number, number>> = { 4: 32, 6: 128 };

function isRange(text: string): boolean {
  const [address = "", length = "", ...rest] = text.split("/");
  const longest = longestPrefix[isIP(address)];
  return (
    rest.length === 0 && longest !== undefined && /^(0|[1-9][0-9]{0,2})$/.test(length) && +length <= longest
  );
}

const most = 32;

/** Where data stores may be that exist already and are not the platform's. */
export const externalSchema = z
  .strictObject({
    ranges: z
      .array(z.string().max(64).refine(isRange, "is not a range of addresses, for example 10.30.0.0/16"))
      .max(most)
      .default([])
      .describe(
        "Addresses where they may be. A path is opened to nothing else: to the address that the Application names, or, where it names a host, to all of these on its port.",
      ),
    namespaces: z
      .array(
        z
          .string()
          .max(63)
          .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "is not the name of a namespace"),
      )
      .max(most)
      .default([])
      .describe("Namespaces of this cluster in which they may be, as Services: NAME.NAMESPACE.svc."),
  })
  .prefault({})
  .describe(
    "Databases and caches that exist already: an Application names their address and a Secret with their credentials. None may be used where both lists are empty.",
  );
