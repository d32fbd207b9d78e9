import { createHash } from "node:crypto";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { resources } from "../../cluster/resource.ts";
import type { Timing } from "../../cluster/timing.ts";
import { type ApplicationTarget, newRunName, runObject } from "../../provisioning/runs/run-record.ts";
import { aboutService } from "../../provisioning/runs/service-of-run.ts";
import type { HeldApplication } from "./held-application.ts";
import type { Held } from "./migrations.ts";
import type { PartState } from "./part-state.ts";
import type { ProvisionRun, ProvisionRuns } from "./provision-runs.ts";

/** A run that was refused is asked for again after so long at first, in milliseconds; each time after twice as long. */
const refusedAgainMs = 60_000;
const longestAgainMs = 3_600_000;
/** A Secret that a run has made may have been looked for before it was there: it is looked for once more. In milliseconds. */
const madeMs = 60_000;
const soonMs = 1_000;
/** Runs are watched; if one's end was missed, in milliseconds. */
const lateMs = 60_000;

/** What to do about data stores that only a run makes. */
export type Verdict =
  | { readonly kind: "ask"; readonly attempt: number }
  | { readonly kind: "wait"; readonly state: PartState; readonly againMs: number };

function waits(
  state: PartState["state"] & ("progressing" | "broken"),
  reason: string,
  message: string,
  againMs = lateMs,
): Verdict {
  return { kind: "wait", state: { state, reason, message }, againMs };
}

function isAbout({ uid, generation, standards }: ProvisionRun, wanted: ApplicationTarget): boolean {
  return uid === wanted.uid && generation === wanted.generation && standards === wanted.standards;
}

/**
 * The runs that matter to an Application: those asked for it, and whatever is at work. What rests of an earlier Application
 * of its name, the executor judges: a deletion may have cleaned up after it. Pure.
 */
function concerning(runs: readonly ProvisionRun[], uid: string): readonly ProvisionRun[] {
  return runs.filter((run) => run.uid === uid || ["Pending", "Running", "RollingBack"].includes(run.phase));
}

/**
 * What to do about the data stores that an Application lacks, by the runs that there have been, newest first. One is asked for
 * once; what a person has rolled back, or what was refused, only once the Application or the standards have changed, a
 * refusal also after a while. Pure.
 */
export function verdictOn(runs: readonly ProvisionRun[], wanted: ApplicationTarget, now: number): Verdict {
  const [newest] = concerning(runs, wanted.uid);
  const attempt = runs.filter((run) => isAbout(run, wanted)).length;
  if (newest === undefined) return { kind: "ask", attempt };
  const { name, phase, finishedAt = now } = newest;
  const because = newest.message === "" ? "" : `: ${newest.message}`;
  switch (phase) {
    case "Held":
    case "Interrupted":
    case "RollbackFailed": {
      const is = {
        Held: "is held",
        Interrupted: "was interrupted",
        RollbackFailed: "could not be rolled back",
      };
      return waits(
        "broken",
        "ProvisioningFailed",
        `run ${name} ${is[phase]}${because}; see platform run show ${name}`,
      );
    }
    case "RolledBack":
      return isAbout(newest, wanted)
        ? waits(
            "broken",
            "ProvisioningRolledBack",
            `run ${name} was rolled back${because}; another one begins when the Application or the standards change`,
          )
        : { kind: "ask", attempt };
    case "Refused":
    case "Succeeded": {
      if (phase === "Succeeded" && now - finishedAt < madeMs) {
        return waits("progressing", "Provisioning", `run ${name} has made it`, soonMs);
      }
      const pause = Math.min(longestAgainMs, refusedAgainMs * 2 ** Math.max(0, attempt - 1));
      const left = finishedAt + pause - now;
      if (!isAbout(newest, wanted) || left <= 0) return { kind: "ask", attempt };
      return waits("broken", "ProvisioningRefused", `run ${name} was refused${because}`, left);
    }
    default:
      return waits("progressing", "Provisioning", `run ${name} makes it${because}`);
  }
}

/** Has runs make what an Application asks for and no object in the cluster is: a run is asked for as by anybody else. */
export class Provisioning {
  readonly #cluster: Cluster;
  readonly #timing: Timing;
  readonly #runs: ProvisionRuns;
  #username: string | undefined;

  constructor(cluster: Cluster, timing: Timing, runs: ProvisionRuns) {
    this.#cluster = cluster;
    this.#timing = timing;
    this.#runs = runs;
  }

  /** Whether a run of the Application's is, or may be, not over: what it has made is not proven yet. */
  isUnfinished({ namespace, name, uid }: Pick<HeldApplication, "namespace" | "name" | "uid">): boolean {
    const runs = this.#runs.of(`${namespace}/${name}`);
    if (runs === undefined) return true;
    const [newest] = concerning(runs, uid);
    return newest !== undefined && newest.finishedAt === undefined;
  }

  /**
   * How far the data stores are that the Application lacks; asks for the run where there is to be one.
   * @param standards - hash of those in force
   * @throws ClusterError
   */
  async of(held: HeldApplication, team: string, standards: string, signal: AbortSignal): Promise<Held> {
    const runs = this.#runs.of(`${held.namespace}/${held.name}`);
    if (runs === undefined) {
      const message = "it is not known yet whether a run makes it";
      return { state: { state: "progressing", reason: "Provisioning", message }, againMs: soonMs };
    }
    const { uid, generation } = held;
    const wanted = { uid, generation, standards };
    const verdict = verdictOn(runs, wanted, this.#timing.now().getTime());
    if (verdict.kind === "wait") return verdict;
    return this.#ask(held, team, wanted, verdict.attempt, signal);
  }

  async #ask(
    held: HeldApplication,
    team: string,
    application: ApplicationTarget,
    attempt: number,
    signal: AbortSignal,
  ): Promise<Held> {
    this.#username ??= (await this.#cluster.whoAmI({ signal })).username;
    // The same name for the same wish: whoever else works it out at the same time asks for no second run.
    const seed = createHash("sha256")
      .update(JSON.stringify([application, attempt]))
      .digest();
    const name = newRunName(held.name, "provision", (size) => seed.subarray(0, size));
    const run = runObject(name, {
      operation: "provision",
      ...aboutService(held),
      team,
      parameters: { application },
      requestedBy: this.#username,
    });
    try {
      await this.#cluster.create(resources.runs, run, { signal });
    } catch (error) {
      if (isClusterError(error, "forbidden", "invalid")) {
        const message = `the run that would make it is refused: ${error.message}`;
        return { state: { state: "broken", reason: "ProvisioningRefused", message }, againMs: lateMs };
      }
      if (!isClusterError(error, "already-exists")) throw error;
    }
    const message = `run ${name} makes it`;
    return { state: { state: "progressing", reason: "Provisioning", message }, againMs: soonMs };
  }
}
