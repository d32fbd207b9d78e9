import type { KubeObject } from "../../cluster/object.ts";
import type { Exception } from "../../guardrails/crd.ts";

/** Exceptions that are over at a time, and when the next one will be (milliseconds since 1970). Pure. */
export function expired(
  exceptions: readonly Exception[],
  now: Date,
): { readonly over: readonly Exception[]; readonly next: number | undefined } {
  const at = now.getTime();
  const ends = exceptions.map(({ expires }) => Date.parse(expires)).filter((end) => end > at);
  return {
    over: exceptions.filter(({ expires }) => Date.parse(expires) <= at),
    next: ends.length === 0 ? undefined : Math.min(...ends),
  };
}

/** Whether an exception is about an object of this name: as the policies judge it. Pure. */
export function covers({ workload }: Pick<Exception, "workload">, name: string): boolean {
  return name === workload || name.startsWith(`${workload}-`);
}

/** A pod as it would be made anew under the same name: what only a living one has is left out. Pure. */
export function madeAnew({ apiVersion, kind, metadata, spec }: KubeObject): KubeObject {
  const { name, namespace, labels, annotations } = metadata;
  const template = typeof spec === "object" && spec !== null ? spec : {};
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: Object.fromEntries(
      Object.entries(template).filter(([field]) => field !== "ephemeralContainers" && field !== "nodeName"),
    ),
  };
}
