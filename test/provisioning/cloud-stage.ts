import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
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
  /**
   * Where a password that the cloud ever had stands outside of Secrets: in files, in Git's history, in objects. A cache's
   * is Google's own, and the provider reads it into the state, which only the executor reads.
   * @param more - other passwords, which only the database knows
   */
  passwordsTold(more?: readonly string[]): Promise<readonly string[]>;
  /** What a service's pods read. */
  secret(service: string, store: "db" | "cache"): Promise<Readonly<Record<string, string>>>;
}

const dataSchema = z.record(z.string(), z.string());

/**
 * Opens one.
 * @param on - a cluster that is there already, where states live, and as whom Terraform's holders are looked at; default: a sandbox of its own
 */
export async function cloudStage(on?: {
  readonly cluster: Cluster;
  readonly place: BackendPlace;
  readonly as?: Cluster;
  /** This program's environment; default: this process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Where that place is, for Terraform's process. */
  readonly endpoint?: Readonly<Record<string, string>>;
}): Promise<CloudStage> {
  const folder = await mkdtemp(join(tmpdir(), "platform-cloud-"));
  const own = on === undefined ? await sandboxStage() : undefined;
  const cluster = on?.cluster ?? own?.cluster;
  if (cluster === undefined) throw new Error("there is no cluster");
  const cloud = new Cloud(project);
  let meanwhile: ProviderOptions["meanwhile"];
  const provider = await startProvider({ cloud, meanwhile: (call, stopped) => meanwhile?.(call, stopped) });
  const repositories = join(folder, "repositories");
  await mkdir(repositories);
  const made = await composition(cluster, repositories);
  const stores = terraformStores({
    cluster: on?.as ?? cluster,
    timing: systemTiming,
    place: on?.place ?? { kind: "local", folder: join(folder, "states") },
    folder: join(folder, "workspaces"),
    environment: on?.environment ?? process.env,
    provider: { ...provider.environment, ...on?.endpoint },
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
    async passwordsTold(more = []) {
      const known = [...cloud.everPasswords, ...more].flatMap((each) => [
        each,
        Buffer.from(each).toString("base64"),
      ]);
      const texts = [
        ...(await filesIn(folder)).filter(({ where }) => !/-cache\.tfstate(\.backup)?$/.test(where)),
        ...(await historiesIn(repositories)),
        ...(await objectsOf(cluster)),
      ];
      return texts.filter(({ text }) => known.some((each) => text.includes(each))).map(({ where }) => where);
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

interface Found {
  readonly where: string;
  readonly text: string;
}

async function filesIn(folder: string): Promise<readonly Found[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(files.map(async (where) => ({ where, text: await readFile(where, "latin1") })));
}

/** Git packs what it stores: what each repository ever held is asked of it. */
async function historiesIn(folder: string): Promise<readonly Found[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const repositories = entries.filter((entry) => entry.isDirectory() && entry.name.endsWith(".git"));
  return Promise.all(
    repositories.map(async ({ parentPath, name }) => {
      const where = join(parentPath, name);
      const { stdout } = await execa("git", ["-C", where, "log", "--all", "--patch"], { stdin: "ignore" });
      return { where, text: stdout };
    }),
  );
}

/** Everything that the cluster serves, but Secrets. */
async function objectsOf(cluster: Cluster): Promise<readonly Found[]> {
  const { group, plural } = resources.secrets;
  const served = (await cluster.discover()).filter((each) => each.group !== group || each.plural !== plural);
  const lists = await Promise.all(
    served.map(async (resource) =>
      (await cluster.list(resource, {})).items.map((object) => ({
        where: `${resource.kind} ${object.metadata.namespace}/${object.metadata.name}`,
        text: JSON.stringify(object),
      })),
    ),
  );
  return lists.flat();
}
