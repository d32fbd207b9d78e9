import type { Check } from "./check.ts";
import { namespaceIsFree, noUnfinishedRun, serviceExists, serviceIsNew } from "./existence.ts";
import { rightsSuffice } from "./rights.ts";
import {
  codeHostAnswers,
  imageIsAllowed,
  monitoringIsServed,
  networkIsServed,
  quotaSuffices,
  storageClassExists,
} from "./surroundings.ts";

/** Everything that must hold before an operation writes anything. */
export const checks: Readonly<Record<"create" | "delete", readonly Check[]>> = {
  create: [
    rightsSuffice,
    serviceIsNew,
    namespaceIsFree,
    noUnfinishedRun("create"),
    storageClassExists,
    imageIsAllowed,
    quotaSuffices,
    monitoringIsServed,
    networkIsServed,
    codeHostAnswers,
  ],
  delete: [rightsSuffice, serviceExists, noUnfinishedRun("delete")],
};
