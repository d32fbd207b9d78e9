import type { ServiceName } from "../../src/application/names.ts";
import { type ServiceRequest, serviceRequestSchema } from "../../src/application/request.ts";
import type { Operation } from "../../src/provisioning/plan.ts";
import type { Provisioner } from "../../src/provisioning/provisioner.ts";
import type { Execution, RunPhase } from "../../src/provisioning/run.ts";

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
  /** Brings a service to where the operation begins. */
  prepare(provisioner: Provisioner, service: ServiceName): Promise<void>;
  begin(provisioner: Provisioner, service: ServiceName): Promise<Execution>;
}

function everything(name: ServiceName): ServiceRequest {
  return serviceRequestSchema.parse({ name, language: "go", replicas: 2, database: "postgres", cache: "redis" });
}

async function create(provisioner: Provisioner, service: ServiceName): Promise<Execution> {
  return provisioner.create(everything(service), { onFailure: "hold" });
}

async function created(provisioner: Provisioner, service: ServiceName): Promise<void> {
  const { phase, failure } = await (await create(provisioner, service)).finished;
  if (phase !== "Succeeded") throw new Error(`${service} could not be prepared: ${phase} ${failure?.error.message}`);
}

export const creation: Subject = {
  title: "create",
  operation: "create",
  recoveries: ["resume", "rollback"],
  ends: "Succeeded",
  prepare: async () => {},
  begin: create,
};

export const deletion: Subject = {
  title: "delete",
  operation: "delete",
  recoveries: ["resume"],
  ends: "Succeeded",
  prepare: created,
  begin: (provisioner, service) => provisioner.delete(service, { dataStores: "delete" }),
};

export const rollback: Subject = {
  title: "rollback",
  operation: "create",
  recoveries: ["rollback"],
  ends: "RolledBack",
  prepare: created,
  async begin(provisioner, service) {
    const [run] = await provisioner.list({ service });
    if (run === undefined) throw new Error(`${service} has no run`);
    return provisioner.rollback(run.name, { dataStores: "delete" });
  },
};
