import { applicationFor } from "../../application/from-request.ts";
import { type ServiceName, serviceNameSchema } from "../../application/names.ts";
import { cacheTypes, databaseTypes, serviceRequestSchema } from "../../application/request.ts";
import type { Standards } from "../../standards/standards.ts";
import type { Installation } from "../installation.ts";
import type { RunSpec } from "../runs/run-record.ts";
import type { PlanContext } from "../step.ts";

import type { Surroundings } from "./surroundings.ts";

/** A team that the standards no longer hold may still have its service deleted. */
export function withTeam(standards: Standards, team: string | undefined): Standards {
  if (team === undefined || standards.teams[team] !== undefined) return standards;
  return { ...standards, teams: { ...standards.teams, [team]: { groups: ["nobody"] } } };
}

/**
 * The context of an operation that only deletes: the service's name and team matter, and that there may be data
 * stores.
 */
export function nominalContext(service: ServiceName, team: string, surroundings: Surroundings): PlanContext {
  const request = serviceRequestSchema.parse({
    name: service,
    team,
    language: "go",
    database: databaseTypes[0],
    cache: cacheTypes[0],
  });
  const standards = withTeam(surroundings.standards, team);
  const application = applicationFor({ ...request, image: "none" }, standards);
  return { ...surroundings, request, application, change: {}, dataStores: "delete" };
}

/** What a cleanup works on: the orphans that its request names. */
export function cleanupContext(
  { service, team, parameters }: Pick<RunSpec, "service" | "team" | "parameters">,
  surroundings: Surroundings,
): PlanContext {
  const { orphans = [], repositories = [], confirmed } = parameters;
  return {
    ...nominalContext(serviceNameSchema.parse(service), team, surroundings),
    cleanup: { orphans, repositories },
    ...(confirmed === undefined ? {} : { confirmed }),
  };
}

/** What an installation works on; it is about no service, and the standards are those it brings. */
export function installationContext(
  installation: Installation,
  surroundings: Omit<Surroundings, "standards">,
): PlanContext {
  const { standards } = installation;
  const [team = "platform"] = Object.keys(standards.teams);
  return {
    ...nominalContext(serviceNameSchema.parse("platform"), team, { ...surroundings, standards }),
    dataStores: "keep",
    installation,
  };
}
