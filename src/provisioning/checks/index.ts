import { isClusterError } from "../../cluster/errors.ts";
import type { ChangeOperation, Operation } from "../plan.ts";
import type { Execution } from "../runs/run.ts";
import { backupExists, databaseIsHere, momentIsKept } from "./backups.ts";
import type { Check } from "./check.ts";
import { cloudIsWithinReach, storesMayBeMade } from "./cloud.ts";
import { namespaceIsFree, noUnfinishedRun, serviceExists, serviceIsNew } from "./existence.ts";
import { externalStoresAreOpen } from "./external.ts";
import { sourceIsTold } from "./import.ts";
import { guardrailsAreServed, installationRightsSuffice } from "./installation.ts";
import { snapshotIsPossible } from "./protection.ts";
import { mayRequest, rightsSuffice } from "./rights.ts";
import { googleLetsTurn, storeTakesTurns } from "./rotation.ts";
import { passwordsElsewhere, secretStoreAnswers } from "./secret-store.ts";
import {
  codeHostAnswers,
  imageIsAllowed,
  monitoringIsServed,
  networkIsServed,
  quotaSuffices,
  storageClassExists,
} from "./surroundings.ts";

/**
 * What is asked before an operation: everything that must hold before it writes anything. Where the operator executes
 * it, who requests it asks what they may look at, so that they are told at once; the operator asks everything again.
 */
export function checksFor(operation: Operation, by: Execution["by"]): readonly Check[] {
  if (by === "this-process") return checks[operation];
  return [
    mayRequest,
    ...checks[operation]
      .filter((check) => !executors.has(check))
      .map(
        (check): Check =>
          (context) =>
            check(context).catch((error: unknown) => {
              if (isClusterError(error, "forbidden")) return undefined;
              throw error;
            }),
      ),
  ];
}

/** What only concerns whoever executes. */
const executors: ReadonlySet<Check> = new Set([rightsSuffice, codeHostAnswers, cloudIsWithinReach]);

/** What whoever executes an operation asks before it. */
export const checks: Readonly<Record<Operation, readonly Check[]>> = {
  create: [
    rightsSuffice,
    serviceIsNew,
    namespaceIsFree,
    noUnfinishedRun("create"),
    storageClassExists,
    secretStoreAnswers,
    passwordsElsewhere,
    storesMayBeMade,
    externalStoresAreOpen,
    cloudIsWithinReach,
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
  delete: [rightsSuffice, serviceExists, noUnfinishedRun("delete"), snapshotIsPossible, cloudIsWithinReach],
  cleanup: [rightsSuffice, noUnfinishedRun("cleanup"), snapshotIsPossible, cloudIsWithinReach],
  rotate: [rightsSuffice, serviceExists, noUnfinishedRun("rotate"), googleLetsTurn, storeTakesTurns],
  backup: [rightsSuffice, serviceExists, noUnfinishedRun("backup"), databaseIsHere],
  restore: [
    rightsSuffice,
    serviceExists,
    noUnfinishedRun("restore"),
    databaseIsHere,
    backupExists,
    momentIsKept,
    cloudIsWithinReach,
  ],
  import: [rightsSuffice, serviceExists, noUnfinishedRun("import"), databaseIsHere, sourceIsTold],
  provision: [
    rightsSuffice,
    serviceExists,
    noUnfinishedRun("provision"),
    storesMayBeMade,
    cloudIsWithinReach,
  ],
  install: [installationRightsSuffice, guardrailsAreServed],
  uninstall: [installationRightsSuffice],
};

function ofChange(operation: ChangeOperation): readonly Check[] {
  return [
    rightsSuffice,
    serviceExists,
    noUnfinishedRun(operation),
    storageClassExists,
    secretStoreAnswers,
    passwordsElsewhere,
    storesMayBeMade,
    externalStoresAreOpen,
    cloudIsWithinReach,
    imageIsAllowed,
    quotaSuffices,
    snapshotIsPossible,
  ];
}
