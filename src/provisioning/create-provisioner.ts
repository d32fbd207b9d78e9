import { labels, namespaceOf, type ServiceName, systemNamespace } from "../application/names.ts";
import type { ServiceRequest } from "../application/request.ts";
import { resources } from "../cluster/resource.ts";
import { runsOf } from "./checks/existence.ts";
import type { ExecutorOptions } from "./engine/execution.ts";
import { createExecutor } from "./engine/executor.ts";
import { ProvisioningError } from "./errors.ts";
import { isInstalled } from "./installed.ts";
import { changeContext } from "./operations/change.ts";
import { createContext } from "./operations/create.ts";
import { backupContext, importContext, rotateContext } from "./operations/data-stores.ts";
import { deleteContext } from "./operations/delete.ts";
import { cleanupContext } from "./operations/nominal.ts";
import { backupsAsked } from "./operations/of-run.ts";
import { releasesOf } from "./operations/releases.ts";
import { askForRun, checkedPlan, type Request, requestRun } from "./operations/request-run.ts";
import { whoExecutes } from "./operations/who-executes.ts";
import { createOrphans } from "./orphans/create-orphans.ts";
import { isInstallation } from "./plan.ts";
import type { Provisioner, Restored } from "./provisioner.ts";
import { followedExecution } from "./runs/followed-run.ts";
import { readLog } from "./runs/log-archive.ts";
import type { Execution, RunName } from "./runs/run.ts";
import { newestFirst, readRunForList } from "./runs/run-record.ts";
import { watchRun } from "./runs/watch-run.ts";
import type { PlanContext } from "./step.ts";
import { askVerbs } from "./verbs/ask-verbs.ts";
import { previewRun, type VerbsOnRuns, verbsOn } from "./verbs/verbs-on-runs.ts";
import { takeBackInstead, withdrawRequest } from "./verbs/withdraw-request.ts";

function confirmedBy(context: PlanContext, confirmed: string | undefined): PlanContext {
  return confirmed === undefined ? context : { ...context, confirmed };
}

/** The use cases of runs on one cluster. */
export function createProvisioner(options: ExecutorOptions): Provisioner {
  const { cluster, codeHost, cloud, standards, clock } = options;
  const surroundings = { cluster, codeHost, cloud, standards, clock };
  const executor = createExecutor(options);

  async function mustBeInstalled(): Promise<void> {
    if (await isInstalled(cluster)) return;
    throw new ProvisioningError(
      "refused",
      `the platform is not installed on ${cluster.context}`,
      "have a platform engineer run: platform install",
    );
  }

  /** Who executes what is asked for now; @throws ProvisioningError where the platform is not there, or nobody would. */
  async function executing(): Promise<Execution["by"]> {
    const [by] = await Promise.all([whoExecutes(cluster, clock, standards), mustBeInstalled()]);
    return by;
  }

  async function started(by: Execution["by"], asked: Request): Promise<Execution> {
    if (by === "this-process") return requestRun(executor, asked);
    const run = await askForRun(options, asked);
    const { cancel, retryNow } = asking;
    return followedExecution({ cluster, clock, cancel, retryNow }, { run, epoch: 0, refusedAt: undefined });
  }

  async function backing(service: ServiceName, restored: Restored | undefined) {
    const operation = restored === undefined ? "backup" : "restore";
    const parameters = typeof restored === "string" ? { backup: restored } : (restored ?? {});
    const context = await backupContext(service, backupsAsked(operation, parameters), surroundings);
    return { operation, parameters, context } as const;
  }

  const orphans = createOrphans({
    ...surroundings,
    clock,
    mustBeInstalled,
    contextOf: (spec) => cleanupContext(spec, surroundings),
    execute: async (spec) => {
      const context = cleanupContext(spec, surroundings);
      const { parameters } = spec;
      return started(await executing(), { operation: "cleanup", context, parameters, onFailure: "hold" });
    },
  });

  const doing = verbsOn(executor);
  const asking = askVerbs(executor);
  /** What this process executes is its own to deal with, and an installation no operator's. */
  const verbsFor = async (run: RunName): Promise<VerbsOnRuns> => {
    if (executor.own(run) !== undefined) return doing;
    if ((await whoExecutes(cluster, clock, standards)) !== "operator") return doing;
    return isInstallation((await executor.read(run)).spec.operation) ? doing : asking;
  };

  return {
    orphans,
    async planCreate(serviceRequest) {
      const by = await executing();
      return checkedPlan("create", createContext(serviceRequest, surroundings), by);
    },
    async planDelete(name, dataStores, namespace = namespaceOf(name)) {
      const by = await executing();
      const context = await deleteContext({ name, namespace }, dataStores, surroundings);
      return checkedPlan("delete", context, by);
    },
    async planChange(service, change, { dataStores }) {
      const by = await executing();
      const context = await changeContext(service, change, dataStores, surroundings);
      return checkedPlan(change.operation, context, by);
    },
    async planRotate(service, credential) {
      const by = await executing();
      return checkedPlan("rotate", await rotateContext(service, credential, surroundings), by);
    },
    async rotate(service, credential, { onFailure = standards.workload.onUnhealthy }) {
      const by = await executing();
      const context = await rotateContext(service, credential, surroundings);
      return started(by, { operation: "rotate", context, parameters: { credential }, onFailure });
    },
    async planBackup(service, restored) {
      const by = await executing();
      const { operation, context } = await backing(service, restored);
      return checkedPlan(operation, context, by);
    },
    async backup(service, { onFailure = standards.workload.onUnhealthy }) {
      const by = await executing();
      const { operation, context } = await backing(service, undefined);
      return started(by, { operation, context, parameters: {}, onFailure });
    },
    async restore(service, restored, { onFailure = standards.workload.onUnhealthy, confirmed }) {
      const by = await executing();
      const { operation, parameters, context } = await backing(service, restored);
      const asked = confirmedBy(context, confirmed);
      return started(by, { operation, context: asked, parameters, onFailure });
    },
    async planImport(service, from) {
      const by = await executing();
      return checkedPlan("import", await importContext(service, from, surroundings), by);
    },
    async importDatabase(service, from, { onFailure = standards.workload.onUnhealthy, confirmed }) {
      const by = await executing();
      const context = confirmedBy(await importContext(service, from, surroundings), confirmed);
      return started(by, { operation: "import", context, parameters: { from }, onFailure });
    },
    async create(request: ServiceRequest, { onFailure }) {
      const by = await executing();
      const context = createContext(request, surroundings);
      return started(by, { operation: "create", context, parameters: { request }, onFailure });
    },
    async change(service, change, { onFailure, dataStores, confirmed }) {
      const by = await executing();
      const context = confirmedBy(await changeContext(service, change, dataStores, surroundings), confirmed);
      const { operation, ...parameters } = change;
      const stores = operation === "set" ? { dataStores: context.dataStores } : {};
      return started(by, {
        operation,
        context,
        parameters: { ...parameters, ...stores },
        onFailure: onFailure ?? standards.workload.onUnhealthy,
      });
    },
    async delete(name, { dataStores, namespace = namespaceOf(name), confirmed }) {
      const by = await executing();
      const service = { name, namespace };
      const context = confirmedBy(await deleteContext(service, dataStores, surroundings), confirmed);
      const parameters = { dataStores: context.dataStores };
      return started(by, { operation: "delete", context, parameters, onFailure: "hold" });
    },
    resume: async (run, how) => (await verbsFor(run)).resume(run, how),
    retry: async (run, how) => (await verbsFor(run)).retry(run, how),
    rollback: async (run, how) => (await verbsFor(run)).rollback(run, how),
    previewRollback: (run, dataStores) => previewRun(executor, run, dataStores),
    async cancel(run) {
      try {
        return await (await verbsFor(run)).cancel(run);
      } catch (error) {
        return takeBackInstead(error, options, () => executor.read(run));
      }
    },
    retryNow: async (run) => (await verbsFor(run)).retryNow(run),
    withdraw: async (run) => withdrawRequest(options, await executor.read(run)),
    async releases(service) {
      return releasesOf((await runsOf(cluster, { service })).map(({ state }) => state));
    },
    async get(run) {
      return (await executor.read(run)).state;
    },
    async list({ service } = {}) {
      const { items } = await cluster.list(resources.runs, {
        namespace: systemNamespace,
        ...(service === undefined ? {} : { labelSelector: `${labels.service}=${service}` }),
      });
      return items
        .map((item) => readRunForList({ ...item, apiVersion: "platform.company.com/v1", kind: "Run" }))
        .sort(newestFirst);
    },
    watch: (run, signal) => watchRun(cluster, clock, run, signal),
    logs: (run) => readLog(cluster, run),
  };
}
