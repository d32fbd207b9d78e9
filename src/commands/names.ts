import {
  type ServiceName,
  serviceNameProblem,
  serviceNameSchema,
  suggestServiceName,
} from "../application/names.ts";
import { hasOwnNamespace, type ServiceRef } from "../application/service-ref.ts";
import type { RunName } from "../provisioning/runs/run.ts";
import { kubectlEdit } from "../services/by-kubectl.ts";
import { usageFailure } from "./failure.ts";

/** A service from argv that runs change: its name. @throws CommandFailure (2) */
export function serviceNameFrom(text: string | undefined): ServiceName {
  const parsed = serviceNameSchema.safeParse(text ?? "");
  if (parsed.success) return parsed.data;
  const placed = placedServiceFrom(text ?? "");
  if (placed !== undefined) {
    if (hasOwnNamespace(placed)) return placed.name;
    throw usageFailure(`no run changes ${text}: it was applied with kubectl`, {
      next: [kubectlEdit(placed), `platform service delete ${text}`],
    });
  }
  const suggestion = suggestServiceName(text ?? "");
  throw usageFailure(`${JSON.stringify(text ?? "")} cannot be a service's name`, {
    problems: [
      {
        field: "name",
        message: serviceNameProblem(text ?? "") ?? "is not a name",
        ...(suggestion === undefined ? {} : { suggestion }),
      },
    ],
  });
}

/** A service typed as `NAMESPACE/NAME`; undefined where `text` is none. */
export function placedServiceFrom(text: string): (ServiceRef & { readonly name: ServiceName }) | undefined {
  const [, namespace, name] = /^([a-z0-9][-a-z0-9]{0,62})\/(.*)$/.exec(text) ?? [];
  const parsed = serviceNameSchema.safeParse(name);
  return namespace !== undefined && parsed.success ? { namespace, name: parsed.data } : undefined;
}

/** A run's name from argv. @throws CommandFailure (2) */
export function runNameFrom(text: string | undefined): RunName {
  if (isRunName(text)) return text;
  throw usageFailure(`${JSON.stringify(text ?? "")} cannot be a run's name`, {
    next: ["platform run list"],
  });
}

function isRunName(text: string | undefined): text is RunName {
  return text !== undefined && text.length <= 253 && /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(text);
}
