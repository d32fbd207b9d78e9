import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { resources } from "../../src/cluster/resource.ts";
import { systemTiming } from "../../src/cluster/timing.ts";
import type { CloudStores } from "../../src/provisioning/data-stores/cloud-stores.ts";
import { terraformStores } from "../../src/provisioning/data-stores/terraform-stores.ts";
import type { Provisioner } from "../../src/provisioning/provisioner.ts";
import { type Standards, standardsSchema } from "../../src/standards/standards.ts";
import type { BackendPlace } from "../../src/terraform/backend.ts";
import { difference, inventory } from "../cluster/inventory.ts";
import { Cloud } from "../terraform/provider/cloud.ts";
import { type Call, type ProviderOptions, startProvider } from "../terraform/provider/provider.ts";
import { network, project } from "../terraform/stage.ts";
import { type Composition, composition, testStandards } from "./composition.ts";
import { sandboxStage } from "./sandbox-stage.ts";

/** Standards that have Google run what a service keeps. */
export const cloudStandards: Standards = standardsSchema.parse({
  ...testStandards,
  database: { provider: "cloudsql" },
  cache: { provider: "memorystore" },
  google: { project, network, range: "10.0.0.0/8" },
});

/** A cluster, a cloud beside it, and provisioners that reach both. */
export interface CloudStage extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly made: Composition;
  readonly cloud: Cloud;
  readonly stores: CloudStores;
  /** Everything that Terraform leaves on this machine. */
  readonly folder: string;
  readonly calls: readonly Call[];
  /** What meets each call to the provider from now on. */
  meet(meanwhile: ProviderOptions["meanwhile"]): void;
  provisioner(as?: Parameters<Composition["provisioner"]>[0]): Provisioner;
  /** Names of all instances there are. */
  instances(): readonly string[];
  /** What is left of a service, in the cluster, in the cloud and on this machine; but for its runs. */
  leftOf(service: string): Promise<readonly string[]>;
  /** What a service's pods read. */
  secret(service: string, store: "db" | "cache"): Promise<Readonly<Record<string, string>>>;
}

const dataSchema = z.record(z.string(), z.string());

/** Opens one. @param on - a cluster that is there already, and where states live; default: a sandbox of its own */
export async function cloudStage(on?: {
  readonly cluster: Cluster;
  readonly place: BackendPlace;
}): Promise<CloudStage> {
  const folder = await mkdtemp(join(tmpdir(), "platform-cloud-"));
  const own = on === undefined ? await sandboxStage() : undefined;
  const cluster = on?.cluster ?? own?.cluster;
  if (cluster === undefined) throw new Error("there is no cluster");
  const cloud = new Cloud(project);
  let meanwhile: ProviderOptions["meanwhile"];
  const provider = await startProvider({ cloud, meanwhile: (call, stopped) => meanwhile?.(call, stopped) });
  const made = await composition(cluster);
  const stores = terraformStores({
    cluster,
    timing: systemTiming,
    place: on?.place ?? { kind: "local", folder: join(folder, "states") },
    folder: join(folder, "workspaces"),
    environment: process.env,
    provider: provider.environment,
  });
  return {
    cluster,
    made,
    cloud,
    stores,
    folder,
    calls: provider.calls,
    meet(next) {
      meanwhile = next;
    },
    provisioner: (as) => made.provisioner({ cloud: stores, standards: cloudStandards, ...as }),
    instances: () =>
      ["google_sql_database_instance", "google_redis_instance"].flatMap((type) => [...cloud.of(type).keys()]),
    async leftOf(service) {
      const found = difference(new Map(), await inventory(cluster, { about: service })).added;
      const states = await readdir(join(folder, "states")).catch(() => []);
      return [
        ...found.filter((key) => !key.startsWith("runs.platform.company.com ")),
        ...[...cloud.resources].flatMap(([type, all]) =>
          [...all.keys()]
            .filter((key) => key.startsWith(service.slice(0, 28)))
            .map((key) => `${type} ${key}`),
        ),
        ...states.filter((name) => name.includes(service)),
      ];
    },
    async secret(service, store) {
      const ref = { namespace: `app-${service}`, name: `${service}-${store}` };
      const { data } = await cluster.get(resources.secrets, ref);
      return Object.fromEntries(
        Object.entries(dataSchema.parse(data)).map(([key, value]) => [
          key,
          Buffer.from(value, "base64").toString("utf8"),
        ]),
      );
    },
    async [Symbol.asyncDispose]() {
      await made.close();
      await own?.close();
      await provider[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
