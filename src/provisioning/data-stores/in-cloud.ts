import {
  cacheNames,
  cloudCacheCredentials,
  cloudDatabaseCredentials,
  cloudDatabaseSecret,
  credentialSecret,
  databaseNames,
  generatePassword,
  holdsData,
} from "../../application/credentials.ts";
import type { StoreKind } from "../../application/store-provider.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { type Login, secretValues } from "../../secrets/rotation.ts";
import { isTerraformError } from "../../terraform/error.ts";
import { planLines } from "../../terraform/plan.ts";
import { StepError } from "../errors.ts";
import { withoutValues, writes } from "../operations/describe.ts";
import type { PlanContext, StepContext } from "../step.ts";
import {
  type CloudStore,
  cloudStoreIn,
  isGoogles,
  nameOf,
  newCloudStore,
  placeOf,
  recordOf,
  workspaceEffect,
} from "./cloud-store.ts";
import type { MadeStore } from "./cloud-stores.ts";
import { logIn } from "./log-in.ts";
import type { DataStoreProvider } from "./provider.ts";
import { termsInCloud } from "./terms.ts";

/** How long a preview waits for Terraform, in milliseconds. */
const previewPatience = 60_000;

/** A data store elsewhere than beside its service: what says where it is, its password, then whoever runs it. */
export const inCloud: DataStoreProvider = {
  async describe(context, store) {
    const { application, standards } = context;
    const wanted = newCloudStore(application, standards, store, "");
    const kept = await recordedStore(context, store);
    const cloud = kept ?? wanted;
    const objects = await writes(context, [
      ...(kept === undefined ? [withoutVariables(recordOf(application, store, wanted))] : []),
      withoutValues(emptySecret(context, store)),
    ]);
    const where = placeOf(cloud);
    return {
      ...objects,
      terms: [termsInCloud(cloud, standards)],
      notes: [
        ...objects.notes,
        kept === undefined ? where : `${where}: ${cloud.variables.name}, which was kept, is used again`,
        ...(context.preview === true && kept === undefined && isGoogles(cloud)
          ? await plannedByTerraform(context, cloud)
          : []),
      ],
    };
  },

  async provision(context, store) {
    const { application, standards, cloud, write, run, signal, log, randomBytes } = context;
    const name = namesOf(context, store);
    const incarnation = Buffer.from(randomBytes(16)).toString("hex");
    const wanted = newCloudStore(application, standards, store, incarnation);
    const record = recordOf(application, store, asBegun(context, name, wanted));
    const recorded = await write.createOnce(record);
    const known = cloudStoreIn({ ...recorded.object, kind: "ConfigMap" });
    if (known === undefined) {
      throw new StepError(
        "conflict",
        `ConfigMap ${name} exists and does not say where a data store is; it was left as it is`,
        "have its owner remove it, then retry",
      );
    }
    const login = store === "database" ? await loginOf(context) : undefined;
    log(`${known.variables.name}: ${placeOf(known)}`);
    const made = await write.workspace(workspaceEffect(known), recorded.outcome === "created", () =>
      cloud.ensure(known, login && passwordOfFirst(context, login), { run, signal, log }),
    );
    await tellService(context, store, made, login);
    await logIn(context, store);
    return { summary: `${name}, ${nameOf(known)}` };
  },
};

/** What an earlier try has begun with is gone on with, also where somebody deleted what said where it is. */
function asBegun({ effects }: StepContext, store: string, wanted: CloudStore): CloudStore {
  const begun = effects.find(
    ({ effect, state }) =>
      effect.kind === "workspace" && effect.store === store && (state === "created" || state === "unknown"),
  );
  return begun?.effect.kind === "workspace" ? withInstance(wanted, begun.effect.instance) : wanted;
}

function withInstance(store: CloudStore, name: string): CloudStore {
  switch (store.provider) {
    case "cloudsql":
      return { ...store, variables: { ...store.variables, name } };
    case "memorystore":
      return { ...store, variables: { ...store.variables, name } };
    case "cloudnative-pg":
      return { ...store, variables: { ...store.variables, name } };
  }
}

function namesOf({ application }: PlanContext, store: StoreKind): string {
  return store === "database" ? databaseNames(application).name : cacheNames(application).name;
}

/** What says where the service's data store is; undefined where there is none yet. */
export async function recordedStore(
  { application, cluster }: Pick<PlanContext, "application" | "cluster">,
  store: StoreKind,
): Promise<CloudStore | undefined> {
  const { name, namespace } = application.metadata;
  const found = await find(cluster, resources.configMaps, {
    namespace,
    name: `${name}-${store === "database" ? "db" : "cache"}`,
  });
  return found && cloudStoreIn({ ...found, kind: "ConfigMap" });
}

/** The instance's name is made when it is. */
function withoutVariables(record: KubeObject): KubeObject {
  const { data: _, ...rest } = record;
  return rest;
}

/** The Secret as it will be, for a plan. */
function emptySecret({ application }: PlanContext, store: StoreKind): KubeObject {
  const nowhere = { host: "", port: 0, certificates: [] };
  const values =
    store === "database"
      ? cloudDatabaseCredentials(application, nowhere, "", "")
      : cloudCacheCredentials(nowhere, "");
  const name = store === "database" ? databaseNames(application).name : cacheNames(application).name;
  return credentialSecret(application, store, name, values);
}

/** What Terraform would do, in its own words; or why that cannot be told here. */
export async function plannedByTerraform(
  { cloud }: Pick<PlanContext, "cloud">,
  store: CloudStore,
): Promise<readonly string[]> {
  try {
    const plan = await cloud.preview(store, AbortSignal.timeout(previewPatience));
    return planLines(plan).map((line) => `Terraform: ${line}`);
  } catch (error) {
    const known = isTerraformError(error) || error instanceof StepError;
    const why = known ? error.message : "it took too long, or its provider is not there";
    return [`Terraform's plan cannot be shown here: ${why}`];
  }
}

/** The login and its password, made once and before anything that has it; rotations change both. */
async function loginOf({ application, write, log, randomBytes }: StepContext): Promise<Login> {
  const secret = await write.createOnce(cloudDatabaseSecret(application, generatePassword(randomBytes)));
  const { name } = secret.object.metadata;
  log(
    secret.outcome === "created" ? `password made in secret ${name}` : `credentials of secret ${name} kept`,
  );
  const { username = databaseNames(application).logins[0], password = "" } = secretValues(secret.object);
  if (password !== "") return { username, password };
  throw new StepError(
    "conflict",
    `secret ${name} exists and has no password; it was left as it is`,
    "have its owner remove it, then retry",
  );
}

/**
 * What Terraform gives the first login, the one that it knows, should it have to make it. Where it is the second one's
 * turn that is a password which nobody has.
 */
function passwordOfFirst({ application, randomBytes }: StepContext, { username, password }: Login): string {
  const [first] = databaseNames(application).logins;
  return username === first ? password : generatePassword(randomBytes);
}

/** Has the Secret that the service's pods read say how the data store is reached. What differs is written, nothing else. */
async function tellService(
  { application, write }: StepContext,
  store: StoreKind,
  made: MadeStore,
  login: Login | undefined,
): Promise<void> {
  const values =
    login === undefined
      ? cloudCacheCredentials(made, made.password ?? "")
      : cloudDatabaseCredentials(application, made, login.username, login.password);
  const name = store === "database" ? databaseNames(application).name : cacheNames(application).name;
  const secret = credentialSecret(application, store, name, values);
  const { object } = await write.createOnce(secret);
  const data = Object(secret.data);
  if (!holdsData(object, data))
    await write.patchObjects([{ ...object, apiVersion: "v1", kind: "Secret" }], { data });
}
