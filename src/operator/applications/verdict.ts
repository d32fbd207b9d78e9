import type { Child } from "./child.ts";
import type { Wanted } from "./wanted.ts";

/** What is to be done about one object that should be there. */
export type Verdict =
  /** It is as it should be. */
  | { readonly do: "nothing" }
  /** It is not there. */
  | { readonly do: "create" }
  /** It is ours and differs; its maker's label stays, and so do `replicas`, where nobody else has asked for any yet. */
  | {
      readonly do: "apply";
      readonly uid: string;
      readonly run: string | undefined;
      readonly replicas: number | undefined;
    }
  /** It is being deleted: its place is free in a moment. */
  | { readonly do: "wait" }
  /** Something of its name is there that is not ours; `owner` is what it belongs to, as far as that is known. */
  | { readonly do: "conflict"; readonly owner: string };

/** Whom an object that is made belongs to. */
export type Owner =
  /** The Application of this UID, which controls it. */
  | { readonly kind: "application"; readonly key: string; readonly uid: string }
  /** The Application of this key, whichever its UID: data stores outlive it. */
  | { readonly kind: "service"; readonly key: string }
  /** A managed namespace. */
  | { readonly kind: "namespace" };

/**
 * What to do about one object, from what is known of the one that has its name. Nothing is ever taken that another
 * controls, or that the platform did not apply. Pure.
 */
export function verdictOn(
  wanted: Pick<Wanted, "digest" | "replicas" | "owner">,
  live: Child | undefined,
): Verdict {
  const { owner, replicas } = wanted;
  if (live === undefined) return { do: "create" };
  const conflict = conflictWith(owner, live);
  if (conflict === "passing" || live.leaving) return { do: "wait" };
  if (conflict !== undefined) return { do: "conflict", owner: conflict };
  if (isAsWanted(wanted, live)) return { do: "nothing" };
  // A field that nobody applies any more falls back to its default: one pod, until the autoscaler has looked.
  return { do: "apply", uid: live.uid, run: live.run, replicas: replicas ?? live.replicas };
}

/** Whether what the platform has applied of an object is what is wanted, whoever's it is. Pure. */
export function isAsWanted(
  { digest, replicas }: Pick<Wanted, "digest" | "replicas">,
  live: Child | undefined,
): boolean {
  return live?.digest === digest && (replicas === undefined || replicas === live.replicas);
}

/** What stands against taking an object for ours; `passing` where the cluster is about to remove it. */
function conflictWith(owner: Owner, live: Child): string | undefined {
  if (live.stranger !== undefined) return `belongs to ${live.stranger}`;
  if (live.controller !== undefined) {
    if (owner.kind === "application" && live.controller === owner.uid) return undefined;
    // Of an Application that was deleted and made again: the cluster collects what the first one left.
    if (owner.kind !== "namespace" && live.application === owner.key) return "passing";
    return `belongs to the Application ${live.application?.replace(/^.*\//, "") ?? ""}`;
  }
  if (!live.managed || live.digest === undefined) return "was not made by the platform";
  if (owner.kind === "namespace" || live.application === owner.key) return undefined;
  return `belongs to the service ${live.application?.replace(/^.*\//, "") ?? ""}`;
}
