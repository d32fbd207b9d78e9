import { afterAll, beforeAll, describe, expect } from "vitest";
import { type ServiceName, serviceNameSchema } from "../../src/application/names.ts";
import { type ServiceRequest, serviceRequestSchema } from "../../src/application/request.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { resources } from "../../src/cluster/resource.ts";
import type { Execution } from "../../src/provisioning/runs/run.ts";
import { uniqueName } from "../cluster/connection.ts";
import { difference, inventory } from "../cluster/inventory.ts";
import { type Composition, composition } from "./composition.ts";

/** A cluster to tell the stories on. */
export interface Stage {
  readonly cluster: Cluster;
  close(): Promise<void>;
}

/** What a story is told with; there once the tests run. */
export interface Telling {
  readonly stage: Pick<Stage, "cluster">;
  readonly made: Omit<Composition, "close">;
  /** What the cluster holds of a service, without the runs: those are the record, and stay. */
  leftOf(service: ServiceName): Promise<readonly string[]>;
  removeRuns(service: ServiceName): Promise<void>;
  /** Expects that a run ends rolled back, and that nothing is left of its service. */
  rolledBack(service: ServiceName, execution: Execution): Promise<void>;
}

export function named(prefix: string): ServiceName {
  return serviceNameSchema.parse(uniqueName(prefix));
}

export function full(name: ServiceName): ServiceRequest {
  return serviceRequestSchema.parse({
    name,
    language: "go",
    replicas: 3,
    database: "postgres",
    cache: "redis",
  });
}

/** Everything too, with one pod. */
export function whole(name: ServiceName): ServiceRequest {
  return serviceRequestSchema.parse({ ...full(name), replicas: 1 });
}

export function withDatabase(name: ServiceName): ServiceRequest {
  return serviceRequestSchema.parse({ name, language: "go", replicas: 1, database: "postgres" });
}

export function small(name: ServiceName): ServiceRequest {
  return serviceRequestSchema.parse({ name, language: "typescript", replicas: 1 });
}

/** Stories that share one stage, several told at a time. */
export function onStage(title: string, open: () => Promise<Stage>, tell: (telling: Telling) => void): void {
  describe.concurrent(title, { timeout: 240_000 }, () => {
    let opened: Stage | undefined;
    let composed: Composition | undefined;
    beforeAll(async () => {
      opened = await open();
      composed = await composition(opened.cluster);
    });
    afterAll(async () => {
      await composed?.close();
      await opened?.close();
    });
    const there = <T>(part: T | undefined): T => {
      if (part === undefined) throw new Error("no stage: opening it failed");
      return part;
    };
    const stage = {
      get cluster() {
        return there(opened).cluster;
      },
    };
    const made: Telling["made"] = {
      provisioner: (as) => there(composed).provisioner(as),
      get codeHost() {
        return there(composed).codeHost;
      },
    };

    async function leftOf(service: ServiceName): Promise<readonly string[]> {
      const found = await inventory(stage.cluster, { about: service });
      return difference(new Map(), found).added.filter(
        // Runs are the record; last snapshots outlive what they were taken of.
        (key) =>
          !/^(runs\.platform\.company\.com|volumesnapshotcontents\.snapshot\.storage\.k8s\.io) /.test(key),
      );
    }

    async function removeRuns(service: ServiceName): Promise<void> {
      for (const { name } of await made.provisioner().list({ service })) {
        await stage.cluster.delete(resources.runs, { namespace: "platform-system", name });
      }
    }

    async function rolledBack(service: ServiceName, execution: Execution): Promise<void> {
      const state = await execution.finished;
      expect(state.phase, JSON.stringify(state.steps.map(({ id, error }) => [id, error]))).toBe("RolledBack");
      expect(await leftOf(service)).toEqual([]);
      expect(await made.codeHost.exists(made.codeHost.urlOf("platform", service))).toBe(false);
    }

    tell({ stage, made, leftOf, removeRuns, rolledBack });
  });
}
