import { applicationFor } from "../../application/from-request.ts";
import type { ServiceRequest } from "../../application/request.ts";
import type { PlanContext } from "../step.ts";

import type { Surroundings } from "./surroundings.ts";

/** @throws RefusedInput where the standards do not allow the request */
export function createContext(request: ServiceRequest, surroundings: Surroundings): PlanContext {
  const application = applicationFor(request, surroundings.standards);
  const change = { after: application.spec, release: firstRelease };
  return { ...surroundings, request, application, change, dataStores: "keep" };
}

/** The release that a create makes. */
export const firstRelease = 1;
