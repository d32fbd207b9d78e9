import { z } from "zod";
import type { ApplicationSpec } from "../application/application.ts";
import {
  changedSpec,
  changeParametersSchema,
  type ServiceChange,
  serviceChangeSchema,
} from "../application/change.ts";
import { applicationFor, applicationOf } from "../application/from-request.ts";
import {
  labels,
  namespaceOf,
  providerAnnotation,
  releaseAnnotation,
  type ServiceName,
  serviceNameSchema,
} from "../application/names.ts";
import { type Problem, RefusedInput } from "../application/refusal.ts";
import {
  cacheTypes,
  databaseTypes,
  type ServiceRequest,
  serviceRequestSchema,
} from "../application/request.ts";
import { applicationSpecSchema } from "../application/schema.ts";
import { type FieldChange, specDiff } from "../application/spec-diff.ts";
import { externalOf, providerOf, storeKinds, withProviders } from "../application/store-provider.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import { find } from "../cluster/find.ts";
import type { KubeObject } from "../cluster/object.ts";
import { resources } from "../cluster/resource.ts";
import type { CodeHost } from "../delivery/code-host.ts";
import type { Rotatable } from "../secrets/rotation.ts";
import type { Standards } from "../standards/standards.ts";
import { runsOf } from "./checks/existence.ts";
import type { CloudStores } from "./data-stores/cloud-stores.ts";
import { noSuchService, ProvisioningError } from "./errors.ts";
import { type Installation, installationSubject, readInstallation } from "./installation.ts";
import { claimsOf, dataStoreNames } from "./namespace-contents.ts";
import {
  type ChangeOperation,
  isInstallation,
  type Operation,
  type PlannedChange,
  type StepId,
} from "./plan.ts";
import type { DataStoreChoice, PlanWithManifests } from "./provisioner.ts";
import { parseQuantity } from "./quantity.ts";
import { releasesOf } from "./releases.ts";
import type { RunSpec } from "./run-record.ts";
import type { PlanContext, Step } from "./step.ts";
import { stepsOf } from "./steps/index.ts";

/** What an operation's plan is computed from. */
export interface Surroundings {
  readonly cluster: Cluster;
  readonly codeHost: CodeHost;
  readonly cloud: CloudStores;
  readonly standards: Standards;
}

/** Steps of an operation that apply to this context. */
export function stepsFor(operation: Operation, context: PlanContext): readonly Step[] {
  return stepsOf[operation].filter((step) => step.when(context));
}

/** Without those that another need has to wait for anyway. Pure. */
function directNeeds(needs: readonly StepId[], needsOf: (need: StepId) => readonly StepId[]): StepId[] {
  const behind = (need: StepId): readonly StepId[] =>
    needsOf(need).flatMap((further) => [further, ...behind(further)]);
  const implied = new Set(needs.flatMap(behind));
  return [...new Set(needs)].filter((need) => !implied.has(need));
}

/** Computes the plan: who depends on a step that is left out depends on what that one depends on. */
export async function planFor(operation: Operation, context: PlanContext): Promise<PlanWithManifests> {
  const steps = stepsFor(operation, context);
  const known = new Set(steps.map(({ id }) => id));
  const all = new Map(stepsOf[operation].map((step) => [step.id, step.needs]));
  const inPlan = (needs: readonly StepId[]): readonly StepId[] =>
    needs.flatMap((need) => (known.has(need) ? [need] : inPlan(all.get(need) ?? [])));
  const described = await Promise.all(steps.map((step) => step.describe(context)));
  const stores = described.flatMap(({ terms = [] }) => terms);
  return {
    plan: {
      operation,
      service: context.installation === undefined ? context.request.name : installationSubject,
      change: context.change,
      steps: steps.map(({ id, title, needs, skippable }, index) => ({
        id,
        title,
        needs: directNeeds(inPlan(needs), (need) => inPlan(all.get(need) ?? [])),
        effects: [...(described[index]?.effects ?? [])],
        notes: [...(described[index]?.notes ?? [])],
        ...(skippable === true ? { skippable } : {}),
      })),
    },
    manifests: described.flatMap(({ manifests }) => manifests),
    diff: effectiveDiff(context),
    ...(stores.length === 0 ? {} : { stores }),
  };
}

/** What differs of the Application; resources that it leaves to the standards are told as what they are. */
function effectiveDiff({ change: { before, after }, standards }: PlanContext): readonly FieldChange[] {
  const resources = before?.resources ?? after?.resources;
  const whole = (spec: ApplicationSpec | undefined) =>
    spec === undefined || resources === undefined
      ? spec
      : { ...spec, resources: spec.resources ?? standards.workload.resources };
  return specDiff(whole(before), whole(after));
}

/** @throws RefusedInput where the standards do not allow the request */
export function createContext(request: ServiceRequest, surroundings: Surroundings): PlanContext {
  const application = applicationFor(request, surroundings.standards);
  const change = { after: application.spec, release: firstRelease };
  return { ...surroundings, request, application, change, dataStores: "keep" };
}

/** The release that a create makes. */
const firstRelease = 1;

/**
 * What a change works on: the Application as it is, and as the change makes it.
 * @throws ProvisioningError `usage` where there is no such service or release, `unchanged` where the change changes
 *   nothing; RefusedInput where a limit is below its request
 */
export async function changeContext(
  service: ServiceName,
  change: ServiceChange,
  choice: DataStoreChoice,
  surroundings: Surroundings,
): Promise<PlanContext> {
  const { cluster, standards } = surroundings;
  const [object, runs] = await Promise.all([
    find(cluster, resources.applications, { name: service, namespace: namespaceOf(service) }),
    runsOf(cluster, service).catch((error: unknown) => {
      // A pipeline sees no run but its own; the operator works the release's number out anew.
      if (change.operation === "deploy" && isClusterError(error, "forbidden")) return [];
      throw error;
    }),
  ]);
  if (object === undefined) {
    throw noSuchService(service);
  }
  const states = runs.map(({ state }) => state);
  const releases = releasesOf(states);
  const earlier = releases.find(({ number }) => change.operation === "rollback" && number === change.release);
  if (change.operation === "rollback" && earlier === undefined) {
    throw new ProvisioningError(
      "usage",
      `${service} has no release ${change.release}${releases.length === 0 ? "" : `; it has ${releases.map(({ number }) => number).join(", ")}`}`,
      `see them with: platform service releases ${service}`,
    );
  }
  const before = applicationSpecSchema.parse(object.spec);
  const changed = changedSpec(before, change, {
    defaults: standards.workload.resources,
    ...(earlier === undefined ? {} : { earlier: earlier.spec }),
  });
  const after = withProviders(changed, before, standards);
  if (specDiff(before, after).length === 0) {
    throw new ProvisioningError("unchanged", `nothing to change: ${service} is so already`);
  }
  storesStay(service, before, after);
  const problems = limitsBelowRequests(after.resources);
  if (problems.length > 0) throw new RefusedInput(problems);
  const releaseBefore = Number(object.metadata.annotations?.[releaseAnnotation] ?? firstRelease);
  const numbers = states.flatMap((state) => state.change?.release ?? []);
  const release =
    change.operation === "scale" ? releaseBefore : Math.max(releaseBefore, firstRelease, ...numbers) + 1;
  const commit =
    change.operation === "deploy"
      ? change.commit
      : (earlier ?? releases.find(({ current }) => current))?.commit;
  const planned = { before, after, releaseBefore, release, ...(commit === undefined ? {} : { commit }) };
  const { uid } = object.metadata;
  return contextOfChange(service, planned, { dataStores: choice, uid }, surroundings);
}

/** @throws ProvisioningError `usage` where a data store that a service has would become another one */
function storesStay(service: ServiceName, before: ApplicationSpec, after: ApplicationSpec): void {
  for (const store of storeKinds) {
    const [was, is] = [providerOf(before, store), providerOf(after, store)];
    if (was === undefined || is === undefined || was === is) continue;
    throw new ProvisioningError(
      "usage",
      `the ${store} of ${service} is ${was}, and does not become ${is} by a change: its data would stay behind`,
      is === "external" && was !== "external"
        ? `move the data yourself, then take it out: platform service set ${service} --${store} none --data-stores delete --confirm ${service}`
        : `take it out of the service first: platform service set ${service} --${store} none`,
    );
  }
}

/** A pod may not be promised more than it may use: the API server would refuse it, after the run has begun. */
function limitsBelowRequests(resources: ApplicationSpec["resources"]): readonly Problem[] {
  if (resources === undefined) return [];
  const { requests, limits } = resources;
  return (["cpu", "memory"] as const)
    .filter((amount) => parseQuantity(limits[amount]) < parseQuantity(requests[amount]))
    .map((amount) => ({
      field: `resources.limits.${amount}`,
      message: `${limits[amount]} is below what is requested, ${requests[amount]}`,
      suggestion: requests[amount],
    }));
}

function contextOfChange(
  service: ServiceName,
  change: PlannedChange & { readonly after: ApplicationSpec },
  existing: { readonly dataStores: DataStoreChoice | undefined; readonly uid: string | undefined },
  surroundings: Surroundings,
): PlanContext {
  const { before, after } = change;
  const { dataStores, uid } = existing;
  return {
    ...surroundings,
    request: requestOf(service, after),
    application: applicationOf(service, after, uid),
    ...(before === undefined ? {} : { previous: applicationOf(service, before, uid) }),
    change,
    dataStores: dataStores === "delete" ? "delete" : "keep",
  };
}

/** A spec as its request would have been. */
function requestOf(service: ServiceName, spec: ApplicationSpec): ServiceRequest {
  return serviceRequestSchema.parse({
    name: service,
    team: spec.team,
    language: spec.language,
    replicas: spec.replicas,
    exposure: spec.exposure,
    database: spec.database?.type ?? "none",
    cache: spec.cache?.type ?? "none",
    alerts: spec.monitoring.alerts,
    image: spec.image,
  });
}

/**
 * What a deletion works on: the service as its Application says, or what is left of one in a namespace that was
 * kept.
 * @throws ProvisioningError `usage` where there is no such service
 */
export async function deleteContext(
  service: ServiceName,
  choice: DataStoreChoice,
  surroundings: Surroundings,
): Promise<PlanContext> {
  const { cluster, standards } = surroundings;
  const namespace = namespaceOf(service);
  const [application, owner, stores] = await Promise.all([
    find(cluster, resources.applications, { name: service, namespace }),
    find(cluster, resources.namespaces, { name: namespace }),
    storesLeft(cluster, service),
  ]);
  if (owner === undefined) {
    throw noSuchService(service);
  }
  const request = requestFrom(service, application, owner, stores);
  const dataStores = await resolved(cluster, service, choice, stores);
  return {
    ...surroundings,
    request,
    // Only its name and team matter to a deletion; an image satisfies standards without a starter.
    application: applicationFor(
      { ...request, image: request.image ?? "none" },
      withTeam(standards, request.team),
    ),
    change: application === undefined ? {} : deletionOf(application),
    dataStores,
  };
}

/** What a deletion makes of an Application; one that is damaged is deleted all the same. */
function deletionOf({ spec, metadata }: KubeObject): PlannedChange {
  const before = applicationSpecSchema.safeParse(spec);
  if (!before.success) return {};
  return {
    before: before.data,
    releaseBefore: Number(metadata.annotations?.[releaseAnnotation] ?? firstRelease),
  };
}

/** A team that the standards no longer hold may still have its service deleted. */
function withTeam(standards: Standards, team: string | undefined): Standards {
  if (team === undefined || standards.teams[team] !== undefined) return standards;
  return { ...standards, teams: { ...standards.teams, [team]: { groups: ["nobody"] } } };
}

interface Stores {
  readonly database: boolean;
  readonly cache: boolean;
}

async function storesLeft(cluster: Cluster, service: ServiceName): Promise<Stores> {
  const namespace = namespaceOf(service);
  const [database, cache] = await Promise.all(
    dataStoreNames(service).map(async (name) => {
      const [set, claims, record] = await Promise.all([
        find(cluster, resources.statefulSets, { namespace, name }),
        claimsOf(cluster, namespace, name),
        find(cluster, resources.configMaps, { namespace, name }),
      ]);
      const outside = record?.metadata.annotations?.[providerAnnotation] !== undefined;
      return set !== undefined || claims.length > 0 || outside;
    }),
  );
  return { database: database === true, cache: cache === true };
}

function requestFrom(
  service: ServiceName,
  application: KubeObject | undefined,
  namespace: KubeObject,
  stores: Stores,
): ServiceRequest {
  const spec = applicationSpecSchema.safeParse(application?.spec);
  return serviceRequestSchema.parse({
    name: service,
    team: spec.data?.team ?? namespace.metadata.labels?.[labels.team] ?? "platform",
    language: spec.data?.language ?? "go",
    replicas: spec.data?.replicas ?? 1,
    exposure: spec.data?.exposure ?? "none",
    database: stores.database ? databaseTypes[0] : "none",
    cache: stores.cache ? cacheTypes[0] : "none",
    ...(spec.data === undefined || spec.data.starter ? {} : { image: spec.data.image }),
  });
}

/** `keep-used` decided: data stores on which no run ever brought the service to ready are unused. */
async function resolved(
  cluster: Cluster,
  service: ServiceName,
  choice: DataStoreChoice,
  stores: Stores,
): Promise<"keep" | "delete"> {
  if (!stores.database && !stores.cache) return "delete";
  if (choice !== "keep-used") return choice;
  const runs = await runsOf(cluster, service);
  return runs.length > 0 && runs.every(({ state }) => !state.reachedReady) ? "delete" : "keep";
}

/** @throws ProvisioningError `usage` where there is no such service */
async function asItIs(
  service: ServiceName,
  { cluster }: Surroundings,
): Promise<{ readonly spec: ApplicationSpec; readonly uid: string | undefined }> {
  const ref = { name: service, namespace: namespaceOf(service) };
  const object = await find(cluster, resources.applications, ref);
  if (object === undefined) throw noSuchService(service);
  return { spec: applicationSpecSchema.parse(object.spec), uid: object.metadata.uid };
}

/**
 * What a rotation works on: the service as it is, before and after.
 * @throws ProvisioningError `usage` where there is no such service, or it has no such data store
 */
export async function rotateContext(
  service: ServiceName,
  credential: Rotatable,
  surroundings: Surroundings,
): Promise<PlanContext> {
  const { spec, uid } = await asItIs(service, surroundings);
  if (spec[credential] === undefined) {
    throw new ProvisioningError(
      "usage",
      `${service} has no ${credential}`,
      `see what it has: platform secret list ${service}`,
    );
  }
  const external = externalOf(spec, credential);
  if (external !== undefined) {
    throw new ProvisioningError(
      "usage",
      `the ${credential} of ${service} is not the platform's: whoever runs it changes its password`,
      `have them make a Secret beside ${external.secret} with the new one, then: platform service set ${service} --${credential}-secret NAME`,
    );
  }
  if (providerOf(spec, credential) === "cloudnative-pg") {
    throw new ProvisioningError(
      "usage",
      `CloudNativePG runs the ${credential} of ${service}: its login has one password at a time, so that it cannot change without a moment in which new connections fail`,
      "have a platform engineer change it in both Secrets, where such a moment is allowed: docs/data-stores.md says how",
    );
  }
  const change = { before: spec, after: spec };
  return { ...contextOfChange(service, change, { dataStores: "keep", uid }, surroundings), credential };
}

/**
 * What a backup works on, and a restore: the service as it is, before and after.
 * @param restore - for a restore: the backup
 * @throws ProvisioningError `usage` where there is no such service, database or backup
 */
export async function backupContext(
  service: ServiceName,
  backups: NonNullable<PlanContext["backups"]>,
  surroundings: Surroundings,
): Promise<PlanContext> {
  return { ...(await databaseContext(service, surroundings)), backups };
}

/**
 * What an import works on: the service as it is, before and after.
 * @param from - name of the Secret that says where the data is
 * @throws ProvisioningError `usage` where there is no such service, or it has no database
 */
export async function importContext(
  service: ServiceName,
  from: string,
  surroundings: Surroundings,
): Promise<PlanContext> {
  return { ...(await databaseContext(service, surroundings)), importing: { from } };
}

async function databaseContext(service: ServiceName, surroundings: Surroundings): Promise<PlanContext> {
  const { spec, uid } = await asItIs(service, surroundings);
  if (spec.database === undefined) {
    throw new ProvisioningError(
      "usage",
      `${service} has no database`,
      "see what it has: platform service list",
    );
  }
  const change = { before: spec, after: spec };
  return contextOfChange(service, change, { dataStores: "keep", uid }, surroundings);
}

/**
 * The context of what is asked for, and nobody has begun with: from the request, and what is there now.
 * @throws ProvisioningError, RefusedInput: see the contexts of each operation
 */
export async function requestedContext(
  { operation, service, team, parameters }: Omit<RunSpec, "requestedBy">,
  surroundings: Surroundings,
): Promise<PlanContext> {
  const { request, dataStores, confirmed } = parameters;
  const name = serviceNameSchema.parse(service);
  const context = await (async () => {
    switch (operation) {
      case "create":
        if (request !== undefined) return createContext(request, surroundings);
        throw new ProvisioningError("refused", `the run of ${service} has no request`, "make another run");
      case "delete":
        return deleteContext(name, dataStores ?? "keep-used", surroundings);
      case "cleanup":
        return cleanupContext({ service, team, parameters }, surroundings);
      case "rotate":
        return rotateContext(name, credentialOf(service, parameters), surroundings);
      case "backup":
      case "restore":
        return backupContext(name, backupsOf(operation, parameters), surroundings);
      case "import":
        return importContext(name, sourceOf(service, parameters), surroundings);
      case "install":
      case "uninstall":
        throw new ProvisioningError(
          "refused",
          `the operator does not ${operation} the platform: it may not change its own rights`,
        );
      default: {
        const change = changeOf(operation, parameters);
        return changeContext(name, change, dataStores ?? "keep", surroundings);
      }
    }
  })();
  return { ...context, ...(confirmed === undefined ? {} : { confirmed }) };
}

/**
 * The context of a run that exists, from its spec and what its plan fixed: any process can go on with it.
 * @param planned - unset where no engine has taken the run yet
 */
export async function contextOf(
  spec: RunSpec,
  planned: PlannedChange | undefined,
  surroundings: Surroundings,
): Promise<PlanContext> {
  const { confirmed, credential, from } = spec.parameters;
  const context = await unconfirmedContextOf(spec, planned, surroundings);
  const { operation } = spec;
  return {
    ...context,
    ...(operation === "backup" || operation === "restore"
      ? { backups: backupsOf(operation, spec.parameters) }
      : {}),
    ...(operation !== "import" || from === undefined ? {} : { importing: { from } }),
    ...(confirmed === undefined ? {} : { confirmed }),
    ...(credential === undefined ? {} : { credential }),
  };
}

async function unconfirmedContextOf(
  spec: RunSpec,
  planned: PlannedChange | undefined,
  surroundings: Surroundings,
): Promise<PlanContext> {
  const { request, dataStores } = spec.parameters;
  if (spec.operation !== "delete" && planned?.after !== undefined) {
    const { after } = planned;
    const service = serviceNameSchema.parse(spec.service);
    const ref = { name: service, namespace: namespaceOf(service) };
    const uid = (await find(surroundings.cluster, resources.applications, ref))?.metadata.uid;
    return contextOfChange(service, { ...planned, after }, { dataStores, uid }, surroundings);
  }
  if (spec.operation === "cleanup") return cleanupContext(spec, surroundings);
  if (isInstallation(spec.operation)) {
    const { installation } = spec.parameters;
    return installationContext(
      installation === undefined ? { standards: surroundings.standards } : readInstallation(installation),
      surroundings,
    );
  }
  if (spec.operation === "rotate") {
    const { service, parameters } = spec;
    return rotateContext(serviceNameSchema.parse(service), credentialOf(service, parameters), surroundings);
  }
  if (spec.operation === "backup" || spec.operation === "restore") {
    const { service, operation, parameters } = spec;
    return backupContext(serviceNameSchema.parse(service), backupsOf(operation, parameters), surroundings);
  }
  if (spec.operation === "import") {
    const { service, parameters } = spec;
    return importContext(serviceNameSchema.parse(service), sourceOf(service, parameters), surroundings);
  }
  if (spec.operation !== "delete" && spec.operation !== "create") {
    const change = changeOf(spec.operation, spec.parameters);
    return changeContext(serviceNameSchema.parse(spec.service), change, dataStores ?? "keep", surroundings);
  }
  if (spec.operation === "delete") {
    const service = serviceNameSchema.parse(spec.service);
    const choice = dataStores === "delete" ? "delete" : "keep";
    return { ...nominalContext(service, spec.team, surroundings), change: planned ?? {}, dataStores: choice };
  }
  if (request === undefined) {
    throw new ProvisioningError("refused", `the run of ${spec.service} has no request`, "make another run");
  }
  return createContext(request, surroundings);
}

/**
 * The context of an operation that only deletes: the service's name and team matter, and that there may be data
 * stores.
 */
function nominalContext(service: ServiceName, team: string, surroundings: Surroundings): PlanContext {
  const request = serviceRequestSchema.parse({
    name: service,
    team,
    language: "go",
    database: databaseTypes[0],
    cache: cacheTypes[0],
  });
  const standards = withTeam(surroundings.standards, team);
  const application = applicationFor({ ...request, image: "none" }, standards);
  return { ...surroundings, request, application, change: {}, dataStores: "delete" };
}

/** What a cleanup works on: the orphans that its request names. */
export function cleanupContext(
  { service, team, parameters }: Pick<RunSpec, "service" | "team" | "parameters">,
  surroundings: Surroundings,
): PlanContext {
  const { orphans = [], repositories = [], confirmed } = parameters;
  return {
    ...nominalContext(serviceNameSchema.parse(service), team, surroundings),
    cleanup: { orphans, repositories },
    ...(confirmed === undefined ? {} : { confirmed }),
  };
}

/** What an installation works on; it is about no service, and the standards are those it brings. */
export function installationContext(
  installation: Installation,
  surroundings: Omit<Surroundings, "standards">,
): PlanContext {
  const { standards } = installation;
  const [team = "platform"] = Object.keys(standards.teams);
  return {
    ...nominalContext(serviceNameSchema.parse("platform"), team, { ...surroundings, standards }),
    dataStores: "keep",
    installation,
  };
}

/** @throws ProvisioningError `refused` where the parameters are not those of a rotation */
function credentialOf(service: string, { credential }: RunSpec["parameters"]): Rotatable {
  if (credential !== undefined) return credential;
  throw new ProvisioningError(
    "refused",
    `the run of ${service} does not say which credentials it is about`,
    "make another run",
  );
}

/** @throws ProvisioningError `refused` where the parameters are not those of an import */
function sourceOf(service: string, { from }: RunSpec["parameters"]): string {
  if (from !== undefined) return from;
  throw new ProvisioningError(
    "refused",
    `the run of ${service} does not say what it imports from`,
    "make another run",
  );
}

/** What a run's parameters say of backups. Pure. */
function backupsOf(
  operation: "backup" | "restore",
  { backup }: RunSpec["parameters"],
): NonNullable<PlanContext["backups"]> {
  return { operation, ...(backup === undefined ? {} : { restore: backup }) };
}

/** A run's parameters, as far as they are a change's. */
const changeFields = z.object(changeParametersSchema.shape);

/** @throws ProvisioningError `refused` where the parameters are not those of the operation */
function changeOf(operation: ChangeOperation, parameters: RunSpec["parameters"]): ServiceChange {
  const parsed = serviceChangeSchema.safeParse({ operation, ...changeFields.parse(parameters) });
  if (parsed.success) return parsed.data;
  throw new ProvisioningError(
    "refused",
    `a ${operation} cannot have these parameters: ${parsed.error.issues[0]?.message ?? ""}`,
    "make another run",
  );
}
