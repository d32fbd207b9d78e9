import { apply } from "../../cluster/cluster.ts";
import { conditionsOf, holds } from "../../cluster/conditions.ts";
import { resourceOf } from "../../cluster/resource.ts";
import { StepError } from "../errors.ts";
import { isInstalled } from "../installed.ts";
import { objectEffect, observeEffect } from "../objects.ts";
import type { Step, StepContext } from "../step.ts";
import { objectsOf, writesPart } from "./installation-part.ts";

/** Longest time the API server may take to serve a new resource type, in milliseconds. */
const servedWithin = 30_000;

/**
 * The platform's resource types. What is new is kept by a rollback: with a type everything of that type would go, and
 * services may have come since.
 */
export const installTypes: Step = {
  ...writesPart({ id: "install_types", title: "Resource types", part: "types", needs: ["preflight"] }),
  async apply(context) {
    const { cluster, write } = context;
    const types = await objectsOf(context, "types");
    const found = await Promise.all(types.map((type) => observeEffect(cluster, objectEffect(type))));
    const missing = types.filter((_, index) => found[index] === undefined);
    for (const type of missing) {
      await write.keep(objectEffect(type), "with it would go everything of its kind", () =>
        apply(cluster, resourceOf(type), type),
      );
    }
    const written = await write.objects(types.filter((type) => !missing.includes(type)));
    await untilServed(context);
    const changed = written.filter(({ outcome }) => outcome === "changed").length;
    return { summary: `${types.length} served, ${missing.length} of them new, ${changed} changed` };
  },
};

async function untilServed(context: StepContext): Promise<void> {
  const { cluster, clock, signal } = context;
  const types = await objectsOf(context, "types");
  const deadline = clock.now().getTime() + servedWithin;
  for (;;) {
    const found = await Promise.all(types.map((type) => observeEffect(cluster, objectEffect(type))));
    const established = found.every((type) => type !== undefined && holds(conditionsOf(type), "Established"));
    if (established && (await isInstalled(cluster, { signal, refresh: true }))) return;
    if (clock.now().getTime() >= deadline) {
      throw new StepError(
        "unhealthy",
        `the cluster took the resource types but does not serve them after ${servedWithin / 1_000} s`,
        "see kubectl describe crd applications.platform.company.com, then retry",
      );
    }
    await clock.sleep(200, signal);
  }
}
