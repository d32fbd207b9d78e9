import type { Application } from "../../application/application.ts";
import { migrationMark } from "../../application/migration.ts";
import { migrationJob } from "../../application/objects/migration.ts";
import { subjectOf } from "../../application/objects/subject.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { bounded } from "../../provisioning/errors.ts";
import { hiddenFrom, isSameMigration, migrationState } from "../../provisioning/jobs/migration-job.ts";
import { belongsTo } from "../../provisioning/objects/objects.ts";
import type { Standards } from "../../standards/standards.ts";
import type { PartState } from "./part-state.ts";

/** Why an Application's rollout is held back, and when to look again, in milliseconds: Jobs are not watched. */
export interface Held {
  readonly state: PartState;
  readonly againMs: number;
}

/** What it is judged by whether a rollout may begin. */
export interface Rollout {
  readonly application: Application;
  readonly standards: Standards;
  /** Of the Application: a migration that failed is tried again when that changes. */
  readonly generation: number;
  /** Marks of what is done: a run's word on the Application, and that of the Deployment that is there. */
  readonly done: readonly (string | undefined)[];
  /** Whether its data stores, its identity and its paths are there. */
  readonly grounded: boolean;
}

/** On a Job: the generation of the Application that it was made for. */
const generationAnnotation = "platform.company.com/generation";

const soonMs = 2_000;
const lateMs = 60_000;

/** Longest of a program's last words in a status, in characters. */
const longestWords = 400;

/**
 * Holds a rollout back until its migration is done, which it begins. What a run has done it takes from the Application,
 * so that only what was applied by hand is migrated here.
 */
export class Migrations {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Undefined where nothing has to be done first, or it is done. @throws ClusterError */
  async hold(rollout: Rollout, signal: AbortSignal): Promise<Held | undefined> {
    const { application, standards, generation, done, grounded } = rollout;
    const mark = migrationMark(application.spec);
    if (mark === undefined || done.includes(mark)) return undefined;
    if (!grounded) return waiting("the migration waits for what it needs");
    const job = migrationJob(subjectOf(application, standards));
    if (job === undefined) return undefined;
    const { namespace = "", name } = job.metadata;
    const found = await find(this.#cluster, resources.jobs, { namespace, name }, { signal });
    if (found === undefined) return this.#begin(job, generation, signal);
    const existing = { ...found, apiVersion: job.apiVersion, kind: job.kind };
    if (!belongsTo(existing, application.metadata.name)) {
      return broken("Conflict", `Job ${name} is not this service's; it was left as it is`);
    }
    if (existing.metadata.deletionTimestamp !== undefined)
      return waiting("an earlier migration is cleared away");
    const state = await migrationState(this.#cluster, existing);
    if (state.kind === "going") {
      return waiting(state.problem?.text ?? `job ${name} migrates the database`);
    }
    const isTriedAgain = state.kind === "failed" && generationOf(existing) !== String(generation);
    if (!isSameMigration(existing, job) || isTriedAgain) {
      await this.#clear(existing, signal);
      return waiting("an earlier migration is cleared away");
    }
    if (state.kind === "done") return undefined;
    const hide = await hiddenFrom(this.#cluster, existing);
    const why = bounded(hide(state.why), longestWords);
    return broken(
      "MigrationFailed",
      `the migration failed, and nothing was rolled out: ${why === "" ? "its pod does not say why" : why}; see kubectl logs job/${name} -n ${namespace}; it is tried again when the Application changes`,
    );
  }

  async #begin(job: KubeObject, generation: number, signal: AbortSignal): Promise<Held> {
    const annotations = { ...job.metadata.annotations, [generationAnnotation]: String(generation) };
    const made = { ...job, metadata: { ...job.metadata, annotations } };
    try {
      await this.#cluster.create(resources.jobs, made, { signal });
    } catch (error) {
      if (isClusterError(error, "forbidden", "invalid")) {
        return broken("MigrationRefused", `the migration is refused: ${error.message}`);
      }
      // A run was quicker: the next look is at its Job.
      if (!isClusterError(error, "already-exists")) throw error;
    }
    return waiting(`job ${job.metadata.name} migrates the database`);
  }

  /** Its pods go first: another migration must not begin beside them. */
  async #clear({ metadata: { name, namespace = "", uid } }: KubeObject, signal: AbortSignal): Promise<void> {
    try {
      await this.#cluster.delete(
        resources.jobs,
        { namespace, name },
        { propagation: "Foreground", signal, ...(uid === undefined ? {} : { uid }) },
      );
    } catch (error) {
      if (!isClusterError(error, "not-found", "conflict")) throw error;
    }
  }
}

function generationOf({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[generationAnnotation];
}

function waiting(message: string): Held {
  return { state: { state: "progressing", reason: "Migrating", message }, againMs: soonMs };
}

function broken(reason: string, message: string): Held {
  return { state: { state: "broken", reason, message }, againMs: lateMs };
}
