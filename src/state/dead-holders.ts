import { atRest } from "../provisioning/engine/decide.ts";
import { byUrgency } from "../services/row.ts";
import type { Service } from "../services/service.ts";
import type { OpenRuns } from "./stores.ts";

/**
 * The dashboard's rows with what is known of who executes their runs: one that nobody works on any more needs a person,
 * whatever the cluster's record says. Pure; rows that it does not concern are the same objects.
 */
export function withDeadHolders(
  services: readonly Service[],
  holders: OpenRuns["holders"],
): readonly Service[] {
  if (!Object.values(holders).includes("dead")) return services;
  let found = false;
  const marked = services.map((service): Service => {
    const { lastRun } = service;
    if (lastRun === undefined || atRest(lastRun) || holders[lastRun.name] !== "dead") return service;
    found = true;
    const reason = `${lastRun.operation} lost its holder: platform run resume ${lastRun.name}`;
    return { ...service, verdict: "degraded", reason, lastRun: { ...lastRun, holderGone: true } };
  });
  return found ? marked.sort(byUrgency) : services;
}
