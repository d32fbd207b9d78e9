import type { Cluster } from "../cluster/cluster.ts";
import { find } from "../cluster/find.ts";
import { resources } from "../cluster/resource.ts";
import { missingHost } from "../delivery/missing-host.ts";
import { prometheus } from "../monitoring/prometheus.ts";
import { runChecks } from "../provisioning/checks/check.ts";
import { checks } from "../provisioning/checks/index.ts";
import type { Clock } from "../provisioning/clock.ts";
import { noCloudStores } from "../provisioning/data-stores/no-cloud-stores.ts";
import { createExecutor } from "../provisioning/engine/executor.ts";
import { type Installation, withoutOperator } from "../provisioning/installation.ts";
import { installationContext } from "../provisioning/operations/nominal.ts";
import type { InstallationOperation } from "../provisioning/plan.ts";
import type { OnFailure } from "../provisioning/provisioner.ts";
import type { Execution } from "../provisioning/runs/run.ts";
import { served } from "../provisioning/steps/served.ts";
import { parseStandards } from "../standards/load.ts";
import { type Standards, standardsName, standardsSchema } from "../standards/standards.ts";
import { bootstrap } from "./bootstrap.ts";
import { nobodyElseInstalls, noRunIsExecuted } from "./busy.ts";
import { changesOf, deleted, installedObjects, type ObjectChange } from "./look.ts";
import { type InstallationPart, installationObjects, installationParts } from "./objects.ts";
import { operatorImage } from "./operator-image.ts";
import { requestInstallation } from "./request.ts";

/** What the use cases of the installation take from outside. */
export interface InstallerOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Who executes: `user@host:pid`. */
  readonly holder: string;
  /** Of this program. */
  readonly version?: string;
}

/** What a person asks for. */
export interface Wanted {
  /** Left out: those of the cluster are kept; a cluster without any gets the defaults. */
  readonly standards?: Standards;
  /** Left out: the one in the standards; else the one that runs now; else there is no operator. */
  readonly image?: string;
}

/** What an installation or uninstallation would do, object by object. */
export interface InstallationPlan {
  readonly installation: Installation;
  readonly changes: readonly (ObjectChange & { readonly part: InstallationPart })[];
  /** Things a person should know before. */
  readonly notes: readonly string[];
}

/** The use cases of the platform's own installation on one cluster. */
export interface Installer {
  /** @throws ProvisioningError `rights` or `refused`, nothing written; RefusedInput; ClusterError */
  planInstall(wanted: Wanted): Promise<InstallationPlan>;
  /** @throws ProvisioningError, nothing written; ClusterError */
  install(plan: InstallationPlan, options: { readonly onFailure: OnFailure }): Promise<Execution>;
  /** @throws ProvisioningError `rights` or `busy`, nothing written; ClusterError */
  planUninstall(): Promise<InstallationPlan>;
  uninstall(plan: InstallationPlan): Promise<Execution>;
}

/** Parts that an uninstallation removes. */
const removed: readonly InstallationPart[] = ["operator", "guardrails", "rights"];

/** The use cases of the platform's own installation on one cluster. Nothing has to be installed yet. */
export function createInstaller({ cluster, clock, version, ...process }: InstallerOptions): Installer {
  const codeHost = missingHost();
  const cloud = noCloudStores();

  function executorFor({ standards }: Installation) {
    const metrics = prometheus(cluster, standards);
    return createExecutor({ cluster, codeHost, cloud, metrics, standards, clock, ...process });
  }

  async function check(operation: InstallationOperation, installation: Installation) {
    const context = installationContext(installation, { cluster, codeHost, cloud, clock });
    await runChecks(checks[operation], context);
  }

  async function installationOf(wanted: Wanted): Promise<Installation> {
    const standards = wanted.standards ?? (await currentStandards(cluster)) ?? standardsSchema.parse({});
    const image = wanted.image ?? standards.operator.image ?? (await operatorImage(cluster));
    return {
      standards,
      ...(image === undefined ? {} : { image }),
      ...(version === undefined ? {} : { version }),
    };
  }

  return {
    async planInstall(wanted) {
      // Whoever may not even look is told what they lack, and not what they ran into first.
      await check("install", { standards: wanted.standards ?? standardsSchema.parse({}) });
      const installation = await installationOf(wanted);
      const objects = installationObjects(installation);
      // Of other kinds only the operator has some, its monitoring.
      const operator = (await served(cluster, objects.operator)).objects;
      const notes: string[] = [];
      if (operator.length < objects.operator.length) {
        notes.push("the cluster has no ServiceMonitor: nothing scrapes the operator's metrics");
      }
      if (cluster.simulated) notes.push("the sandbox enforces no admission policies: none are written");
      const parts = installationParts.filter((part) => part !== "guardrails" || !cluster.simulated);
      const changes = await Promise.all(
        parts.map(async (part) => {
          const known = part === "operator" ? operator : objects[part];
          return (await changesOf(cluster, part, known)).map((change) => ({ ...change, part }));
        }),
      );
      if (installation.image === undefined) notes.push(withoutOperator);
      return { installation, changes: changes.flat(), notes };
    },
    async install({ installation }, { onFailure }) {
      const executor = executorFor(installation);
      await nobodyElseInstalls(executor);
      await bootstrap(cluster, clock, installation);
      return requestInstallation(executor, { operation: "install", installation, onFailure });
    },
    async planUninstall() {
      const installation = await installationOf({});
      await check("uninstall", installation);
      await noRunIsExecuted(cluster, clock);
      const found = await Promise.all(
        removed.map(async (part) =>
          (await installedObjects(cluster, part)).map((object) => ({ ...deleted(object), part })),
        ),
      );
      return { installation, changes: found.flat(), notes: [] };
    },
    async uninstall({ installation }) {
      const executor = executorFor(installation);
      await nobodyElseInstalls(executor);
      await noRunIsExecuted(cluster, clock);
      return requestInstallation(executor, { operation: "uninstall", installation, onFailure: "hold" });
    },
  };
}

async function currentStandards(cluster: Cluster): Promise<Standards | undefined> {
  const object = await find(cluster, resources.standards, { name: standardsName });
  if (object === undefined) return undefined;
  return parseStandards({
    file: `standards/${standardsName} of ${cluster.context}`,
    value: object,
    positionOf: () => undefined,
  });
}
