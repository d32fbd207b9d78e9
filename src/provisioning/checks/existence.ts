import { labels, namespaceOf, systemNamespace } from "../../application/names.ts";
import { hasOwnNamespace, refText } from "../../application/service-ref.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { isOver } from "../engine/decide.ts";
import { noSuchService, ProvisioningError } from "../errors.ts";
import { belongsTo } from "../objects/objects.ts";
import type { Operation } from "../plan.ts";
import { newestFirst, type RunRecord, readRuns } from "../runs/run-record.ts";
import { type AboutService, aboutService, isSameService } from "../runs/service-of-run.ts";
import { verbsOf, verbTitles } from "../verbs/verbs.ts";
import type { Check } from "./check.ts";

/** All runs of a service, newest first. */
export async function runsOf(cluster: Cluster, about: AboutService): Promise<readonly RunRecord[]> {
  const { items } = await cluster.list(resources.runs, {
    namespace: systemNamespace,
    labelSelector: `${labels.service}=${about.service}`,
  });
  return readRuns(items)
    .filter(({ spec }) => isSameService(spec, about))
    .sort((one, other) => newestFirst(one.state, other.state));
}

/** The service's namespace must be free, or the service's own; a namespace that is not ours is never taken over. */
export const namespaceIsFree: Check = async ({ cluster, request, application, run }) => {
  const name = namespaceOf(request.name);
  const found = await find(cluster, resources.namespaces, { name });
  if (found === undefined || (run !== undefined && found.metadata.labels?.[labels.run] === run)) {
    return undefined;
  }
  if (!belongsTo(found, request.name)) {
    return new ProvisioningError(
      "usage",
      `namespace ${name} exists and is not the platform's; it was left as it is`,
      "choose another name for the service",
    );
  }
  if (found.metadata.deletionTimestamp !== undefined) {
    return new ProvisioningError(
      "usage",
      `namespace ${name} is still being deleted`,
      `wait until it is gone: kubectl wait --for=delete namespace/${name}`,
    );
  }
  const owner = found.metadata.labels?.[labels.team];
  if (owner !== undefined && owner !== application.spec.team) {
    return new ProvisioningError(
      "usage",
      `namespace ${name} was kept for team ${owner} by an earlier deletion or rollback: what it holds is theirs`,
      "choose another name for the service, or ask that team",
    );
  }
  return {
    warning: `namespace ${name} was kept by an earlier deletion or rollback: what it holds is used again`,
  };
};

/** No service of that name may exist. */
export const serviceIsNew: Check = async ({ cluster, request, run }) => {
  const found = await find(cluster, resources.applications, {
    name: request.name,
    namespace: namespaceOf(request.name),
  });
  if (found === undefined || (run !== undefined && found.metadata.labels?.[labels.run] === run))
    return undefined;
  return new ProvisioningError(
    "usage",
    `service ${request.name} exists`,
    `choose another name, or see it with: platform service get ${request.name}`,
  );
};

/**
 * The service must exist: its Application, or a namespace of its own that was kept; one that it shares must be managed, and
 * its team's.
 */
export const serviceExists: Check = async ({ cluster, application: { metadata, spec } }) => {
  const { name, namespace } = metadata;
  const found = await find(cluster, resources.namespaces, { name: namespace });
  if (found === undefined) return noSuchService(refText(metadata));
  const isOwn = hasOwnNamespace(metadata);
  const { [labels.managed]: managed, [labels.team]: team } = found.metadata.labels ?? {};
  if (isOwn ? belongsTo(found, name) : managed === "true" && team === spec.team) return undefined;
  if (!isOwn && managed === "true") {
    return new ProvisioningError(
      "refused",
      `namespace ${namespace} is of ${team === undefined ? "no team" : `team ${team}`}, and ${refText(metadata)} of team ${spec.team}`,
      "have the Application say no team: it is that of its namespace",
    );
  }
  return new ProvisioningError(
    "usage",
    `namespace ${namespace} is not the platform's; it was left as it is`,
    "see the services with: platform service list",
  );
};

/** A Run that was requested and that nobody took within this time was abandoned. In milliseconds. */
const abandonedAfter = 60_000;

/** Nobody else may be at work on the service, nor have left a run half-done. */
export function noUnfinishedRun(verb: Operation): Check {
  return async ({ cluster, application, run }) => {
    const service = refText(application.metadata);
    const records = await runsOf(cluster, aboutService(application.metadata));
    const own = records.find(({ name }) => name === run);
    for (const { name, state, object, events } of records) {
      // What was left before the service was deleted has nothing to go on with.
      if (state.operation === "delete" && state.phase === "Succeeded") break;
      if (name === run || isOver(state)) continue;
      if (state.phase === "Pending" && events.length === 0) {
        if (own === undefined) continue;
        const age = Date.parse(own.state.requestedAt) - Date.parse(state.requestedAt);
        const newer = Number(object.metadata.resourceVersion) > Number(own.object.metadata.resourceVersion);
        if (age > abandonedAfter || newer) continue;
      }
      // A deletion cleans up after a run that is at rest.
      if (
        (verb === "delete" || verb === "cleanup") &&
        (state.phase === "Held" || state.phase === "Interrupted" || state.phase === "RollbackFailed")
      ) {
        continue;
      }
      // What is left of a rotation is what another one begins with.
      if (verb === "rotate" && state.operation === "rotate" && state.phase === "RollbackFailed") continue;
      if (verb === "create" && state.phase === "RollbackFailed") {
        return new ProvisioningError(
          "usage",
          `run ${name} of ${service} could not be rolled back: effects remain`,
          `roll it back again: platform run rollback ${name}`,
        );
      }
      const busy = state.phase === "Running" || state.phase === "RollingBack" || state.phase === "Pending";
      return new ProvisioningError(
        busy ? "busy" : "usage",
        busy
          ? `${service} is being worked on: run ${name} by ${state.holder || state.requestedBy}`
          : `run ${name} of ${service} is unfinished (${state.phase.toLowerCase()})`,
        busy
          ? `watch it: platform run watch ${name}`
          : verbsOf(state)
              .map((verb) => `${verbTitles[verb]} it: platform run ${verb} ${name}`)
              .join(", or "),
      );
    }
    return undefined;
  };
}
