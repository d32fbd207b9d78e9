import { resources } from "../cluster/resource.ts";
import { runChecks } from "../provisioning/checks/check.ts";
import { checks } from "../provisioning/checks/index.ts";
import type { Executor } from "../provisioning/engine/executor.ts";
import {
  type Installation,
  installationParameters,
  installationRunPrefix,
  installationSubject,
} from "../provisioning/installation.ts";
import { installationContext } from "../provisioning/operations/nominal.ts";
import { planFor, stepsFor } from "../provisioning/operations/plan-for.ts";
import { runStarted, selfExecutedAnnotation } from "../provisioning/operations/request-run.ts";
import type { InstallationOperation } from "../provisioning/plan.ts";
import type { OnFailure } from "../provisioning/provisioner.ts";
import type { Execution } from "../provisioning/runs/run.ts";
import { newRunName, type RunSpec, readRun, runObject } from "../provisioning/runs/run-record.ts";
import { checksSummary } from "../provisioning/steps/preflight.ts";
import { mustBeFirst } from "./busy.ts";

/** What is asked of the platform's own installation. */
export interface InstallationRequest {
  readonly operation: InstallationOperation;
  readonly installation: Installation;
  readonly onFailure: OnFailure;
}

/**
 * Writes the run of an installation and executes it in this process. Always here, also where an operator lives: that
 * one may not change its own rights. Runs must be served, and `platform-system` be there.
 * @throws ProvisioningError, nothing written; ClusterError
 */
export async function requestInstallation(
  executor: Executor,
  { operation, installation, onFailure }: InstallationRequest,
): Promise<Execution> {
  const { cluster, codeHost, cloud, clock, randomBytes } = executor.options;
  const context = installationContext(installation, { cluster, codeHost, cloud, clock });
  const [{ count, warnings }, { username }, { plan }] = await Promise.all([
    runChecks(checks[operation], context),
    cluster.whoAmI(),
    planFor(operation, context),
  ]);
  const spec: RunSpec = {
    operation,
    service: installationSubject,
    team: installationRunPrefix,
    parameters: { installation: installationParameters(installation), onFailure },
    requestedBy: username,
  };
  const run = runObject(newRunName(installationRunPrefix, operation, randomBytes), spec);
  const annotations = { [selfExecutedAnnotation]: "true" };
  const object = { ...run, metadata: { ...run.metadata, annotations } };
  const record = readRun(await cluster.create(resources.runs, object));
  await mustBeFirst(cluster, record);
  return executor.execute({
    record,
    context,
    steps: stepsFor(operation, context),
    onFailure,
    actor: username,
    done: new Map([["preflight", { summary: checksSummary(count), warnings }]]),
    first: (epoch, at) => [runStarted({ ...executor.options, ...installation }, plan, epoch, at)],
  });
}
