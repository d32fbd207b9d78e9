import { labels, type ServiceName, systemNamespace } from "../application/names.ts";
import type { ServiceRequest } from "../application/request.ts";
import { resources } from "../cluster/resource.ts";
import { runsOf } from "./checks/existence.ts";
import { ProvisioningError } from "./errors.ts";
import type { ExecutorOptions } from "./execution.ts";
import { createExecutor } from "./executor.ts";
import { isInstalled } from "./installed.ts";
import { readLog } from "./log-archive.ts";
import { changeContext, cleanupContext, createContext, deleteContext } from "./operation.ts";
import { createOrphans } from "./orphans/create-orphans.ts";
import type { Provisioner } from "./provisioner.ts";
import { releasesOf } from "./releases.ts";
import { checkedPlan, requestRun } from "./request-run.ts";
import { newestFirst, readRunForList } from "./run-record.ts";
import type { PlanContext } from "./step.ts";
import { verbsOn } from "./verbs-on-runs.ts";
import { watchRun } from "./watch-run.ts";

function confirmedBy(context: PlanContext, confirmed: string | undefined): PlanContext {
  return confirmed === undefined ? context : { ...context, confirmed };
}

/** The use cases of runs on one cluster. */
export function createProvisioner(options: ExecutorOptions): Provisioner {
  const { cluster, codeHost, standards, clock } = options;
  const surroundings = { cluster, codeHost, standards };
  const executor = createExecutor(options);

  async function mustBeInstalled(): Promise<void> {
    if (await isInstalled(cluster)) return;
    throw new ProvisioningError(
      "refused",
      `the platform is not installed on ${cluster.context}`,
      "have a platform engineer run: platform install",
    );
  }

  const orphans = createOrphans({
    ...surroundings,
    clock,
    mustBeInstalled,
    contextOf: (spec) => cleanupContext(spec, surroundings),
    execute: (spec) =>
      requestRun(executor, "cleanup", cleanupContext(spec, surroundings), spec.parameters, "hold"),
  });

  return {
    orphans,
    async planCreate(serviceRequest) {
      await mustBeInstalled();
      return checkedPlan("create", createContext(serviceRequest, surroundings));
    },
    async planDelete(service, dataStores) {
      await mustBeInstalled();
      return checkedPlan("delete", await deleteContext(service, dataStores, surroundings));
    },
    async planChange(service, change, { dataStores }) {
      await mustBeInstalled();
      const context = await changeContext(service, change, dataStores, surroundings);
      return checkedPlan(change.operation, context);
    },
    async create(serviceRequest: ServiceRequest, { onFailure }) {
      await mustBeInstalled();
      const context = createContext(serviceRequest, surroundings);
      return requestRun(executor, "create", context, { request: serviceRequest }, onFailure);
    },
    async change(service, change, { onFailure, dataStores, confirmed }) {
      await mustBeInstalled();
      const context = confirmedBy(await changeContext(service, change, dataStores, surroundings), confirmed);
      const { operation, ...parameters } = change;
      const stores = operation === "set" ? { dataStores: context.dataStores } : {};
      return requestRun(
        executor,
        operation,
        context,
        { ...parameters, ...stores },
        onFailure ?? standards.workload.onUnhealthy,
      );
    },
    async delete(service: ServiceName, { dataStores, confirmed }) {
      await mustBeInstalled();
      const context = confirmedBy(await deleteContext(service, dataStores, surroundings), confirmed);
      return requestRun(executor, "delete", context, { dataStores: context.dataStores }, "hold");
    },
    ...verbsOn(executor),
    async releases(service) {
      return releasesOf((await runsOf(cluster, service)).map(({ state }) => state));
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
