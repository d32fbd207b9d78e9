import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemTiming } from "../../src/cluster/timing.ts";
import type { BackendPlace } from "../../src/terraform/backend.ts";
import { findTerraform, type TerraformBinary } from "../../src/terraform/binary.ts";
import {
  type CloudSqlVariables,
  cloudSqlPostgres,
  cloudSqlVariablesSchema,
} from "../../src/terraform/cloudsql.ts";
import { terraformEnvironment } from "../../src/terraform/environment.ts";
import { type Holders, type Look, lookAtProcesses } from "../../src/terraform/holder.ts";
import { holderFile } from "../../src/terraform/holder-file.ts";
import {
  type MemorystoreVariables,
  memorystoreRedis,
  memorystoreVariablesSchema,
} from "../../src/terraform/memorystore.ts";
import type { TerraformModule } from "../../src/terraform/module.ts";
import { openWorkspace, type Workspace, type WorkspaceOptions } from "../../src/terraform/workspace.ts";
import { Cloud } from "./provider/cloud.ts";
import { type Provider, type ProviderOptions, startProvider } from "./provider/provider.ts";

/** The Terraform of this machine; undefined where there is none, and the tests that need it are skipped. */
export const terraform: TerraformBinary | undefined = await findTerraform(process.env).catch(() => undefined);
if (terraform === undefined) {
  console.warn("no Terraform or OpenTofu 1.11 or later in PATH: the tests that need it are skipped");
}

export const project = "acme-prod";
export const network = `projects/${project}/global/networks/main`;
export const workspace = "demo-0123456789-db";
export const password = "correct-horse-battery-staple";

/** A database as the tests want it. */
export function database(more: Readonly<Record<string, unknown>> = {}): CloudSqlVariables {
  return cloudSqlVariablesSchema.parse({
    project,
    name: "demo-1",
    database: "app_demo",
    user: "app_demo",
    tier: "db-custom-1-3840",
    network,
    labels: { service: "demo" },
    ...more,
  });
}

/** A cache as the tests want it. */
export function cache(more: Readonly<Record<string, unknown>> = {}): MemorystoreVariables {
  return memorystoreVariablesSchema.parse({
    project,
    name: "demo-1-cache",
    network,
    labels: { service: "demo" },
    ...more,
  });
}

/** A cloud, its provider, and a folder of workspaces. */
export interface Stage extends AsyncDisposable {
  readonly cloud: Cloud;
  readonly provider: Provider;
  readonly root: string;
  /** What meets each call to the provider from now on. */
  meet(meanwhile: ProviderOptions["meanwhile"]): void;
  sql(more?: More): Promise<Workspace<ReturnType<typeof cloudSqlPostgres.outputs.parse>>>;
  redis(more?: More): Promise<Workspace<ReturnType<typeof memorystoreRedis.outputs.parse>>>;
}

type More = Partial<
  Pick<WorkspaceOptions<unknown>, "place" | "patience" | "run" | "pod" | "holders" | "look" | "root" | "name">
>;

const nobody: Look["podUid"] = async () => undefined;

/**
 * Sets a stage; only where there is a Terraform.
 * @param place - where its states are; default a folder
 * @param environment - this program's
 * @param endpoint - where that place is, for Terraform's process
 */
export async function setStage(
  place?: BackendPlace,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  endpoint: Readonly<Record<string, string>> = {},
): Promise<Stage> {
  const binary = terraform;
  if (binary === undefined) throw new Error("there is no Terraform on this machine");
  const root = await mkdtemp(join(tmpdir(), "platform-terraform-"));
  const cloud = new Cloud(project);
  let meanwhile: ProviderOptions["meanwhile"];
  const provider = await startProvider({
    cloud,
    meanwhile: (call, stopped) => meanwhile?.(call, stopped),
  });
  const open = <Outputs>(module: TerraformModule<Outputs>, more: More = {}) =>
    openWorkspace<Outputs>({
      binary,
      module,
      name: workspace,
      place: place ?? { kind: "local", folder: root },
      root: join(root, "workspaces"),
      environment: terraformEnvironment(environment, { ...provider.environment, ...endpoint }),
      timing: systemTiming,
      holders: (folder): Holders => holderFile(folder),
      look: lookAtProcesses(nobody),
      run: "demo-create-1",
      ...more,
    });
  return {
    cloud,
    provider,
    root,
    meet(next) {
      meanwhile = next;
    },
    sql: (more) => open(cloudSqlPostgres, more),
    redis: (more) => open(memorystoreRedis, more),
    async [Symbol.asyncDispose]() {
      await provider[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    },
  };
}
