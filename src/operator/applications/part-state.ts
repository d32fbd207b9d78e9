import type { PodProblem } from "../../cluster/pod-problem.ts";
import type { Child } from "./child.ts";
import type { Result } from "./object-writer.ts";
import { refOf } from "./object-writer.ts";
import type { Wanted } from "./wanted.ts";

/** What an Application's status tells of one by one. */
export const partNames = ["workload", "database", "cache", "monitoring", "network"] as const;
export type PartName = (typeof partNames)[number];

/** How far a part is. `reason` is one word, in camel case; `message` one line. */
export type PartState =
  /** The Application does not ask for it. */
  | { readonly state: "notRequested" }
  | { readonly state: "ready"; readonly reason: string; readonly message: string }
  /** It gets there by itself. */
  | { readonly state: "progressing"; readonly reason: string; readonly message: string }
  /** It does not, as far as can be seen. */
  | { readonly state: "broken"; readonly reason: string; readonly message: string };

/** One object that should be there, and what became of it. */
export interface Outcome {
  readonly wanted: Wanted;
  readonly result: Result;
}

/** The part that an object counts for: a service's identity is its workload's, its paths are the network's. Pure. */
export function partOf({ part, resource }: Pick<Wanted, "part" | "resource">): PartName {
  if (part !== "namespace") return part;
  return resource.kind === "NetworkPolicy" ? "network" : "workload";
}

/** Everything that the state of a part follows from. */
export interface PartFacts {
  readonly name: PartName;
  readonly requested: boolean;
  readonly outcomes: readonly Outcome[];
  /** Why its rollout is held back, where it is. */
  readonly held?: PartState | undefined;
  /** What keeps its pods from being ready, as far as it was looked for. */
  readonly pods: PodProblem | undefined;
  /** A sentence for each kind that the cluster does not serve. */
  readonly missing: readonly string[];
  /** Whether the standards let a part go without those. */
  readonly mayMiss: boolean;
}

/** How far a part is. Pure. */
export function partState(facts: PartFacts): PartState {
  if (!facts.requested) return { state: "notRequested" };
  return (
    obstacle(facts) ??
    facts.held ??
    workloadState(facts) ??
    complaint(facts) ?? {
      state: "ready",
      reason: facts.missing.length === 0 ? "Ready" : "Partial",
      message: facts.missing.join("; "),
    }
  );
}

function nameOf({ resource, key }: Wanted): string {
  return `${resource.kind} ${refOf(key).name}`;
}

function obstacle({ outcomes, missing, mayMiss }: PartFacts): PartState | undefined {
  for (const { wanted, result } of outcomes) {
    if (result.kind !== "conflict") continue;
    const message = `${nameOf(wanted)} ${result.owner}; it was left as it is`;
    return { state: "broken", reason: "Conflict", message };
  }
  for (const { wanted, result } of outcomes) {
    if (result.kind !== "refused") continue;
    const message = `${nameOf(wanted)} is refused: ${result.text}`;
    return { state: "broken", reason: reasonOfRefusal(result.text), message };
  }
  if (missing.length > 0 && !mayMiss) {
    return { state: "broken", reason: "KindNotServed", message: missing.join("; ") };
  }
  const waiting = outcomes.find(({ result }) => result.kind === "waiting");
  return waiting === undefined
    ? undefined
    : {
        state: "progressing",
        reason: "Waiting",
        message: `${nameOf(waiting.wanted)} is being deleted, and made again when it is gone`,
      };
}

/** Who refuses, as far as the server's words tell. */
function reasonOfRefusal(text: string): string {
  if (/exceeded quota/i.test(text)) return "QuotaExceeded";
  if (/ValidatingAdmissionPolicy|admission webhook|violates PodSecurity/.test(text))
    return "RefusedByGuardrail";
  return "Refused";
}

function workloadState({ outcomes, pods }: PartFacts): PartState | undefined {
  for (const child of children(outcomes)) {
    const { workload } = child;
    if (workload === undefined || workload.complete) continue;
    const { problem } = workload;
    const progress = `${Math.min(workload.ready, workload.wanted)} of ${workload.wanted} replicas ready`;
    if (problem?.kind === "refused") {
      const reason = reasonOfRefusal(problem.text);
      return {
        state: "broken",
        reason: reason === "Refused" ? "PodsRefused" : reason,
        message: problem.text,
      };
    }
    if (pods !== undefined) {
      return { state: "broken", reason: pods.reason, message: `${pods.text} (pod ${pods.pod}); ${progress}` };
    }
    if (problem?.kind === "late") {
      return { state: "broken", reason: "ProgressDeadlineExceeded", message: `${problem.text}; ${progress}` };
    }
    return { state: "progressing", reason: "RollingOut", message: progress };
  }
  return undefined;
}

function complaint({ outcomes }: PartFacts): PartState | undefined {
  for (const { wanted, result } of outcomes) {
    if (result.kind !== "there" || result.child.complaint === undefined) continue;
    const message = result.child.complaint;
    // A certificate is not ready until its issuer has proven the name, which takes its time.
    return wanted.resource.kind === "Certificate"
      ? { state: "progressing", reason: "CertificateNotReady", message }
      : { state: "broken", reason: "RouteNotAccepted", message };
  }
  return undefined;
}

/** The objects that are there. Pure. */
export function children(outcomes: readonly Outcome[]): readonly Child[] {
  return outcomes.flatMap(({ result }) => (result.kind === "there" ? [result.child] : []));
}
