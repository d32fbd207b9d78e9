import type { ApplicationSpec } from "../../application/application.ts";
import { type FieldChange, specDiff } from "../../application/spec-diff.ts";
import type { Operation } from "../plan.ts";
import type { RunName, RunState } from "../runs/run.ts";

/** One deployed version of a service. A scale makes none: a release is what runs, not how much of it. */
export interface Release {
  /** 1 for the one a create makes; never used twice. */
  readonly number: number;
  readonly run: RunName;
  readonly operation: Operation;
  /** Who asked for it, as the cluster's authentication names them. */
  readonly by: string;
  /** When it was complete, RFC 3339. */
  readonly at: string;
  readonly spec: ApplicationSpec;
  /** What its image was built from; left out where nobody said so. */
  readonly commit?: string;
  /** Whether it is what the service runs. */
  readonly current: boolean;
}

/**
 * The releases of a service, newest first: its succeeded runs since it was created, by what each made of the
 * Application. Pure.
 * @param runs - all runs of one service, newest first
 */
export function releasesOf(runs: readonly RunState[]): readonly Release[] {
  const deleted = runs.findIndex(({ operation, phase }) => operation === "delete" && phase === "Succeeded");
  const since = deleted === -1 ? runs : runs.slice(0, deleted);
  const made = since.flatMap((run) => {
    const { change, name, operation, requestedBy, finishedAt = "" } = run;
    if (run.phase !== "Succeeded" || change?.release === undefined || change.after === undefined) return [];
    if (change.release === change.releaseBefore) return [];
    return [
      {
        number: change.release,
        run: name,
        operation,
        by: requestedBy,
        at: finishedAt,
        spec: change.after,
        ...(change.commit === undefined ? {} : { commit: change.commit }),
      },
    ];
  });
  return made
    .filter(({ number }, index) => made.findIndex((other) => other.number === number) === index)
    .sort((a, b) => b.number - a.number)
    .map((release, index) => ({ ...release, current: index === 0 }));
}

/** What differs between two releases, field by field; replicas and data stores are not a release's. Pure. */
export function releaseDiff(before: Release, after: Release): readonly FieldChange[] {
  const shown = ({ spec }: Release) => {
    const { replicas: _, database: __, cache: ___, ...release } = spec;
    return release;
  };
  return specDiff(shown(before), shown(after));
}
