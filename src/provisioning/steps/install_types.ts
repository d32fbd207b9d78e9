import { apply } from "../../cluster/cluster.ts";
import { resourceOf } from "../../cluster/resource.ts";
import { ProvisioningError, StepError } from "../errors.ts";
import { objectEffect, observeEffect } from "../objects/objects.ts";
import type { Step } from "../step.ts";
import { objectsOf, writesPart } from "./installation-part.ts";

/**
 * The platform's resource types. What is new is kept by a rollback: with a type everything of that type would go, and
 * services may have come since.
 */
export const installTypes: Step = {
  ...writesPart({ id: "install_types", title: "Resource types", part: "types", needs: ["preflight"] }),
  async apply(context) {
    const { cluster, clock, signal, write } = context;
    const types = await objectsOf(context, "types");
    const found = await Promise.all(types.map((type) => observeEffect(cluster, objectEffect(type))));
    const missing = types.filter((_, index) => found[index] === undefined);
    for (const type of missing) {
      await write.keep(objectEffect(type), "with it would go everything of its kind", () =>
        apply(cluster, resourceOf(type), type),
      );
    }
    const written = await write.objects(types.filter((type) => !missing.includes(type)));
    const { untilServed } = await import("../../installation/served.ts");
    await untilServed(cluster, clock, types, signal).catch((error: unknown) => {
      if (!(error instanceof ProvisioningError)) throw error;
      throw new StepError("unhealthy", error.message, error.mend, error);
    });
    const changed = written.filter(({ outcome }) => outcome === "changed").length;
    return { summary: `${types.length} served, ${missing.length} of them new, ${changed} changed` };
  },
};
