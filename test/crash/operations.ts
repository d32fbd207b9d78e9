import type { ServiceChange } from "../../src/application/change.ts";
import type { ServiceName } from "../../src/application/names.ts";
import { type ServiceRequest, serviceRequestSchema } from "../../src/application/request.ts";
import type { Operation } from "../../src/provisioning/plan.ts";
import type { Provisioner } from "../../src/provisioning/provisioner.ts";
import type { Execution, RunName, RunPhase } from "../../src/provisioning/runs/run.ts";

/** How somebody goes on with a run whose engine is dead. */
export type Recovery = "resume" | "rollback";

/** Something whose engine is killed at each of its writes. */
export interface Subject {
  readonly title: string;
  /** The operation of the run that is killed. */
  readonly operation: Operation;
  /** What can be done with it afterwards. */
  readonly recoveries: readonly Recovery[];
  /** The phase in which the run ends undisturbed. */
  readonly ends: RunPhase;
  begin(provisioner: Provisioner, service: ServiceName): Promise<Execution>;
  /** The same as a command line. */
  argv(provisioner: Provisioner, service: ServiceName): Promise<readonly string[]>;
}

/**
 * What there is before: a service with a database and a cache (`all`), without the cache (`database`) or with neither
 * (`bare`), one that has been deployed once (`deployed`), or the data stores that a deletion kept (`kept`).
 */
export type Size = "all" | "database" | "bare" | "deployed" | "kept";

const image = `registry.example.internal/app@sha256:${"ab".repeat(32)}`;

function requested(name: ServiceName, size: Size): ServiceRequest {
  return serviceRequestSchema.parse({
    name,
    language: "go",
    replicas: 1,
    ...(size === "bare" || size === "deployed" ? {} : { database: "postgres" }),
    ...(size === "all" ? { cache: "redis" } : {}),
  });
}

/** What is there before something is done with it. */
export async function prepared(provisioner: Provisioner, service: ServiceName, size: Size): Promise<void> {
  const done = async (execution: Execution) => {
    const { phase, failure } = await execution.finished;
    if (phase !== "Succeeded") {
      throw new Error(`${service} could not be prepared: ${phase} ${failure?.error.message}`);
    }
  };
  await done(await provisioner.create(requested(service, size), { onFailure: "hold" }));
  if (size === "deployed") {
    const change = { operation: "deploy", image } as const;
    await done(await provisioner.change(service, change, { onFailure: "hold", dataStores: "keep" }));
  }
  if (size === "kept") await done(await provisioner.delete(service, { dataStores: "keep" }));
}

export const creation: Subject = {
  title: "create",
  operation: "create",
  recoveries: ["resume", "rollback"],
  ends: "Succeeded",
  begin: (provisioner, service) => provisioner.create(requested(service, "database"), { onFailure: "hold" }),
  argv: async (_, service) => [
    ...["service", "create", service, "--language", "go", "--replicas", "1"],
    ...["--database", "postgres", "--on-failure", "hold", "--yes"],
  ],
};

export const deletion: Subject = {
  title: "delete",
  operation: "delete",
  recoveries: ["resume"],
  ends: "Succeeded",
  begin: (provisioner, service) => provisioner.delete(service, { dataStores: "delete", confirmed: service }),
  argv: async (_, service) => [
    ...["service", "delete", service, "--data-stores", "delete", "--confirm", service, "--yes"],
  ],
};

export const rollback: Subject = {
  title: "rollback",
  operation: "create",
  recoveries: ["resume", "rollback"],
  ends: "RolledBack",
  begin: async (provisioner, service) =>
    provisioner.rollback(await onlyRun(provisioner, service), { dataStores: "delete", confirmed: service }),
  argv: async (provisioner, service) => [
    ...["run", "rollback", await onlyRun(provisioner, service)],
    ...["--data-stores", "delete", "--confirm", service, "--yes"],
  ],
};

async function onlyRun(provisioner: Provisioner, service: ServiceName): Promise<RunName> {
  const [run] = await provisioner.list({ service });
  if (run === undefined) throw new Error(`${service} has no run`);
  return run.name;
}

/** What somebody deletes that a deletion has kept. */
export const cleanup: Subject = {
  title: "cleanup of orphans",
  operation: "cleanup",
  recoveries: ["resume"],
  ends: "Succeeded",
  begin: async (provisioner, service) => {
    const [plan] = await provisioner.orphans.planDelete(await keptOf(provisioner, service));
    if (plan === undefined) throw new Error(`nothing was kept of ${service}`);
    return provisioner.orphans.delete(plan, { confirmed: service });
  },
  argv: async (provisioner, service) => [
    ...["orphans", "delete", ...(await keptOf(provisioner, service)), "--confirm", service, "--yes"],
  ],
};

async function keptOf(provisioner: Provisioner, service: ServiceName): Promise<readonly string[]> {
  return (await provisioner.orphans.find({ service })).found.map(({ name }) => name);
}

function changing(change: ServiceChange, ...flags: readonly string[]): Subject {
  return {
    title: change.operation,
    operation: change.operation,
    recoveries: ["resume", "rollback"],
    ends: "Succeeded",
    begin: (provisioner, service) =>
      provisioner.change(service, change, { onFailure: "hold", dataStores: "delete", confirmed: service }),
    argv: async (_, service) => [
      ...["service", change.operation, service, ...flags, "--on-failure", "hold", "--yes"],
    ],
  };
}

export const scaling = changing({ operation: "scale", replicas: 2 }, "--replicas", "2");

export const deployment = changing({ operation: "deploy", image }, "--image", image);

/** Back to what ran before the deployment. */
export const takingBack: Subject = {
  ...changing({ operation: "rollback", release: 1 }, "--to", "1"),
  title: "rollback to a release",
};

/** Takes something away, adds nothing, and changes the rest. */
export const setting: Subject = {
  ...changing(
    { operation: "set", cache: "none", alerts: ["high-latency"], requests: { memory: "96Mi" } },
    ...["--cache", "none", "--alerts", "high-latency", "--requests", "memory=96Mi"],
  ),
  title: "set, which takes the cache away",
};

/** Adds something, and leaves the rest. */
export const adding: Subject = {
  ...changing({ operation: "set", cache: "redis" }, "--cache", "redis"),
  title: "set, which adds a cache",
};
