import type { ChangeOperation, Operation } from "../plan.ts";
import type { Check } from "./check.ts";
import { namespaceIsFree, noUnfinishedRun, serviceExists, serviceIsNew } from "./existence.ts";
import { snapshotIsPossible } from "./protection.ts";
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
export const checks: Readonly<Record<Operation, readonly Check[]>> = {
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
  scale: ofChange("scale"),
  deploy: ofChange("deploy"),
  set: ofChange("set"),
  rollback: ofChange("rollback"),
  delete: [rightsSuffice, serviceExists, noUnfinishedRun("delete"), snapshotIsPossible],
  cleanup: [rightsSuffice, noUnfinishedRun("cleanup"), snapshotIsPossible],
};

function ofChange(operation: ChangeOperation): readonly Check[] {
  return [
    rightsSuffice,
    serviceExists,
    noUnfinishedRun(operation),
    storageClassExists,
    imageIsAllowed,
    quotaSuffices,
    snapshotIsPossible,
  ];
}
