import {
  type ServiceName,
  serviceNameProblem,
  serviceNameSchema,
  suggestServiceName,
} from "../application/names.ts";
import type { RunName } from "../provisioning/run.ts";
import { usageFailure } from "./failure.ts";

/** A service's name from argv. @throws CommandFailure (2) */
export function serviceNameFrom(text: string | undefined): ServiceName {
  const parsed = serviceNameSchema.safeParse(text ?? "");
  if (parsed.success) return parsed.data;
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
