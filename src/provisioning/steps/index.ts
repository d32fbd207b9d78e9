import { isInCloud } from "../../application/store-provider.ts";
import type { ChangeOperation, Operation } from "../plan.ts";
import type { Step } from "../step.ts";
import { applyKubernetes } from "./apply_kubernetes.ts";
import { backupDatabase } from "./backup_database.ts";
import { cloneDatabase } from "./clone_database.ts";
import { closeSource } from "./close_source.ts";
import { configureCicd } from "./configure_cicd.ts";
import { configureNetwork } from "./configure_network.ts";
import { copyClosed } from "./copy_closed.ts";
import { copySource } from "./copy_source.ts";
import { createNamespace } from "./create_namespace.ts";
import { deleteDataStores } from "./delete_data_stores.ts";
import { deleteKubernetes } from "./delete_kubernetes.ts";
import { deleteNamespace } from "./delete_namespace.ts";
import { deleteEmptyDatabase, deleteOldDatabase } from "./delete_old_database.ts";
import { deleteOrphans } from "./delete_orphans.ts";
import { enableCredentials } from "./enable_credentials.ts";
import { generateManifests } from "./generate_manifests.ts";
import { installGuardrails } from "./install_guardrails.ts";
import { installOperator } from "./install_operator.ts";
import { installRights } from "./install_rights.ts";
import { installStandards } from "./install_standards.ts";
import { installTypes } from "./install_types.ts";
import { liftProtection } from "./lift_protection.ts";
import { migrate, migrateImported, migrateRestored } from "./migrate.ts";
import { preflight } from "./preflight.ts";
import { protectDataStores } from "./protect_data_stores.ts";
import { proveClone } from "./prove_clone.ts";
import { proveCredentials } from "./prove_credentials.ts";
import { proveSource } from "./prove_source.ts";
import { provisionCache } from "./provision_cache.ts";
import { provisionDatabase } from "./provision_database.ts";
import { releaseApplications } from "./release_applications.ts";
import { removeGuardrails } from "./remove_guardrails.ts";
import { removeOperator } from "./remove_operator.ts";
import { removeRights } from "./remove_rights.ts";
import { removeUnused } from "./remove_unused.ts";
import { restoreDatabase } from "./restore_database.ts";
import { revokeCredentials } from "./revoke_credentials.ts";
import { rollPodsAfterImport } from "./roll_pods.ts";
import { setupMonitoring } from "./setup_monitoring.ts";
import { snapshotDataStores } from "./snapshot_data_stores.ts";
import { swapDatabase, swapImported } from "./swap_database.ts";
import { switchCredentials } from "./switch_credentials.ts";
import { switchInstance } from "./switch_instance.ts";
import { verify } from "./verify.ts";

/** Each operation's steps, in an order in which each follows what it needs. */
export const stepsOf: Readonly<Record<Operation, readonly Step[]>> = {
  create: [
    preflight("create"),
    createNamespace,
    provisionDatabase,
    provisionCache,
    generateManifests,
    setupMonitoring,
    configureCicd,
    configureNetwork,
    migrate,
    applyKubernetes,
    protectDataStores,
    verify,
  ],
  scale: ofChange("scale"),
  deploy: ofChange("deploy"),
  set: ofChange("set"),
  rollback: ofChange("rollback"),
  delete: [
    preflight("delete"),
    deleteKubernetes,
    liftProtection,
    snapshotDataStores,
    deleteDataStores,
    deleteNamespace,
  ],
  cleanup: [preflight("cleanup"), liftProtection, snapshotDataStores, deleteOrphans],
  rotate: [preflight("rotate"), enableCredentials, switchCredentials, proveCredentials, revokeCredentials],
  backup: [preflight("backup"), backupDatabase],
  restore: [
    preflight("restore"),
    ...[backupDatabase, restoreDatabase, swapDatabase].map(besideDatabase),
    // Of Cloud SQL, another instance: as it was at a moment.
    cloneDatabase,
    proveClone,
    migrateRestored,
    besideDatabase(deleteOldDatabase),
    switchInstance,
  ],
  import: [
    preflight("import"),
    proveSource,
    copySource,
    closeSource,
    copyClosed,
    swapImported,
    migrateImported,
    rollPodsAfterImport,
    deleteEmptyDatabase,
  ],
  provision: [preflight("provision"), provisionDatabase, provisionCache, protectDataStores],
  install: [
    preflight("install"),
    installTypes,
    installStandards,
    installRights,
    installOperator,
    installGuardrails,
  ],
  uninstall: [preflight("uninstall"), removeOperator, releaseApplications, removeGuardrails, removeRights],
};

/** A step that works in a database's own server. */
function besideDatabase(step: Step): Step {
  return {
    ...step,
    when: (context) => !isInCloud(context.application.spec, "database") && step.when(context),
  };
}

/** What a change may touch; a step has its place in the plan only where something of its part differs. */
function ofChange(operation: ChangeOperation): readonly Step[] {
  return [
    preflight(operation),
    createNamespace,
    provisionDatabase,
    provisionCache,
    setupMonitoring,
    configureNetwork,
    // An earlier release has run its migration; running it again on what later ones have made helps nobody.
    ...(operation === "rollback" ? [] : [migrate]),
    applyKubernetes,
    protectDataStores,
    removeUnused,
    liftProtection,
    snapshotDataStores,
    deleteDataStores,
    verify,
  ];
}
